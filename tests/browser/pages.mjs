// Pages to look at: made by the program from captures of this project, and one of a hundred
// thousand sites made here.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The program: the one named by HEAPDIFF, else the newest build at hand. */
export function heapdiff(...args) {
  return execFileSync(program(), args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
}

function program() {
  const built = [process.env.HEAPDIFF, join(root, "target/release/heapdiff"), join(root, "target/debug/heapdiff")];
  const program = built.find((p) => p && existsSync(p));
  if (!program) throw new Error("build heapdiff first: cargo build --release");
  return program;
}

export const folder = mkdtempSync(join(tmpdir(), "heapdiff-pages-"));

/** A page of `heapdiff compare`, as a file. */
export function compared(name, ...args) {
  const path = join(folder, name + ".html");
  heapdiff("compare", ...args, "-o", path);
  return path;
}

/** A picture of `heapdiff compare`, as a file. */
export function drawn(name, ...args) {
  const path = join(folder, name + ".svg");
  heapdiff("compare", ...args, "--flame", "churn", "-o", path);
  return path;
}

/** What `heapdiff gate` says: its page, its document and its exit status. */
export function judged(name, args) {
  const page = join(folder, name + "-gate.html"), json = join(folder, name + "-gate.json");
  const run = spawnSync(program(), ["gate", ...args, "-o", page, "-o", json], { cwd: root, encoding: "utf8" });
  if (run.status === null || run.status === 2) throw new Error(run.stderr);
  return { page, json, status: run.status };
}

/** Two folded captures of `count` sites of which every third grew. */
export function many(count) {
  const lines = [[], []];
  for (let i = 0; i < count; i++) {
    const stack = `main;service_${i % 7};handler_${i % 997};step_${i % 31};site_${i}`;
    lines[0].push(`${stack} ${1000 + i}`);
    lines[1].push(`${stack} ${1000 + i + (i % 3 === 0 ? 64 + (i % 4096) : 0)}`);
  }
  return lines.map((text, k) => {
    const path = join(folder, `many-${k}.folded`);
    writeFileSync(path, text.join("\n") + "\n");
    return path;
  });
}

/** A folded capture of these lines. */
export function folded(name, text) {
  const path = join(folder, name + ".folded");
  writeFileSync(path, text);
  return path;
}

/** Chromium from the machine's packages, without a network. */
export function browser() {
  const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = places.find((p) => p && existsSync(p));
  if (!executablePath) throw new Error("install chromium, or name it in CHROMIUM");
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Opens a file with the network off; collects what the console says and what was asked for. */
export async function open(chrome, path, { hash = "", scripts = true, ...more } = {}) {
  const context = await chrome.newContext({ offline: true, javaScriptEnabled: scripts, acceptDownloads: true, viewport: { width: 1280, height: 900 }, ...more });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && said.push(m.text()));
  page.on("pageerror", (e) => said.push(String(e)));
  page.on("request", (r) => asked.push(r.url()));
  await page.goto("file://" + path + hash);
  return { page, said, asked, close: () => context.close() };
}
