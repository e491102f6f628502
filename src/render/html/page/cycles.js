// @ts-check
// Retention cycles as pictures: a closed path with the names of its references, the one to cut, and
// how many there were in each capture. What they say in words stands in the page already.
import { svg } from "./dom.js";
import { shorten } from "./format.js";
import { plot } from "./plot.js";

/** Steps that are drawn; a longer path is a list alone. */
const MOST = 12;
const BOX = 26, GAP = 32, LEFT = 46, LETTER = 7.3, ROOM = 36;

/**
 * A closed path, from above to below and back along the left.
 * @param {any[]} path steps with `type`, `edge` to the next step and `name`
 * @param {any[]} cut references to cut, with `from`, `edge`, `to`
 */
export function ring(path, cut) {
  const n = path.length;
  const names = path.map((step) => shorten(step.name || step.type || "", ROOM));
  const isCut = path.map((step, k) => cut.some((c) => c.from === step.type && c.edge === step.edge && c.to === path[(k + 1) % n].type));
  const edges = path.map((step, k) => (isCut[k] ? "cut: " : "") + shorten(step.edge || "", ROOM));
  const wide = names.map((t) => t.length * LETTER + 18);
  const W = LEFT + Math.max(...wide, ...edges.map((t) => t.length * LETTER + 40)) + 4, H = n * (BOX + GAP) + 4;
  const top = (/** @type {number} */ k) => 2 + k * (BOX + GAP);
  const parts = [];
  path.forEach((_, k) => {
    const x = LEFT + 22, y = top(k) + BOX, first = top(0) + BOX / 2;
    const back = k === n - 1;
    const d = back
      ? `M${x} ${y}V${y + 12}Q${x} ${y + 18} ${x - 6} ${y + 18}H18Q10 ${y + 18} 10 ${y + 10}V${first + 8}Q10 ${first} 18 ${first}H${LEFT - 9}`
      : `M${x} ${y}V${y + GAP - 9}`;
    const tip = back ? `M${LEFT - 1} ${first}l-9 -5v10z` : `M${x} ${y + GAP - 1}l-5 -9h10z`;
    const word = isCut[k] ? " cut" : "";
    parts.push(svg("path", { class: "edge" + word, d }), svg("path", { class: "tip" + word, d: tip }));
    parts.push(svg("text", { class: "edge-name" + word, x: x + 12, y: y + (back ? 22 : GAP / 2 + 4) }, edges[k]));
  });
  names.forEach((text, k) => {
    const box = svg("rect", { class: "object", x: LEFT, y: top(k), width: wide[k], height: BOX, rx: 5 });
    box.append(svg("title", {}, path[k].type || ""));
    parts.push(box, svg("text", { class: "object-name", x: LEFT + 9, y: top(k) + 17 }, text));
  });
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, class: "ring", role: "img", "aria-label": "closed path: " + path.map((s) => `${s.name || s.type}${s.edge}`).join(" -> ") }, ...parts);
}

/** Draws every cycle where the page has a place for it. @param {any} view */
export function cycles(view) {
  view.cycles.forEach((/** @type {any} */ cycle, /** @type {number} */ k) => {
    const place = document.querySelector(`[data-cycle="${k}"]`);
    if (!place) return;
    if (cycle.path.length > 0 && cycle.path.length <= MOST) place.append(ring(cycle.path, cycle.cut || []));
    if (cycle.occurrences.length > 1) place.append(plot({ series: cycle.occurrences, x: view.runs, unit: "count", labels: view.labels, base: view.base || 0, slope: null, per: view.per, title: "how many" }));
  });
}
