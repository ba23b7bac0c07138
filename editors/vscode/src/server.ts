// The language server: started, watched, started again, and what is said where that fails.

import { spawn, type ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  State,
  type CloseHandlerResult,
  type LanguageClientOptions,
} from "vscode-languageclient/node";
import { findProgram } from "./program";

export const LANGUAGE = "nndsl";
const INSTALL = "pip install 'nndsl[lsp]'";
/** Commands that the server may put above a model: those of this extension. */
const COMMANDS = ["nndsl.run", "nndsl.showCode", "nndsl.showGraph"];
const MOST_RESTARTS = 4;
const WITHIN = 3 * 60_000;

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();
  private readonly output = vscode.window.createOutputChannel("nndsl", { log: true });
  private readonly status = vscode.languages.createLanguageStatusItem("nndsl.server", { language: LANGUAGE });
  private readonly checked = new vscode.EventEmitter<string>();
  /** The address of a document that has just been checked. */
  readonly onChecked = this.checked.event;

  constructor() {
    this.status.name = "nndsl language server";
    this.say("is not running", vscode.LanguageStatusSeverity.Information);
  }

  /** Starts the server, or starts it again; one start at a time. */
  start(): Promise<void> {
    this.queue = this.queue.then(() => this.restart()).catch((error: unknown) => {
      this.output.error(String(error));
    });
    return this.queue;
  }

  async request<Answer>(method: string, params: object): Promise<Answer | undefined> {
    await this.queue;
    return this.client?.state === State.Running ? this.client.sendRequest<Answer>(method, params) : undefined;
  }

  showOutput(): void {
    this.output.show(true);
  }

  dispose(): void {
    void this.stop();
    this.checked.dispose();
    this.status.dispose();
    this.output.dispose();
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client === undefined) {
      return;
    }
    const end = async (): Promise<void> => {
      if (client.state === State.Running) {
        await client.stop(2_000).catch(() => undefined);
      }
      await client.dispose().catch(() => undefined);
    };
    // A client whose start failed may never say that it has ended, and must not hold up the next one.
    await Promise.race([end(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
  }

  private async restart(): Promise<void> {
    await this.stop();
    if (!vscode.workspace.isTrusted) {
      this.say("waits until the workspace is trusted", vscode.LanguageStatusSeverity.Information);
      return;
    }
    const folder = vscode.workspace.workspaceFolders?.[0];
    const { program, tried } = await findProgram(folder);
    if (program === undefined) {
      this.output.warn(`no nndsl program was found; looked for ${tried.join(", ")}`);
      this.failed("No nndsl program was found.");
      return;
    }
    const args = vscode.workspace.getConfiguration("nndsl", folder).get<string[]>("server.arguments", ["lsp"]);
    this.output.info(`starting ${program} ${args.join(" ")}`);
    this.status.busy = true;
    this.say("is starting", vscode.LanguageStatusSeverity.Information);
    let last = "";
    const launch = (): Promise<ChildProcess> =>
      new Promise((resolve, reject) => {
        const options = folder?.uri.scheme === "file" ? { cwd: folder.uri.fsPath } : {};
        const child = spawn(program, args, { ...options, shell: false, windowsHide: true });
        child.once("spawn", () => {
          resolve(child);
        });
        child.once("error", reject);
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          last = (last + text).slice(-4_000);
          for (const line of text.trimEnd().split("\n")) {
            this.output.info(line);
          }
        });
      });
    const life = { hasRun: false };
    const client = new LanguageClient("nndsl", "nndsl", launch, this.options(folder, life));
    this.client = client;
    client.onNotification("nndsl/checked", ({ uri }: { uri: string }) => {
      this.checked.fire(uri);
    });
    client.onDidChangeState(({ newState }) => {
      if (this.client === client && newState !== State.Starting) {
        this.status.busy = false;
        const isRunning = newState === State.Running;
        life.hasRun ||= isRunning;
        const severity = isRunning ? vscode.LanguageStatusSeverity.Information : vscode.LanguageStatusSeverity.Error;
        this.say(isRunning ? `runs: ${program}` : "has stopped", severity);
      }
    });
    try {
      await client.start();
    } catch (error) {
      this.output.error(String(error));
      await new Promise((resolve) => setTimeout(resolve, 400)); // what it says of its end arrives behind the end
      const isMissing = last.includes("nndsl[lsp]");
      this.failed(isMissing ? "The language server needs the package pygls." : `${program} could not be started.`);
    }
  }

  /** A server that has run is started again when it ends, unless it ends too often. */
  private options(folder: vscode.WorkspaceFolder | undefined, life: { hasRun: boolean }): LanguageClientOptions {
    const ends: number[] = [];
    const closed = (): CloseHandlerResult => {
      const now = Date.now();
      ends.push(now);
      const recent = ends.filter((end) => now - end < WITHIN).length;
      if (!life.hasRun || recent > MOST_RESTARTS) {
        return { action: CloseAction.DoNotRestart, handled: true };
      }
      return { action: CloseAction.Restart, handled: true };
    };
    return {
      documentSelector: [
        { scheme: "file", language: LANGUAGE },
        { scheme: "untitled", language: LANGUAGE },
      ],
      ...(folder === undefined ? {} : { workspaceFolder: folder }),
      outputChannel: this.output,
      initializationOptions: { commands: COMMANDS },
      initializationFailedHandler: () => false,
      errorHandler: { error: () => ({ action: ErrorAction.Continue, handled: true }), closed },
    };
  }

  private say(what: string, severity: vscode.LanguageStatusSeverity): void {
    this.status.text = `nndsl ${what}`;
    this.status.severity = severity;
    this.status.command = { command: "nndsl.restart", title: "Restart" };
  }

  private failed(message: string): void {
    this.status.busy = false;
    this.say("could not be started", vscode.LanguageStatusSeverity.Error);
    void offer(`${message} Install it with \`${INSTALL}\`, or set nndsl.server.path.`);
  }
}

/** Not awaited by the start: a message may stand for hours. */
async function offer(message: string): Promise<void> {
  const copy = "Copy Install Command";
  const settings = "Open Settings";
  const chosen = await vscode.window.showErrorMessage(message, copy, settings, "Retry");
  if (chosen === copy) {
    await vscode.env.clipboard.writeText(INSTALL);
  } else if (chosen === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "nndsl.server.path");
  } else if (chosen !== undefined) {
    await vscode.commands.executeCommand("nndsl.restart");
  }
}
