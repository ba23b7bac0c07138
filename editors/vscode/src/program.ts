// Which `nndsl` program is started: a setting, the selected Python environment, the workspace's .venv, the PATH.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

const NAME = process.platform === "win32" ? "nndsl.exe" : "nndsl";

export interface Found {
  /** The program, or undefined where there is none. */
  program: string | undefined;
  /** Where it was looked for, for the message. */
  tried: string[];
}

/** Only for a trusted workspace: its folders are looked into, and what is found there is going to be run. */
export async function findProgram(folder: vscode.WorkspaceFolder | undefined): Promise<Found> {
  const setting = vscode.workspace.getConfiguration("nndsl", folder).get<string>("server.path", "").trim();
  if (setting !== "") {
    const program = expand(setting, folder);
    return { program: isProgram(program) ? program : undefined, tried: [`${program} (nndsl.server.path)`] };
  }
  const candidates: string[] = [];
  const environment = await pythonEnvironment(folder);
  if (environment !== undefined) {
    candidates.push(path.join(environment, NAME));
  }
  for (const root of vscode.workspace.workspaceFolders ?? []) {
    if (root.uri.scheme === "file") {
      const scripts = process.platform === "win32" ? "Scripts" : "bin";
      candidates.push(path.join(root.uri.fsPath, ".venv", scripts, NAME));
    }
  }
  // An empty entry of the PATH, or a relative one, would be a folder that nobody chose.
  for (const entry of (process.env["PATH"] ?? "").split(path.delimiter)) {
    if (path.isAbsolute(entry)) {
      candidates.push(path.join(entry, NAME));
    }
  }
  return { program: candidates.find(isProgram), tried: candidates };
}

function expand(setting: string, folder: vscode.WorkspaceFolder | undefined): string {
  const root = folder ?? vscode.workspace.workspaceFolders?.[0];
  const text = setting.replaceAll("${workspaceFolder}", root?.uri.fsPath ?? "");
  return text.startsWith("~/") ? path.join(os.homedir(), text.slice(2)) : text;
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

interface PythonExtension {
  environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
  };
}

/** The folder of the programs of the environment that the Python extension has selected. */
async function pythonEnvironment(folder: vscode.WorkspaceFolder | undefined): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (extension === undefined) {
    return undefined;
  }
  try {
    const api = extension.isActive ? extension.exports : await extension.activate();
    const found = api.environments?.getActiveEnvironmentPath(folder?.uri).path;
    if (found === undefined || !path.isAbsolute(found)) {
      return undefined;
    }
    const isFolder = fs.statSync(found).isDirectory();
    return isFolder ? path.join(found, process.platform === "win32" ? "Scripts" : "bin") : path.dirname(found);
  } catch {
    return undefined; // another extension's trouble is not ours: the other places are left
  }
}
