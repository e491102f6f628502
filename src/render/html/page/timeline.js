// @ts-check
// Monitoring series: level, episodes, restarts and gaps on one axis of time.
import { el, svg } from "./dom.js";
import { amount, plain } from "./format.js";

const W = 1000, H = 220, L = 90, R = 14, T = 14, B = 30;

/** @param {number} ms */
function clock(ms) {
  return new Date(ms).toISOString().slice(5, 16).replace("T", " ");
}

/**
 * @param {any} series of the document
 * @param {{t: number[], v: (number|null)[]}} points milliseconds and values
 * @param {[number, number]} span of all series, so that pictures stand below one another
 */
export function curve(series, points, span) {
  const values = points.v.filter((v) => v !== null);
  const low = Math.min(0, ...values), high = Math.max(low + 1, ...values);
  const x = (/** @type {number} */ t) => L + ((t - span[0]) * (W - L - R)) / Math.max(1, span[1] - span[0]);
  const y = (/** @type {number} */ v) => H - B - ((v - low) * (H - T - B)) / (high - low);
  const unit = series.unit === "bytes" ? "bytes" : "count";
  const parts = [];
  for (const e of series.episodes || []) {
    const a = x(Date.parse(e.start)), b = x(Date.parse(e.end));
    const band = svg("rect", { class: "episode " + e.severity, x: a, y: T, width: Math.max(1.5, b - a), height: H - T - B });
    band.append(svg("title", {}, `${e.severity}: ${plain(e.peak_rate_mb_per_hour)} MB/h, ${e.start} to ${e.end}`));
    parts.push(band);
    parts.push(svg("text", { x: a + 3, y: T + 11, class: "episode-name" }, e.severity));
  }
  for (const g of series.gaps || []) parts.push(svg("rect", { class: "gap", x: x(Date.parse(g.start)), y: T, width: Math.max(1, x(Date.parse(g.end)) - x(Date.parse(g.start))), height: H - T - B }));
  for (let k = 0; k <= 2; k++) {
    const v = low + ((high - low) * k) / 2;
    parts.push(svg("line", { class: "grid", x1: L, x2: W - R, y1: y(v), y2: y(v) }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, amount(Math.round(v), unit)));
  }
  for (let k = 0; k <= 4; k++) {
    const t = span[0] + ((span[1] - span[0]) * k) / 4;
    parts.push(svg("text", { x: x(t), y: H - 10, "text-anchor": k === 0 ? "start" : k === 4 ? "end" : "middle" }, clock(t)));
  }
  let d = "", pen = false;
  points.t.forEach((t, i) => {
    const v = points.v[i];
    if (v === null) { pen = false; return; }
    d += `${pen ? "L" : "M"}${x(t).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = true;
  });
  parts.push(svg("path", { class: "line", d }));
  for (const r of series.restarts || []) {
    const at = x(Date.parse(r.time || r));
    const mark = svg("line", { class: "restart", x1: at, x2: at, y1: T, y2: H - B });
    mark.append(svg("title", {}, "restart " + (r.time || r)));
    parts.push(mark);
  }
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot curve", role: "img", "aria-label": `${series.service} ${series.metric}: ${(series.episodes || []).length} episodes, ${(series.restarts || []).length} restarts` }, ...parts);
}

/** @param {any} view */
export function timeline(view) {
  const span = /** @type {[number, number]} */ ([Infinity, -Infinity]);
  for (const p of Object.values(view.points)) {
    span[0] = Math.min(span[0], ...p.t.slice(0, 1));
    span[1] = Math.max(span[1], ...p.t.slice(-1));
  }
  return el("div", {}, ...view.doc.series.filter((/** @type {any} */ s) => view.points[s.id]).map((/** @type {any} */ s) =>
    el("article", { class: "series", id: "series-" + s.id }, el("h3", {}, `${s.service}  ${s.metric}`, " ", el("span", { class: "faint" }, s.growth || "")), curve(s, view.points[s.id], span))));
}
