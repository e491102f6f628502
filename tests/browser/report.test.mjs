// The report in a real browser, from disk and with the network off.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { browser, compared, drawn, folded, folder, heapdiff, judged, many, open } from "./pages.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const F = "profiles/log-forwarder/dhat";
const series = ["50", "200", "800"].map((n) => `${F}/faulty/runs-${n.padStart(3, "0")}-conns-20.json@${n}`);
let chrome, leak, sides;

before(async () => {
  chrome = await browser();
  leak = compared("leak", ...series);
  sides = compared("sides", "--base", `${F}/faulty/runs-800-conns-20.json@800`, `${F}/cured/runs-800-conns-20.json@800`);
});
after(() => chrome?.close());

const document = (path) => {
  const packed = /<script type="text\/plain" id="document">([^<]*)<\/script>/.exec(readFileSync(path, "utf8"))[1];
  return packed;
};

test("it opens from disk without a request, an error or a warning", async () => {
  for (const path of [leak, sides]) {
    const { page, said, asked, close } = await open(chrome, path);
    for (const tab of await page.getByRole("tab").all()) await tab.click();
    assert.deepEqual(said, []);
    assert.equal(asked.length, 1);
    await close();
  }
});

test("without scripts the verdict, the totals and the first sites are there", async () => {
  const { page, close } = await open(chrome, leak, { scripts: false });
  const text = await page.innerText("body");
  assert.match(text, /LEAK/);
  assert.match(text, /Totals/);
  assert.match(text, /sbuffer_write/);
  assert.match(text, /live_blocks/);
  assert.ok(await page.isVisible("#growth-static table"));
  await close();
});

test("a site is found by search, and the table is sorted by a click", async () => {
  const { page, close } = await open(chrome, leak, { hash: "#page=growth" });
  await page.fill("#site-search", "http_header");
  const rows = page.locator(".rows .row");
  assert.ok((await rows.count()) >= 1);
  for (const row of await rows.all()) assert.match(await row.innerText(), /http_header/);
  await page.fill("#site-search", "");
  await page.click('.head [data-key="after"] button');
  const largest = await rows.first().innerText();
  await page.click('.head [data-key="after"] button');
  assert.notEqual(await rows.first().innerText(), largest);
  assert.equal(await page.getAttribute('.head [data-key="after"]', "aria-sort"), "ascending");
  await close();
});

test("a deep link opens its site, and the row is highlighted", async () => {
  const doc = JSON.parse(heapdiff("compare", ...series, "--format", "json"));
  const wanted = doc.sites.find((s) => s.growth === "steady-growth");
  const { page, close } = await open(chrome, leak, { hash: "#site=" + encodeURIComponent(wanted.id) });
  assert.match(await page.innerText(".detail"), new RegExp(wanted.id.replace("#", "\\#")));
  assert.equal(await page.locator(".rows .row.held").count(), 1);
  assert.match(await page.innerText(".detail .stack"), new RegExp(wanted.frames.at(-1).function));
  // The same link in the report of another run of the same captures.
  const again = compared("again", ...series.slice(0, 2));
  await page.goto("file://" + again + "#site=" + encodeURIComponent(wanted.id));
  assert.match(await page.innerText(".detail"), new RegExp(wanted.id.replace("#", "\\#")));
  await close();
});

test("width, zoom, theme and pages by keyboard alone", async () => {
  const { page, close } = await open(chrome, leak);
  await page.keyboard.press("2");
  assert.equal(await page.getAttribute("#tab-growth", "aria-selected"), "true");
  await page.keyboard.press("f");
  const held = () => page.innerText("#flame-held");
  const whole = await held();
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
  assert.notEqual(await held(), whole);
  await page.keyboard.press("Enter");
  await page.keyboard.press("w");
  assert.equal(await page.inputValue("#flame-mode"), "after");
  await page.keyboard.press("Escape");
  assert.equal(await held(), whole);
  await page.keyboard.press("t");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".detail");
  const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.keyboard.press("d");
  await page.keyboard.press("d");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), before);
  await page.keyboard.press("?");
  assert.ok(await page.isVisible("dialog[open]"));
  await page.keyboard.press("Escape");
  await page.keyboard.press("1");
  assert.equal(await page.getAttribute("#tab-summary", "aria-selected"), "true");
  await close();
});

