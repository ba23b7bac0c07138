// A real VS Code, code-server in a headless Chromium, with the extension installed: every assertion is about what the
// screen shows. Usage: drive.mjs INSTALLED PROGRAM VSIX PICTURES, where INSTALLED is what ./install made, PROGRAM the
// nndsl to serve, and PICTURES the folder that the screenshots go to.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [installed, program, vsix, pictures] = process.argv.slice(2);
const { chromium } = createRequire(join(installed, "package.json"))("playwright-core");
const entry = join(installed, "node_modules/code-server/out/node/entry.js");
const PATIENCE = 60_000;

const TEXT = `# What a person's posts say of their age and income.
model Profile {
    input posts: int[T]     # T: any length

    features = posts
        -> Embedding(50000, 256)
        -> Conv1D(128, 5, activaton=relu) -> MaxPooling1D(5)
        -> Conv1D(256, 5, activation=relu) -> GlobalMaxPooling1D()
        -> Dense(128, activation=relu)

    output age = features -> Dense(1) with loss=mse, weight=0.25
    output income = features -> Dense(10, activation=softmax)
        with loss=categorical_crossentropy

    train { optimizer = Adam(learning_rate=1e-3); epochs = 10 }
}
`;

const work = mkdtempSync(join(tmpdir(), "nndsl-vscode-"));
const folder = join(work, "profile");
const file = join(folder, "profile.nn");
mkdirSync(folder);
mkdirSync(join(work, "user/User"), { recursive: true });
writeFileSync(file, TEXT);
const started = join(work, "nndsl"); // what the extension starts, and what the last test takes away
const script = (lines) => writeFileSync(started, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
script(`exec '${program}' "$@"`);
writeFileSync(
  join(work, "user/User/settings.json"),
  JSON.stringify({
    "nndsl.server.path": started,
    "files.autoSave": "off",
    "editor.fontSize": 13,
    "editor.minimap.enabled": false,
    "editor.hover.delay": 150,
    "editor.renderWhitespace": "none",
    "workbench.colorTheme": "Default Light Modern",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "extensions.ignoreRecommendations": true,
    "window.commandCenter": false,
    "git.enabled": false,
  }),
);
const environment = { ...process.env, XDG_CONFIG_HOME: join(work, "config"), XDG_DATA_HOME: join(work, "data") };
const folders = ["--user-data-dir", join(work, "user"), "--extensions-dir", join(work, "extensions")];
const packed = spawnSync(process.execPath, [entry, ...folders, "--install-extension", vsix], {
  env: environment,
  encoding: "utf8",
});
assert.match(packed.stdout, /successfully installed/, packed.stdout + packed.stderr);

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const options = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
const server = spawn(process.execPath, [entry, ...folders, ...options], { env: environment, stdio: "pipe" });
let said = "";
for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
const flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [...flags.split(" "), "--disable-component-update", "--disable-sync"],
});

