// @ts-check
// Small plots of a series: one point a capture, the slope and its interval.
import { svg } from "./dom.js";
import { amount } from "./format.js";

/** A line without axes, for a table. @param {number[]} series @param {number} base captures of the base side */
export function spark(series, base) {
  const w = 84, h = 18;
  const low = Math.min(...series), high = Math.max(...series);
  const x = (/** @type {number} */ i) => 2 + (i * (w - 4)) / Math.max(1, series.length - 1);
  const y = (/** @type {number} */ v) => (high === low ? h / 2 : h - 3 - ((v - low) * (h - 6)) / (high - low));
  const part = (/** @type {number} */ from, /** @type {number} */ to) =>
    series.slice(from, to).map((v, i) => `${i ? "L" : "M"}${x(from + i).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  const d = base > 0 ? part(0, base) + part(base, series.length) : part(0, series.length);
  return svg("svg", { width: w, height: h, viewBox: `0 0 ${w} ${h}`, class: "spark", "aria-hidden": "true" }, svg("path", { d }));
}

/**
 * A series with axes.
 * @param {{series: number[], x: (number|null)[], unit: string, labels: string[], base: number, slope: number[]|null, per: string, title?: string}} what
 * `x`: runs of each capture, or none; `base`: captures of the base side, drawn as a line of their own
 */
export function plot(what) {
  const W = 520, H = 190, L = 78, R = 14, T = 16, B = 34;
  const known = what.x.every((v) => v !== null);
  const two = what.base > 0;
  const xs = what.series.map((_, i) => (known ? Number(what.x[i]) : two && i >= what.base ? i - what.base : i));
  const x0 = Math.min(...xs), x1 = Math.max(...xs);
  const low = Math.min(0, ...what.series), high = Math.max(...what.series, low + 1);
  const px = (/** @type {number} */ v) => L + (x1 === x0 ? (W - L - R) / 2 : ((v - x0) * (W - L - R)) / (x1 - x0));
  const py = (/** @type {number} */ v) => H - B - ((v - low) * (H - T - B)) / (high - low);
  const parts = [];
  for (let k = 0; k <= 2; k++) {
    const v = low + ((high - low) * k) / 2;
    parts.push(svg("line", { class: "grid", x1: L, x2: W - R, y1: py(v), y2: py(v) }));
    parts.push(svg("text", { x: L - 6, y: py(v) + 4, "text-anchor": "end" }, amount(Math.round(v), what.unit)));
  }
  const ticks = [x0, x1];
  ticks.forEach((v, k) => parts.push(svg("text", { x: px(v), y: H - 14, "text-anchor": k ? "end" : "start" }, known ? `${v} ${what.per}s` : `capture ${k ? what.series.length : 1}`)));
  const sides = two ? [[0, what.base, "base"], [what.base, what.series.length, "new"]] : [[0, what.series.length, "new"]];
  if (what.slope && known && !two && xs.length > 2) {
    const [value, lo, hi] = what.slope;
    const middle = median(xs), level = median(what.series);
    const line = (/** @type {number} */ s) => [py(level + s * (x0 - middle)), py(level + s * (x1 - middle))];
    const [la, lb] = line(lo), [ha, hb] = line(hi), [va, vb] = line(value);
    parts.push(svg("path", { class: "interval", d: `M${px(x0)} ${la}L${px(x1)} ${lb}L${px(x1)} ${hb}L${px(x0)} ${ha}Z` }));
    parts.push(svg("line", { class: "slope", x1: px(x0), x2: px(x1), y1: va, y2: vb }));
  }
  for (const [from, to, side] of sides) {
    const points = what.series.slice(Number(from), Number(to)).map((v, i) => [px(xs[Number(from) + i]), py(v)]);
    parts.push(svg("path", { class: "line " + side, d: points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") }));
    points.forEach(([x, y], i) => {
      const at = Number(from) + i;
      const shape = side === "base" ? svg("rect", { class: "point base", x: x - 3, y: y - 3, width: 6, height: 6 }) : svg("circle", { class: "point", cx: x, cy: y, r: 3.5 });
      shape.append(svg("title", {}, `${what.labels[at]}: ${amount(what.series[at], what.unit)}`));
      parts.push(shape);
    });
  }
  if (what.title) parts.push(svg("text", { x: L, y: T - 2, class: "title" }, what.title));
  const words = what.series.map((v, i) => `${what.labels[i]} ${amount(v, what.unit)}`).join(", ");
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", role: "img", "aria-label": (what.title || "series") + ": " + words }, ...parts);
}

/** @param {number[]} values */
function median(values) {
  const v = values.slice().sort((a, b) => a - b);
  return v.length % 2 ? v[(v.length - 1) / 2] : (v[v.length / 2 - 1] + v[v.length / 2]) / 2;
}
