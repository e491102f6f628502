// The tree of before and after, without a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { root } from "./pages.mjs";

const source = readFileSync(root + "src/render/html/page/tree.js", "utf8");
const { between, inverted, callees, callers, totals, layout, tone, MODES } = await import("data:text/javascript," + encodeURIComponent(source));

/** `a;b 1 5` lines as the page's data. */
function data(lines) {
  const flame = { names: ["all"], parent: [-1], name: [0], own: [[]], loud: [0], rest: [], ends: [0, 1], captures: 2 };
  const at = new Map([["", 0]]);
  for (const line of lines) {
    const [stack, ...values] = line.split(" ");
    let path = "";
    for (const frame of stack.split(";")) {
      const up = at.get(path);
      path += ";" + frame;
      if (!at.has(path)) {
        let name = flame.names.indexOf(frame);
        if (name < 0) name = flame.names.push(frame) - 1;
        at.set(path, flame.parent.push(up) - 1);
        flame.name.push(name);
        flame.own.push([]);
        flame.loud.push(0);
      }
    }
    flame.own[at.get(path)] = values.map(Number);
    flame.loud[at.get(path)] = values[0] === values[1] ? 0 : 1;
  }
  return flame;
}

const sums = (t) => ["before", "after", "up", "down"].map((k) => totals(t)[k][0]);
const node = (t, name) => t.name.findIndex((n) => t.names[n] === name);

test("ancestors carry the difference, and what vanished stands beside what is new", () => {
  const t = between(data(["base_only 50 0", "both1 25 25", "both2 25 50", "new 0 125"]), 1);
  const total = totals(t);
  assert.deepEqual(sums(t), [100, 200, 150, 50]);
  assert.equal(tone({ ...pick(total, node(t, "base_only")) }), "gone");
  assert.equal(tone({ ...pick(total, node(t, "new")) }), "new");
  assert.equal(tone({ ...pick(total, node(t, "both2")) }), "grew");
  assert.equal(tone({ ...pick(total, node(t, "both1")) }), "quiet");
  const placed = layout(t, { mode: "churn", byGrowth: false, root: 0, least: 0 });
  const width = (name) => placed.find((b) => b.node === node(t, name))?.width ?? 0;
  assert.equal(width("base_only"), 0.25);
  assert.equal(width("new"), 0.625);
  assert.equal(width("both1"), 0);
});

const pick = (total, i) => ({ before: total.before[i], after: total.after[i], up: total.up[i], down: total.down[i], loud: total.loud[i] });

test("every view holds the same sums", () => {
  const t = between(data(["main;f;f;g 1 4", "main;g 8 2", "main;f;h;f 5 5", "x;g 0 3"]), 1);
  const whole = sums(t);
  assert.deepEqual(sums(inverted(t)), whole);
  const f = t.names.indexOf("f");
  assert.deepEqual(sums(callees(t, f)), [6, 9, 3, 0]);
  assert.deepEqual(sums(callers(t, f)), [6, 9, 3, 0]);
});

test("children stay inside their parents and add up, in every width and order", () => {
  const t = between(data(["a;b;c 1 9", "a;b 4 1", "a;d 7 7", "e 3 0", "a 2 3", "e;f;g 10 30"]), 1);
  for (const tree of [t, inverted(t)]) for (const mode of MODES) for (const byGrowth of [false, true]) {
    const boxes = layout(tree, { mode, byGrowth, root: 0, least: 0 });
    const at = new Map(boxes.map((b) => [b.node, b]));
    for (const b of boxes) {
      const inside = boxes.filter((c) => tree.parent[c.node] === b.node && c.node !== b.node);
      const sum = inside.reduce((n, c) => n + c.width, 0);
      assert.ok(sum <= b.width + 1e-9);
      for (const c of inside) assert.ok(c.left >= b.left - 1e-9 && c.left + c.width <= b.left + b.width + 1e-9);
      assert.ok(b.node === 0 || at.has(tree.parent[b.node]));
    }
  }
});

test("what was recorded at another time has an axis of its own", async () => {
  const source = readFileSync(root + "src/render/html/page/span.js", "utf8");
  const { together } = await import("data:text/javascript," + encodeURIComponent(source));
  assert.deepEqual(together([[900, 900], [0, 50], [40, 60], [10, 20]]), [0, 60]);
  assert.deepEqual(together([]), [0, 1]);
});
