// The model that a command is about: what a code lens says, or what the caret stands in.

import * as vscode from "vscode";
import { LANGUAGE } from "./server";

export interface Target {
  uri: vscode.Uri;
  /** undefined: the last model of the file, as on the command line. */
  model: string | undefined;
}

/** `where` and `model` are a lens's arguments or a menu's; undefined where there is no .nn file to speak of. */
export function targetOf(where: unknown, model: unknown): Target | undefined {
  if (typeof where === "string") {
    return { uri: vscode.Uri.parse(where, true), model: typeof model === "string" ? model : undefined };
  }
  const editor = vscode.window.activeTextEditor;
  if (where instanceof vscode.Uri && where.toString() !== editor?.document.uri.toString()) {
    return { uri: where, model: undefined };
  }
  if (editor?.document.languageId !== LANGUAGE) {
    void vscode.window.showInformationMessage("Open a .nn file first.");
    return undefined;
  }
  return { uri: editor.document.uri, model: modelAbove(editor.document, editor.selection.active.line) };
}

/** The nearest `model NAME` at or above a line. */
function modelAbove(document: vscode.TextDocument, line: number): string | undefined {
  for (let at = line; at >= 0; at -= 1) {
    const found = /^\s*model\s+([A-Za-z_]\w*)/.exec(document.lineAt(at).text);
    if (found !== null) {
      return found[1];
    }
  }
  return undefined;
}
