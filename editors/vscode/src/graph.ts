// The graph of a model in a panel that follows the text.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Target } from "./model";
import type { Server } from "./server";

interface Answer {
  svg: string | null;
  problem: string | null;
  model: string;
}

/** What is sent to the page: a picture as a `data:` address, or why there is none. */
interface Message {
  image: string | null;
  problem: string | null;
}

export class GraphPreview implements vscode.Disposable {
  private readonly panels = new Map<string, { panel: vscode.WebviewPanel; target: Target }>();

  constructor(
    private readonly server: Server,
    private readonly media: vscode.Uri,
  ) {
    server.onChecked((uri) => {
      for (const [key, { target }] of this.panels) {
        if (target.uri.toString() === uri) {
          void this.refresh(key);
        }
      }
    });
  }

  show(target: Target): void {
    const key = JSON.stringify([target.uri.toString(), target.model ?? null]);
    const known = this.panels.get(key);
    if (known !== undefined) {
      known.panel.reveal(undefined, true);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel("nndsl.graph", `Graph: ${target.model ?? "model"}`, column, {
      enableScripts: true,
      localResourceRoots: [this.media],
      retainContextWhenHidden: true,
    });
    this.panels.set(key, { panel, target });
    panel.onDidDispose(() => this.panels.delete(key));
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (message === "ready") {
        void this.refresh(key);
      }
    });
    panel.webview.html = this.page(panel.webview);
  }

  dispose(): void {
    for (const { panel } of [...this.panels.values()]) {
      panel.dispose();
    }
  }

  private async refresh(key: string): Promise<void> {
    const shown = this.panels.get(key);
    if (shown === undefined) {
      return;
    }
    const { panel, target } = shown;
    const params = { uri: target.uri.toString(), model: target.model ?? null };
    const answer = await this.server.request<Answer>("nndsl/graph", params);
    const picture = answer?.svg ?? null;
    const message: Message = {
      image: picture === null ? null : `data:image/svg+xml;base64,${Buffer.from(picture).toString("base64")}`,
      problem: answer === undefined ? "the language server is not running" : answer.problem,
    };
    if (this.panels.get(key) === shown) {
      if (answer !== undefined && answer.model !== "") {
        panel.title = `Graph: ${answer.model}`;
      }
      await panel.webview.postMessage(message);
    }
  }

  /** The page runs one script, this extension's own. A picture that is an image runs none, and loads nothing. */
  private page(webview: vscode.Webview): string {
    const nonce = randomBytes(16).toString("base64");
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(this.media, name)).toString();
    const policy = `default-src 'none'; img-src data:; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${address("graph.css")}">
<title>Graph</title>
</head>
<body>
<p id="problem" role="status" hidden></p>
<div id="view"><img id="graph" alt="Graph of the model" hidden></div>
<div id="tools">
<button id="out" title="Smaller (-)">&minus;</button>
<button id="fit" title="Fit the window (0)">Fit</button>
<button id="in" title="Larger (+)">+</button>
</div>
<script nonce="${nonce}" src="${address("graph.js")}"></script>
</body>
</html>`;
  }
}