try {
  await until("code-server answers", async () => said.includes("HTTP server listening"));
  const page = await browser.newPage({ viewport: { width: 1180, height: 640 } });
  page.setDefaultTimeout(PATIENCE);
  const payload = JSON.stringify([["openFile", `vscode-remote://127.0.0.1:${port}${file}`]]);
  await page.goto(`http://127.0.0.1:${port}/?folder=${folder}&payload=${encodeURIComponent(payload)}`);
  await drive(page);
} catch (error) {
  const [page] = browser.contexts().flatMap((context) => context.pages());
  await page?.screenshot({ path: join(pictures, "failed.png") }).catch(() => undefined);
  console.error(said.slice(-2_000));
  throw error;
} finally {
  await browser.close();
  server.kill();
  await new Promise((resolve) => server.once("exit", resolve));
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

// --------------------------------------------------------------------------------------------- the tests

async function drive(page) {
  const line = (text) => page.locator(".editor-instance .view-line", { hasText: text }).first();

  console.log("colours");
  await line("model Profile").waitFor();
  await command(page, "View: Close Primary Side Bar"); // it is not what this is about
  await page.locator(".part.sidebar").first().waitFor({ state: "hidden" });
  await until("words are coloured by what they are", async () => {
    const found = [
      await colour(page, "model Profile", "model"),
      await colour(page, "Embedding", "Embedding"),
      await colour(page, "Embedding", "50000"),
      await colour(page, "any length", "any"),
    ];
    return new Set(found).size === found.length;
  });

  console.log("an error under the very argument");
  await page.locator(".squiggly-error").first().waitFor();
  assert.equal(await page.locator(".squiggly-error").count(), 1);
  await page.waitForTimeout(1_000); // shapes move what stands right of them
  const squiggle = await page.locator(".squiggly-error").first().boundingBox();
  const word = await box(page, "activaton", "activaton");
  assert.ok(Math.abs(squiggle.x - word.x) < 3, JSON.stringify([squiggle, word]));
  assert.ok(Math.abs(squiggle.x + squiggle.width - word.x - word.width) < 3, JSON.stringify([squiggle, word]));
  assert.ok(Math.abs(squiggle.y + squiggle.height - word.y - word.height) < 8, JSON.stringify([squiggle, word]));

  await page.mouse.move(word.x + word.width / 2, word.y + word.height / 2);
  await page.locator(".monaco-hover", { hasText: "has no argument" }).first().waitFor();
  await page.waitForTimeout(600);
  await shoot(page, "error");

  console.log("a quick fix");
  await page.mouse.move(5, 400);
  await page.mouse.click(word.x + word.width / 2, word.y + word.height / 2);
  await page.mouse.move(5, 400);
  await page.locator(".monaco-hover:not(.hidden)", { hasText: "has no argument" }).first().waitFor({ state: "hidden" });
  await page.keyboard.press("Control+.");
  await page.locator(".action-widget", { hasText: "activation" }).first().waitFor();
  await page.waitForTimeout(500);
  await shoot(page, "fix");
  await page.keyboard.press("Enter");
  await until("the mistake is mended", async () => /activation=relu/.test(await line("MaxPooling1D").innerText()));
  await until("the squiggle is gone", async () => (await page.locator(".squiggly-error").count()) === 0);

  console.log("shapes beside the stages");
  const shown = async (text) => (await line(text).innerText()).replace(/\u00a0/g, " ");
  await until("a shape is shown", async () => /\[T, 256\]/.test(await shown("Embedding")));
  assert.match(await shown("MaxPooling1D"), /\[T - 4, 128\].*\[\(T - 4\)\/\/5, 128\]/);

  console.log("lenses");
  await until("the parameters are counted", async () =>
    /parameters/.test(await page.locator(".codelens-decoration").first().innerText()),
  );

  console.log("hover");
  const hover = page.locator(".monaco-hover:not(.hidden)", { hasText: "128" }).first();
  await until("the shape is shown", async () => {
    const value = await box(page, "output age", "features"); // lines move while lenses come and go
    await page.mouse.move(5, 400);
    await page.mouse.move(value.x + value.width / 2, value.y + value.height / 2, { steps: 4 });
    return hover.waitFor({ timeout: 3_000 }).then(() => true, () => false);
  });
  assert.match((await hover.innerText()).replace(/\u00a0/g, " "), /\[batch, 128\]|\[128\]/);
  await page.waitForTimeout(600);
  await shoot(page, "hover");
  await page.mouse.move(5, 5);
  await page.keyboard.press("Escape");

  console.log("the generated program");
  await line("any length").click();
  await command(page, "nndsl: Show Generated Code");
  const beside = page.locator(".editor-group-container").nth(1);
  const generated = beside.locator(".view-lines");
  await until("the program is shown", async () => /import torch/.test(await plain(generated)));
  await page.waitForTimeout(1_500);
  await shoot(page, "code");

  console.log("the program follows the text");
  await beside.locator(".tab", { hasText: "torch" }).first().click();
  await command(page, "nndsl: Switch between PyTorch and Keras");
  await until("the other program is shown", async () => /import (keras|tensorflow)|from keras/.test(await plain(generated)));
  await page.locator(".editor-group-container").nth(0).locator(".view-line", { hasText: "Dense(128" }).first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("x y z\n");
  await until("a mistake is told, above the program", async () => {
    const text = await plain(generated); // the page holds the lines in any order
    return text.includes("# line 1: ") && text.includes("# Below is") && text.includes("import keras");
  });
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Delete");
  await until("the program is back", async () => !/Below is/.test(await plain(generated)));

  console.log("the graph");
  await page.keyboard.press("Control+s");
  await page.locator(".tab.dirty").first().waitFor({ state: "hidden" });
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+w"); // all editors closed
  await page.waitForTimeout(500);
  await page.keyboard.press("Control+p");
  await page.keyboard.type("profile.nn");
  await page.waitForTimeout(800);
  await page.keyboard.press("Enter");
  await line("model Profile").waitFor();
  await command(page, "nndsl: Show Graph");
  const graph = await until("the graph is drawn", async () => {
    for (const frame of page.frames()) {
      const found = await frame.evaluate(() => {
        const image = document.getElementById("graph");
        return image && image.naturalWidth > 0 ? { src: image.src.slice(0, 26), wide: image.naturalWidth } : null;
      }).catch(() => null);
      if (found) return found;
    }
    return null;
  });
  assert.equal(graph.src, "data:image/svg+xml;base64,");
  assert.ok(graph.wide > 50);
  await page.waitForTimeout(1_500);
  await shoot(page, "graph");

  console.log("no program, and one without its packages");
  rmSync(started);
  await command(page, "nndsl: Restart Language Server");
  await notified(page, "No nndsl program was found");
  script(`echo "  = help: install it with 'pip install nndsl[lsp]'" >&2; exit 2`);
  await command(page, "nndsl: Restart Language Server");
  await notified(page, "needs the package pygls");
  script(`exec '${program}' "$@"`);
  await command(page, "nndsl: Restart Language Server");
  // The arrow: the generated program has a `Dense(128` too.
  await page.locator(".editor-instance .view-line", { hasText: /->\s*Dense\(128/ }).first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("x y z");
  await page.locator(".squiggly-error").first().waitFor(); // it serves again
  console.log("all is well");
}

// --------------------------------------------------------------------------------------------- helpers

async function until(what, look) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function notified(page, text) {
  const toast = page.locator(".notification-toast", { hasText: text }).first();
  await toast.waitFor();
  await toast.getByText("Copy Install Command").waitFor();
  await command(page, "Notifications: Clear All Notifications"); // no more than three are shown at a time
}

async function plain(lines) {
  return (await lines.innerText()).replace(/\u00a0/g, " ").replace(/\s+/g, " ");
}

async function command(page, title) {
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input").first();
  await input.waitFor();
  await input.fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title.split(": ")[1] }).first().waitFor();
  await page.keyboard.press("Enter");
}

/** Where a word stands on the screen, in the first line that holds `text`; the part of the page with its colour. */
function place([text, word]) {
  for (const line of document.querySelectorAll(".view-line")) {
    const content = line.textContent.replace(/\u00a0/g, " ");
    if (!content.includes(text)) continue;
    let at = content.indexOf(word);
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let left = word.length;
    let color = null;
    for (let node = walker.nextNode(); node && left > 0; node = walker.nextNode()) {
      if (at >= node.length) {
        at -= node.length;
        continue;
      }
      if (left === word.length) {
        range.setStart(node, at);
        color = getComputedStyle(node.parentElement).color;
      }
      const end = Math.min(node.length, at + left);
      range.setEnd(node, end);
      left -= end - at;
      at = 0;
    }
    const { x, y, width, height } = range.getBoundingClientRect();
    return { x, y, width, height, color };
  }
  return null;
}

async function box(page, text, word) {
  return until(`${word} is on the screen`, () => page.evaluate(place, [text, word]));
}

async function colour(page, text, word) {
  return (await box(page, text, word)).color;
}

async function shoot(page, name) {
  const path = join(pictures, `editors-vscode-${name}.png`);
  await page.screenshot({ path });
  assert.ok(readFileSync(path).length > 5_000);
}
