// @ts-check
// Who holds the memory: the dominator tree as a map that can be walked. Squares as near to squares
// as the sizes allow (squarified layout, Bruls, Huizing and van Wijk 2000).
import { el, svg, announce } from "./dom.js";
import { bytes, shorten } from "./format.js";

const W = 1000, H = 460;

/**
 * Rectangles for sizes, largest first.
 * @param {number[]} sizes descending, positive
 * @param {number} x @param {number} y @param {number} w @param {number} h
 * @returns {[number, number, number, number][]}
 */
export function squares(sizes, x, y, w, h) {
  /** @type {[number, number, number, number][]} */
  const out = [];
  const whole = sizes.reduce((a, b) => a + b, 0);
  if (!(whole > 0)) return out;
  const scale = (w * h) / whole;
  let i = 0;
  while (i < sizes.length) {
    const side = Math.min(w, h);
    let sum = 0, worst = Infinity, end = i;
    while (end < sizes.length) {
      const next = sum + sizes[end] * scale;
      const ratio = Math.max((side * side * sizes[i] * scale) / (next * next), (next * next) / (side * side * sizes[end] * scale));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      end += 1;
    }
    const thick = side > 0 ? sum / side : 0;
    let along = 0;
    for (let k = i; k < end; k++) {
      const length = thick > 0 ? (sizes[k] * scale) / thick : 0;
      out.push(w >= h ? [x, y + along, thick, length] : [x + along, y, length, thick]);
      along += length;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    i = end;
  }
  return out;
}

/**
 * @param {{label: string[], parent: number[], retained: number[], delta: (number|null)[]}} tree parents before children; node 0 is all
 */
export function treemap(tree) {
  /** @type {number[][]} */
  const children = tree.label.map(() => []);
  for (let i = 1; i < tree.label.length; i++) children[tree.parent[i]].push(i);
  for (const list of children) list.sort((a, b) => tree.retained[b] - tree.retained[a] || a - b);
  const crumbs = el("p", { class: "controls", "aria-label": "where in the tree" });
  const place = el("div", {});
  let at = 0;
  function draw() {
    const path = [];
    for (let i = at; ; i = tree.parent[i]) { path.unshift(i); if (i === 0) break; }
    crumbs.replaceChildren(...path.map((i) => el("button", { disabled: i === at, onclick: () => go(i) }, `${shorten(tree.label[i], 40)} ${bytes(tree.retained[i])}`)));
    const list = children[at].filter((i) => tree.retained[i] > 0).slice(0, 200);
    const inside = list.reduce((n, i) => n + tree.retained[i], 0);
    const own = Math.max(0, tree.retained[at] - inside);
    const sizes = list.map((i) => tree.retained[i]);
    const labels = list.map((i) => tree.label[i]);
    if (own > 0) {
      const k = sizes.findIndex((s) => s < own);
      const to = k < 0 ? sizes.length : k;
      sizes.splice(to, 0, own);
      labels.splice(to, 0, children[at].length ? "itself and smaller" : "itself");
      list.splice(to, 0, -1);
    }
    const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "treemap", role: "group", "aria-label": "what " + tree.label[at] + " holds" });
    squares(sizes, 0, 0, W, H).forEach(([x, y, w, h], k) => {
      const i = list[k], down = i >= 0 && children[i].length > 0;
      const text = `${labels[k]} ${bytes(sizes[k])}`;
      const cell = svg("g", { class: "cell" + (down ? " down" : ""), ...(down ? { tabindex: 0, role: "button", "aria-label": text } : {}) },
        svg("title", {}, text), svg("rect", { class: i < 0 ? "own" : "held", x, y, width: Math.max(0, w - 1.5), height: Math.max(0, h - 1.5) }));
      const room = Math.floor((w - 8) / 7);
      if (room > 3 && h > 16) cell.append(svg("text", { x: x + 5, y: y + 14 }, shorten(labels[k], room)));
      if (room > 6 && h > 32) cell.append(svg("text", { x: x + 5, y: y + 29, class: "size" }, shorten(bytes(sizes[k]), room)));
      if (down) {
        cell.addEventListener("click", () => go(i));
        cell.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => { if (e.key === "Enter" || e.key === " ") { go(i); e.preventDefault(); } });
      }
      picture.append(cell);
    });
    place.replaceChildren(picture);
  }
  /** @param {number} i */
  function go(i) {
    at = i;
    draw();
    announce(`${tree.label[i]} holds ${bytes(tree.retained[i])}`);
  }
  draw();
  return el("section", { "aria-label": "Dominators" }, crumbs, place);
}
