// Where VS Code comes in: the server is started, and the commands are named.

import * as vscode from "vscode";
import { CodePreview, SCHEME } from "./code";
import { GraphPreview } from "./graph";
import { targetOf, type Target } from "./model";
import { run } from "./run";
import { Server } from "./server";

export function activate(context: vscode.ExtensionContext): void {
  const server = new Server();
  const code = new CodePreview(server);
  const graph = new GraphPreview(server, vscode.Uri.joinPath(context.extensionUri, "media"));

  const onModel = (name: string, action: (target: Target) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(name, (where?: unknown, model?: unknown) => {
      const target = targetOf(where, model);
      return target === undefined ? undefined : action(target);
    });

  context.subscriptions.push(
    server,
    graph,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, code),
    onModel("nndsl.run", run),
    onModel("nndsl.showCode", (target) => code.show(target)),
    onModel("nndsl.showGraph", (target) => {
      graph.show(target);
    }),
    vscode.commands.registerCommand("nndsl.switchTarget", () => code.switchTarget()),
    vscode.commands.registerCommand("nndsl.restart", () => server.start()),
    vscode.commands.registerCommand("nndsl.showOutput", () => {
      server.showOutput();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.start()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("nndsl.server")) {
        void server.start();
      }
    }),
  );
  void server.start();
}