test("a finding is accepted with a reason, as a block for heapdiff.toml", async () => {
  const { page, close } = await open(chrome, leak);
  await page.locator(".finding button.accept").first().click();
  assert.ok(await page.isDisabled("#accept-copy"));
  await page.fill("#accept-reason", 'regex "cache" warm-up');
  await page.fill("#accept-expires", "2027-03-01");
  await page.fill("#accept-owner", "ingest");
  const block = await page.innerText("#accept-block");
  assert.match(block, /^\[\[suppress\]\]\nrule = "HD\d{3}"/);
  assert.match(block, /reason = "regex \\"cache\\" warm-up"/);
  assert.match(block, /expires = 2027-03-01/);
  await page.click("#accept-copy");
  await page.waitForSelector("dialog", { state: "detached" });
  await close();
});

test("the numbers are those of the document, which can be downloaded", async () => {
  const { page, close } = await open(chrome, leak, { hash: "#page=growth" });
  const waiting = page.waitForEvent("download");
  await page.click("#download");
  const saved = readFileSync(await (await waiting).path(), "utf8");
  const doc = JSON.parse(heapdiff("compare", ...series, "--format", "json"));
  assert.deepEqual(JSON.parse(saved), doc);
  const view = JSON.parse(await page.textContent("#view"));
  assert.deepEqual(view.sites.id, doc.sites.map((s) => s.id));
  assert.deepEqual(view.sites.after, doc.sites.map((s) => s.after.live_bytes));
  const own = view.flame.own.map((o) => o.at(-1) ?? 0).reduce((a, b) => a + b, 0);
  assert.equal(own, doc.totals.after.live_bytes);
  await close();
});

test("names from profiles are text, whatever they hold", async () => {
  const evil = '</script><img src=x onerror=alert(1)>';
  const a = folded("evil-a", `main;${evil} 10\nmain;\u202Etxt.exe 5\nmain;${"x".repeat(10000)} 7\n`);
  const b = folded("evil-b", `main;${evil} 30\nmain;\u202Etxt.exe 9\nmain;${"x".repeat(10000)} 9\n`);
  const path = compared("evil", a, b);
  const { page, said, asked, close } = await open(chrome, path, { hash: "#page=growth" });
  assert.deepEqual(said, []);
  assert.equal(asked.length, 1);
  assert.equal(await page.locator("img").count(), 0);
  assert.ok(!(await page.content()).includes("\u202E"));
  assert.match(await page.innerText(".rows"), /onerror/);
  await close();
});

test("no serious barrier for people who cannot see or point", async () => {
  for (const [path, hash] of [[leak, ""], [leak, "#page=growth"], [sides, "#page=matching"], [sides, "#page=inputs"]]) {
    for (const colorScheme of ["light", "dark"]) {
      const { page, close } = await open(chrome, path, { hash, colorScheme, bypassCSP: true });
      await page.evaluate(axe);
      const found = await page.evaluate(() => globalThis.axe.run());
      const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
      const words = serious.map((v) => `${hash} ${colorScheme} ${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" | ")}`);
      assert.deepEqual(words, []);
      await close();
    }
  }
});

test("a hundred thousand sites: few elements, and no long task", async () => {
  const path = compared("many", ...many(100_000), "--limit", "0");
  const { page, said, close } = await open(chrome, path, { hash: "#page=growth" });
  await page.waitForSelector(".rows .row");
  assert.match(await page.innerText("#site-count"), /^100,000 of 100,000/);
  // A loop of the size of one look at every row tells how fast this machine is just now.
  const [calibration, longest, most] = await page.evaluate(async () => {
    const loop = () => {
      const from = performance.now();
      let text = 0;
      for (let round = 0; round < 20; round++) for (let i = 0; i < 100_000; i++) text += ("handler_" + (i ^ round)).indexOf("99");
      return text === 0.5 ? 0 : performance.now() - from;
    };
    const calibration = Math.max(loop(), loop());
    let longest = 0, most = 0;
    const scroll = document.querySelector(".sites-scroll");
    for (let k = 0; k < 40; k++) {
      const from = performance.now();
      scroll.scrollTop = (scroll.scrollHeight / 40) * k;
      scroll.dispatchEvent(new Event("scroll"));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      longest = Math.max(longest, performance.now() - from - 34);
      most = Math.max(most, document.querySelectorAll("*").length);
    }
    const from = performance.now();
    document.querySelector('.head [data-key="site"] button').click();
    longest = Math.max(longest, performance.now() - from);
    return [calibration, longest, most];
  });
  assert.ok(most <= 2000, `${most} elements`);
  assert.ok(longest <= 4 * calibration, `${longest} ms against ${calibration} ms`);
  assert.deepEqual(said, []);
  await close();
});

