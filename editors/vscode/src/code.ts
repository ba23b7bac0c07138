// The generated program beside the source: a document of its own that follows the text while one types.

import * as vscode from "vscode";
import type { Target } from "./model";
import type { Server } from "./server";

export const SCHEME = "nndsl-code";
type Framework = "torch" | "keras";

interface Shown {
  uri: string;
  model: string | null;
  target: Framework;
}

interface Answer {
  text: string | null;
  problem: string | null;
  model: string;
}

export class CodePreview implements vscode.TextDocumentContentProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  /** By the address of a preview: the last program there was, which stays while the text has a mistake. */
  private readonly last = new Map<string, string>();

  constructor(private readonly server: Server) {
    server.onChecked((uri) => {
      for (const document of vscode.workspace.textDocuments) {
        if (document.uri.scheme === SCHEME && decode(document.uri)?.uri === uri) {
          this.changed.fire(document.uri);
        }
      }
    });
    vscode.workspace.onDidCloseTextDocument((document) => this.last.delete(document.uri.toString()));
  }

  async show({ uri, model }: Target): Promise<void> {
    const target = vscode.workspace.getConfiguration("nndsl").get<Framework>("code.target", "torch");
    await open({ uri: uri.toString(), model: model ?? null, target }, vscode.ViewColumn.Beside);
  }

  /** The other framework's program in place of the one that is shown. */
  async switchTarget(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const shown = editor === undefined ? undefined : decode(editor.document.uri);
    if (editor === undefined || shown === undefined) {
      void vscode.window.showInformationMessage("Show the generated code of a model first.");
      return;
    }
    const address = editor.document.uri.toString();
    await open({ ...shown, target: shown.target === "torch" ? "keras" : "torch" }, editor.viewColumn);
    // A tab is known anew whenever tabs change, so it is looked for now.
    const old = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .find((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === address);
    if (old !== undefined) {
      await vscode.window.tabGroups.close(old);
    }
  }

  async provideTextDocumentContent(address: vscode.Uri): Promise<string> {
    const shown = decode(address);
    const answer = shown && (await this.server.request<Answer>("nndsl/code", shown));
    if (answer?.text != null) {
      this.last.set(address.toString(), answer.text);
      return answer.text;
    }
    const reason = answer?.problem ?? "the language server is not running";
    const last = this.last.get(address.toString());
    const above = comment(reason);
    return last === undefined ? above : `${above}# Below is the program as it was before.\n\n${last}`;
  }
}

function comment(text: string): string {
  return text.split(/\r?\n/).map((line) => `# ${line}\n`).join("");
}

async function open(shown: Shown, column: vscode.ViewColumn | undefined): Promise<void> {
  const name = (shown.model ?? "model").replace(/\W/g, "_");
  const query = JSON.stringify(shown);
  const address = vscode.Uri.from({ scheme: SCHEME, path: `/${name} (${shown.target}).py`, query });
  const document = await vscode.workspace.openTextDocument(address);
  await vscode.window.showTextDocument(document, {
    ...(column === undefined ? {} : { viewColumn: column }),
    preserveFocus: column === vscode.ViewColumn.Beside,
    preview: false,
  });
}

function decode(address: vscode.Uri): Shown | undefined {
  if (address.scheme !== SCHEME) {
    return undefined;
  }
  try {
    return JSON.parse(address.query) as Shown;
  } catch {
    return undefined;
  }
}
