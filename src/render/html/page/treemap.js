// @ts-check
// Who holds the memory: the dominator tree as a map that can be walked. Squares as near to squares
// as the sizes allow (squarified layout, Bruls, Huizing and van Wijk 2000).
import { el, svg, announce } from "./dom.js";
import { bytes, grouped, shorten } from "./format.js";

const H = 420;
/** Boxes of one level; the others are one box. */
const MOST = 200;

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
 * @param {any} d the page's columns: parents before children; entries without a parent stand at the top
 */
export function treemap(d) {
  // Position 0 is everything.
  const n = d.label.length + 1;
  const parent = [-1, ...d.parent.map((/** @type {number|null} */ p) => (p === null ? 0 : p + 1))];
  const top = (/** @type {number[]} */ of) => of.reduce((sum, v, i) => (parent[i + 1] === 0 ? sum + v : sum), 0);
  const retained = [top(d.retained), ...d.retained], shallow = [0, ...d.shallow], rest = [0, ...d.rest];
  const label = ["all objects", ...d.label], edge = ["", ...d.edge];
  /** @type {number[][]} */
  const children = retained.map(() => []);
  for (let i = 1; i < n; i++) children[parent[i]].push(i);
  for (const list of children) list.sort((a, b) => retained[b] - retained[a] || a - b);
  const crumbs = el("p", { class: "controls crumbs", "aria-label": "where in the tree" });
  const place = el("div", { class: "picture" });
  let at = 0, wide = 0;

  /** What lies inside an entry: boxes with a size, a name and where they lead. @param {number} of */
  function inside(of) {
    const list = children[of].filter((i) => retained[i] > 0);
    const boxes = list.slice(0, MOST).map((i) => ({ size: retained[i], text: label[i], to: i }));
    const more = list.slice(MOST).reduce((sum, i) => sum + retained[i], 0);
    if (more > 0) boxes.push({ size: more, text: `${grouped(list.length - MOST)} more`, to: -1 });
    if (shallow[of] > 0) boxes.push({ size: shallow[of], text: "itself", to: -1 });
    if (rest[of] > 0) boxes.push({ size: rest[of], text: "smaller ones", to: -1 });
    return boxes.sort((a, b) => b.size - a.size);
  }

  /**
   * Draws boxes into a rectangle; into those with room, what they keep in turn.
   * @param {any} picture @param {{size: number, text: string, to: number}[]} boxes
   * @param {number} x0 @param {number} y0 @param {number} w0 @param {number} h0 @param {string} deep
   */
  function fill(picture, boxes, x0, y0, w0, h0, deep) {
    squares(boxes.map((b) => b.size), x0, y0, w0, h0).forEach(([x, y, w, h], k) => {
      if (deep && (w < 3 || h < 3)) return;
      const { text, size, to } = boxes[k], down = to >= 0 && children[to].length > 0;
      const share = `${((100 * size) / Math.max(1, retained[0])).toFixed(1)} %`;
      const words = `${text}${to >= 0 && edge[to] ? " by " + edge[to] : ""}: ${bytes(size)}, ${share} of all`;
      const cell = svg("g", { class: "cell" + deep + (down ? " down" : ""), ...(down ? { tabindex: 0, role: "button" } : {}) },
        svg("title", {}, words), svg("rect", { class: to < 0 ? "own" : "held", x, y, width: Math.max(0, w - 1.5), height: Math.max(0, h - 1.5) }));
      const room = Math.floor((w - 10) / 7.3), opens = down && !deep && w > 110 && h > 70;
      const one = `${text}  ${bytes(size)}  ${share}`;
      if (opens) cell.append(svg("text", { x: x + 5, y: y + 14 }, one.length <= room ? one : shorten(text, room)));
      else {
        if ((room > 6 || text.length <= room) && h > 17) cell.append(svg("text", { x: x + 5, y: y + 14 }, shorten(text, room)));
        const second = [`${bytes(size)}  ${share}`, bytes(size)].find((t) => t.length <= room);
        if (second && h > 34) cell.append(svg("text", { x: x + 5, y: y + 30, class: "size" }, second));
      }
      if (down) {
        cell.addEventListener("click", () => go(to));
        cell.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => { if (e.key === "Enter" || e.key === " ") { go(to); e.preventDefault(); } });
      }
      picture.append(cell);
      if (opens) fill(picture, inside(to), x + 4, y + 20, w - 9.5, h - 25.5, " inner");
    });
  }

  function draw() {
    const W = Math.max(200, wide || 900);
    const path = [];
    for (let i = at; i >= 0; i = parent[i]) path.unshift(i);
    crumbs.replaceChildren(...path.map((i) => el("button", { disabled: i === at, onclick: () => go(i) }, `${shorten(label[i], 40)} ${bytes(retained[i])}`)));
    const boxes = inside(at);
    const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, class: "treemap", role: "group", "aria-label": "what " + label[at] + " keeps" });
    fill(picture, boxes, 0, 0, W, H, "");
    place.replaceChildren(picture);
  }

  /** @param {number} i */
  function go(i) {
    const inside = place.contains(document.activeElement);
    at = i;
    draw();
    announce(`${label[i]} keeps ${bytes(retained[i])}`);
    const first = place.querySelector(".down");
    if (inside && first) first.focus();
  }
  const node = el("section", { "aria-label": "What keeps the memory", onkeydown: (/** @type {KeyboardEvent} */ e) => {
    if ((e.key === "Escape" || e.key === "u") && at > 0) { go(parent[at]); e.preventDefault(); e.stopPropagation(); }
  } }, crumbs, place);
  new ResizeObserver(() => {
    const now = Math.floor(place.clientWidth);
    if (now > 50 && now !== wide) { wide = now; draw(); }
  }).observe(place);
  draw();
  return node;
}