test("a page stays small where nobody asked for all sites", () => {
  const path = compared("small", ...many(60_000));
  assert.ok(statSync(path).size < 5e6, `${statSync(path).size} bytes`);
  assert.ok(document(path).length > 1000);
});

test("what was accepted in a report, the gate accepts", async () => {
  const config = (name, block) => {
    const path = folder + "/" + name + ".toml";
    writeFileSync(path, block + "\n");
    return path;
  };
  const graphs = ["10", "20", "40"].map((n) => `profiles/rules-engine/off-${n}.hdg.zst`);
  for (const [name, captures] of [["sites", series], ["cycles", graphs]]) {
    const path = judged(name, [...captures]);
    assert.equal(path.status, 1);
    const { page, close } = await open(chrome, path.page);
    const blocks = [];
    const count = await page.locator(".finding button.accept").count();
    for (let k = 0; k < count; k++) {
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
      await page.locator(".finding button.accept").nth(k).click();
      await page.fill("#accept-reason", "known, being worked on");
      await page.fill("#accept-expires", "2027-03-01");
      blocks.push(await page.innerText("#accept-block"));
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog", { state: "detached" });
    }
    await close();
    const after = judged(name + "-accepted", [...captures, "--config", config(name, blocks.join("\n\n")), "--as-of", "2027-01-01"]);
    const doc = JSON.parse(readFileSync(after.json, "utf8"));
    assert.ok(doc.gate.suppressed.length >= 1, name);
    assert.equal(after.status, 0, JSON.stringify(doc.gate.reasons));
    const again = await open(chrome, after.page, { hash: "#page=gate" });
    assert.match(await again.page.innerText("#page-gate"), /known, being worked on/);
    await again.close();
  }
});

test("a picture of a hundred thousand frames is pruned with its sum, and zooms and searches", async () => {
  const path = drawn("many", ...many(100_000));
  assert.ok(statSync(path).size < 2e6, `${statSync(path).size} bytes`);
  const { page, said, close } = await open(chrome, path);
  const text = await page.textContent("svg");
  assert.match(text, /frames below a thousandth are summed up/);
  assert.ok((await page.locator("#frames > g").count()) <= 10_000);
  const data = JSON.parse(await page.evaluate(() => document.getElementById("data").textContent));
  const sum = (k) => data.reduce((n, d) => n + d[k], 0);
  let before = 0, after = 0;
  for (let i = 0; i < 100_000; i++) {
    before += 1000 + i;
    after += 1000 + i + (i % 3 === 0 ? 64 + (i % 4096) : 0);
  }
  assert.equal(sum(1), before);
  assert.equal(sum(2), after);
  // Zoomed, the callers above stay at full width; what is found is marked; Escape leads back.
  const widths = () => page.locator("#frames > g:not([display])").count();
  await page.keyboard.press("Escape");
  const all = await widths();
  const inner = page.locator("#frames > g", { hasText: /service_3/ }).first();
  await inner.locator("rect").first().dispatchEvent("click");
  assert.ok((await widths()) < all);
  assert.ok((await page.locator("#frames > g.above").count()) >= 1);
  await page.keyboard.press("Escape");
  assert.equal(await widths(), all);
  page.once("dialog", (d) => d.accept("service_3"));
  await page.keyboard.press("/");
  assert.ok((await page.locator("#frames > g.found").count()) >= 1);
  await page.keyboard.press("w");
  assert.match(await page.textContent("#mode"), /after/);
  assert.deepEqual(said, []);
  await close();
});
