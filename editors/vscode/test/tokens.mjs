// The tokens that VS Code's own engine makes of texts, as JSON: {name: [[line, start, end, [scope, ...]], ...]}.
// Texts come as a JSON object, {name: text}, over the standard input.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");
const home = join(dirname(fileURLToPath(import.meta.url)), "..");

await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => {
    const path = join(home, "syntaxes", "nndsl.tmLanguage.json");
    return scope === "source.nndsl" ? parseRawGrammar(readFileSync(path, "utf8"), path) : null;
  },
});
const grammar = await registry.loadGrammar("source.nndsl");

const found = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  let stack = INITIAL;
  found[name] = [];
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    const { tokens, ruleStack, stoppedEarly } = grammar.tokenizeLine(line, stack, 10_000);
    if (stoppedEarly) throw new Error(`${name}, line ${number + 1}: gave up after ten seconds`);
    stack = ruleStack;
    for (const token of tokens) {
      if (token.startIndex < line.length) {
        found[name].push([number, token.startIndex, Math.min(token.endIndex, line.length), token.scopes.slice(1)]);
      }
    }
  }
}
process.stdout.write(JSON.stringify(found));
