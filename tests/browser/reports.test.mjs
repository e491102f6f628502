// Every finished report, as a reviewer opens it: from disk, with the network off.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { browser, open, root } from "./pages.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = root + "reports/";
const reports = readdirSync(folder).filter((f) => f.endsWith(".html"));
const pictures = readdirSync(folder).filter((f) => f.endsWith(".svg"));
let chrome;

before(async () => { chrome = await browser(); });
after(() => chrome?.close());

test("there are reports, and none is too large for an e-mail", () => {
  assert.ok(reports.length >= 4 && pictures.length >= 4);
  for (const f of [...reports, ...pictures]) assert.ok(statSync(folder + f).size <= 500_000, f);
});

for (const name of reports) {
  test(`${name}: every page without a request, an error or a barrier`, async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, said, asked, close } = await open(chrome, folder + name, { colorScheme, bypassCSP: true });
      await page.evaluate(axe);
      const count = await page.getByRole("tab").count();
      assert.ok(count >= 3);
      for (let k = 0; k < count; k++) {
        await page.keyboard.press(String(k + 1));
        await page.waitForTimeout(50);
        const found = await page.evaluate(() => globalThis.axe.run());
        const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
        assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" | ")}`), [], `page ${k + 1}, ${colorScheme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 1, `page ${k + 1} is ${wide} pixels too wide`);
      }
      assert.deepEqual(said, []);
      assert.equal(asked.length, 1);
      await close();
    }
  });

  test(`${name}: on a narrow screen nothing is lost`, async () => {
    const { page, close } = await open(chrome, folder + name, { viewport: { width: 400, height: 800 } });
    const count = await page.getByRole("tab").count();
    for (let k = 0; k < count; k++) {
      await page.keyboard.press(String(k + 1));
      await page.waitForTimeout(50);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 1, `page ${k + 1} is ${wide} pixels too wide`);
    }
    await close();
  });

  test(`${name}: without scripts it is read from top to bottom`, async () => {
    const { page, close } = await open(chrome, folder + name, { scripts: false });
    const text = await page.innerText("body");
    for (const word of [/Summary/, /Totals/, /Inputs/, /SHA-256/]) assert.match(text, word);
    assert.ok(await page.isVisible("#page-inputs"));
    await close();
  });

  test(`${name}: numbers are those of the document`, async () => {
    const { page, close } = await open(chrome, folder + name);
    const waiting = page.waitForEvent("download");
    await page.click("#download");
    const doc = JSON.parse(readFileSync(await (await waiting).path(), "utf8"));
    const view = JSON.parse(await page.textContent("#view"));
    assert.deepEqual(view.findings.map((f) => f.id), doc.findings.map((f) => f.id));
    assert.equal(await page.locator("article.finding").count(), doc.findings.length);
    if (doc.kind === "object-graph") {
      assert.deepEqual(view.cycles.map((c) => c.occurrences), doc.cycles.map((c) => c.occurrences));
      const kept = doc.dominators.filter((d) => d.parent === null).reduce((sum, d) => sum + d.retained_bytes, 0);
      assert.equal(kept, doc.totals.after.shallow_bytes);
      assert.deepEqual(view.dominators.retained, doc.dominators.map((d) => d.retained_bytes));
    }
    await close();
  });
}

for (const name of pictures) {
  test(`${name}: the picture alone opens, zooms and searches`, async () => {
    const { page, said, asked, close } = await open(chrome, folder + name);
    const frames = page.locator("#frames > g");
    assert.ok((await frames.count()) >= 3);
    const shown = () => page.locator("#frames > g:not([display])").count();
    await page.keyboard.press("Escape");
    const all = await shown();
    await page.locator("#frames > g:not([display])").last().locator("rect").first().dispatchEvent("click");
    assert.ok((await page.locator("#frames > g.above").count()) >= 1);
    await page.keyboard.press("Escape");
    assert.equal(await shown(), all);
    page.once("dialog", (d) => d.accept("a"));
    await page.keyboard.press("/");
    assert.ok((await page.locator("#frames > g.found").count()) >= 1);
    assert.deepEqual(said, []);
    assert.equal(asked.length, 1);
    await close();
  });
}

test("a cycle is a closed path with the names of its references and the one to cut", async () => {
  const { page, close } = await open(chrome, folder + "rules-engine.html", { hash: "#page=cycles" });
  const ring = page.locator(".ring").first();
  const text = await ring.textContent();
  for (const word of ["Broker", ".exceptions", "cut: .__traceback__", ".tb_frame", ".local:self"]) assert.ok(text.includes(word), word);
  const boxes = await ring.locator("rect.object").count();
  assert.equal(await ring.locator("path.edge").count(), boxes);
  assert.equal(await ring.locator("path.edge.cut").count(), 1);
  assert.match(await page.locator(".cycle dl").first().innerText(), /10 @10 -> 20 @20 -> 40 @40/);
  assert.match(await page.getAttribute(".cycle .plot", "aria-label"), /@40 40/);
  await close();
});

test("the dominators are walked by keyboard, and each level holds all of it", async () => {
  const { page, close } = await open(chrome, folder + "rules-engine.html", { hash: "#page=types" });
  const view = JSON.parse(await page.textContent("#view")).dominators;
  const total = view.retained.reduce((sum, n, i) => (view.parent[i] === null ? sum + n : sum), 0);
  const area = () => page.evaluate(() => {
    const map = document.querySelector(".treemap").viewBox.baseVal;
    let sum = 0;
    for (const r of document.querySelectorAll(".treemap g:not(.inner) > rect")) sum += (r.width.baseVal.value + 1.5) * (r.height.baseVal.value + 1.5);
    return sum / (map.width * map.height);
  });
  assert.ok(total > 0);
  assert.ok(Math.abs((await area()) - 1) < 0.02);
  await page.locator(".treemap .down").first().focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".crumbs button").count(), 2);
  assert.ok(Math.abs((await area()) - 1) < 0.02);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".crumbs button").count(), 1);
  await page.keyboard.press("/");
  await page.keyboard.type("main__.Broker");
  assert.match(await page.innerText("#type-count"), /^[12] of/);
  await close();
});

test("the timeline shows levels, episodes between thresholds, restarts, requests and the dated list", async () => {
  const { page, close } = await open(chrome, folder + "web-application.html", { hash: "#page=timeline" });
  await page.waitForSelector(".curve");
  const first = page.locator("article.series").first();
  assert.match(await first.innerText(), /reports/);
  assert.match(await first.locator(".curve").getAttribute("aria-label"), /episode.*restart/);
  assert.ok((await first.locator(".restart").count()) >= 1);
  const words = await first.locator(".curve").textContent();
  for (const word of ["warning", "critical", "emergency", "MB/h"]) assert.ok(words.includes(word), word);
  assert.match(await page.innerText("ol.incident"), /restarts/);
  assert.match(await page.innerText("#page-timeline"), /export\/?\s+coincides/);
  await close();
});
