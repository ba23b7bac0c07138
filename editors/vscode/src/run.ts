// `nndsl run` in a terminal.

import * as vscode from "vscode";
import type { Target } from "./model";
import { findProgram } from "./program";

/** Saves the file and trains the model. Program and arguments go to the system one by one: no shell reads them. */
export async function run({ uri, model }: Target): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showErrorMessage("Models are run once the workspace is trusted.");
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  if ((document.isDirty || document.isUntitled) && !(await document.save())) {
    return;
  }
  if (document.uri.scheme !== "file") {
    void vscode.window.showErrorMessage("Only a file on the disk can be run: save it first.");
    return;
  }
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const { program } = await findProgram(folder);
  if (program === undefined) {
    await vscode.commands.executeCommand("nndsl.restart"); // which says what is missing and how to get it
    return;
  }
  const args = ["run", document.uri.fsPath, ...(model === undefined ? [] : ["--model", model])];
  const task = new vscode.Task(
    { type: "nndsl", model: model ?? "" },
    folder ?? vscode.TaskScope.Workspace,
    `run ${model ?? "model"}`,
    "nndsl",
    new vscode.ProcessExecution(program, args),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  await vscode.tasks.executeTask(task);
}
