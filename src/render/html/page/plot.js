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
 * A series with axes; of two sides a picture each, beside each other on one scale.
 * @param {{series: number[], x: (number|null)[], unit: string, labels: string[], base: number, slope: number[]|null, per: string, title?: string}} what
 * `x`: runs of each capture, or none; `base`: captures of the base side
 */
export function plot(what) {
  const W = 520, H = 190, L = 78, R = 14, T = 16, B = 34, GAP = 34;
  const known = what.x.every((v) => v !== null);
  const count = what.series.length, two = what.base > 0 && what.base < count;
  const low = Math.min(0, ...what.series), high = Math.max(...what.series, low + 1);
  const py = (/** @type {number} */ v) => H - B - ((v - low) * (H - T - B)) / (high - low);
  const parts = [];
  for (let k = 0; k <= 2; k++) {
    const v = low + ((high - low) * k) / 2;
    parts.push(svg("line", { class: "grid", x1: L, x2: W - R, y1: py(v), y2: py(v) }));
    parts.push(svg("text", { x: L - 6, y: py(v) + 4, "text-anchor": "end" }, amount(Math.round(v), what.unit)));
  }
  const half = (W - L - R - GAP) / 2;
  const sides = two
    ? [{ from: 0, to: what.base, name: "base", left: L, right: L + half }, { from: what.base, to: count, name: "new", left: W - R - half, right: W - R }]
    : [{ from: 0, to: count, name: "", left: L, right: W - R }];
  for (const side of sides) {
    const series = what.series.slice(side.from, side.to), own = side.name === "base" ? " base" : "";
    const xs = series.map((_, i) => (known ? Number(what.x[side.from + i]) : i));
    const x0 = Math.min(...xs), x1 = Math.max(...xs), middle = (side.left + side.right) / 2;
    const px = (/** @type {number} */ v) => (x1 === x0 ? middle : side.left + ((v - x0) * (side.right - side.left)) / (x1 - x0));
    if (side.name) parts.push(svg("text", { x: middle, y: H - 4, "text-anchor": "middle", class: "title" }, side.name));
    const named = (/** @type {number} */ i) => (known ? `${xs[i]} ${what.per}${xs[i] === 1 ? "" : "s"}` : `capture ${i + 1}`);
    if (x0 === x1) parts.push(svg("text", { x: middle, y: H - 18, "text-anchor": "middle" }, named(0)));
    else for (const i of [0, series.length - 1]) parts.push(svg("text", { x: px(xs[i]), y: H - 18, "text-anchor": i ? "end" : "start" }, named(i)));
    if (what.slope && known && !two && series.length > 2) {
      const [value, lo, hi] = what.slope;
      const center = median(xs), level = median(series);
      const line = (/** @type {number} */ s) => [py(level + s * (x0 - center)), py(level + s * (x1 - center))];
      const [la, lb] = line(lo), [ha, hb] = line(hi), [va, vb] = line(value);
      parts.push(svg("path", { class: "interval", d: `M${px(x0)} ${la}L${px(x1)} ${lb}L${px(x1)} ${hb}L${px(x0)} ${ha}Z` }));
      parts.push(svg("line", { class: "slope", x1: px(x0), x2: px(x1), y1: va, y2: vb }));
    }
    const points = series.map((v, i) => [px(xs[i]), py(v)]);
    if (x0 === x1) {
      // Captures of one moment are levels, not a line.
      const level = median(series), bar = svg("rect", { class: "bar" + own, x: middle - 34, y: py(level), width: 68, height: Math.max(1, py(Math.max(0, low)) - py(level)) });
      parts.push(bar, svg("text", { x: middle, y: Math.max(T - 4, py(level) - 6), "text-anchor": "middle", class: "value" }, amount(level, what.unit)));
    } else parts.push(svg("path", { class: "line" + own, d: points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") }));
    if (x0 !== x1 || series.length > 1) points.forEach(([x, y], i) => {
      const shape = own ? svg("rect", { class: "point base", x: x - 3, y: y - 3, width: 6, height: 6 }) : svg("circle", { class: "point", cx: x, cy: y, r: 3.5 });
      shape.append(svg("title", {}, `${what.labels[side.from + i]}: ${amount(series[i], what.unit)}`));
      parts.push(shape);
    });
  }
  if (what.title) parts.push(svg("text", { x: L, y: T - 5, class: "title" }, what.title));
  const words = what.series.map((v, i) => `${what.labels[i]} ${amount(v, what.unit)}`).join(", ");
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", role: "img", "aria-label": (what.title || "series") + ": " + words }, ...parts);
}

/** @param {number[]} values */
function median(values) {
  const v = values.slice().sort((a, b) => a - b);
  return v.length % 2 ? v[(v.length - 1) / 2] : (v[v.length / 2 - 1] + v[v.length / 2]) / 2;
}
