// @ts-check
// Monitoring series: levels with their episodes, restarts and gaps, and below them the rate between
// the thresholds of severity, all on one axis of time.
import { el, svg } from "./dom.js";
import { amount, plain } from "./format.js";
import { extent, together } from "./span.js";

const H = 200, RATE = 96, LOAD = 46, L = 82, R = 10, T = 16, B = 22;
const SEVERITIES = ["note", "warning", "critical", "emergency"];

/** @param {number} t seconds @param {number} long seconds that are shown */
function clock(t, long) {
  const text = new Date(t * 1000).toISOString();
  return long > 86400 * 1.5 ? text.slice(5, 16).replace("T", " ") : text.slice(11, 16);
}

/** @param {string} text */
const seconds = (text) => Date.parse(text) / 1000;

/** A round number at or above. @param {number} v */
function above(v) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(v, 1e-9)));
  return [1, 2, 2.5, 5, 10].map((k) => k * ten).find((k) => k >= v) || v;
}

/** The same for bytes: in binary units. @param {number} v */
function aboveBytes(v) {
  let unit = 1;
  while (v / unit >= 1024) unit *= 1024;
  return Math.max(1, above(v / unit)) * unit;
}

/**
 * @param {any} series with `samples` of seconds, lowest, highest
 * @param {[number, number]} span of all series, so that pictures stand below one another
 * @param {any} context thresholds and marks
 * @param {number} W
 */
export function curve(series, span, context, W) {
  const samples = /** @type {[number, number, number][]} */ (series.samples);
  const isBytes = series.unit === "bytes";
  const unit = isBytes ? "bytes" : "count";
  const highest = samples.reduce((m, s) => Math.max(m, s[2]), 0);
  const lowest = samples.reduce((m, s) => Math.min(m, s[1]), 0);
  const limit = isBytes ? context.thresholds?.memory_limit_bytes ?? null : null;
  const isLimitNear = limit !== null && limit < 4 * highest;
  const top = (isBytes ? aboveBytes : above)(Math.max(highest, isLimitNear ? limit * 1.05 : 0, isBytes ? 1024 : 1));
  const long = span[1] - span[0];
  const x = (/** @type {number} */ t) => L + ((t - span[0]) * (W - L - R)) / Math.max(1, long);
  const y = (/** @type {number} */ v) => H - B - ((v - lowest) * (H - T - B)) / (top - lowest);
  const parts = [];
  const rated = isBytes && (series.windows || []).length > 0 && context.thresholds;
  // What coincides with growth stands below the memory that grows.
  const grows = isBytes && series.primary && (series.episodes || []).length > 0;
  const loads = grows ? context.activity || [] : [];
  const below = rated ? H + RATE : H;
  const whole = below + (loads.length > 0 ? loads.length * LOAD + 8 : 0);
  for (const g of series.gaps || []) {
    const a = x(seconds(g.start)), b = x(seconds(g.end));
    if (b - a > 4) parts.push(svg("rect", { class: "gap", x: a, y: T, width: b - a, height: H - T - B }, svg("title", {}, "no samples")));
  }
  // Every stretch by its severity where one is known, else the whole episode.
  const stretches = (series.windows || []).filter((/** @type {any} */ w) => w.severity);
  const bands = stretches.length ? stretches : series.episodes || [];
  let free = 0;
  for (const e of bands) {
    const a = x(seconds(e.start)), b = x(seconds(e.end)), word = e.severity || "grew";
    const peak = e.rate_mb_per_hour ?? e.peak_rate_mb_per_hour ?? e.peak_rate_per_hour;
    const band = svg("rect", { class: "episode " + word, x: a, y: T, width: Math.max(1.5, b - a), height: H - T - B });
    band.append(svg("title", {}, `${word}: ${plain(peak)} ${isBytes ? "MB/h" : "per hour"}`));
    parts.push(band);
    if (a + 4 > free) {
      parts.push(svg("text", { x: a + 4, y: T + 12, class: "episode-name" }, word));
      free = a + 10 + word.length * 6.5;
    }
  }
  if (isLimitNear) {
    parts.push(svg("rect", { class: "over", x: L, y: T, width: W - L - R, height: Math.max(1, y(limit) - T) }), svg("text", { x: W - R - 4, y: T + 12, "text-anchor": "end", class: "episode-name" }, "above the limit of " + amount(limit, unit)));
  }
  for (let k = 0; k <= 2; k++) {
    const v = lowest + ((top - lowest) * k) / 2;
    parts.push(svg("line", { class: "grid", x1: L, x2: W - R, y1: y(v), y2: y(v) }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, amount(isBytes ? Math.round(v) : v, unit)));
  }
  const ticks = W > 700 ? 6 : W > 480 ? 4 : 2;
  for (let k = 0; k <= ticks; k++) {
    const t = span[0] + (long * k) / ticks;
    parts.push(svg("text", { x: x(t), y: whole - 6, "text-anchor": k === 0 ? "start" : k === ticks ? "end" : "middle" }, clock(t, long)));
  }
  // Where samples are missing for longer than usual the line breaks.
  const steps = samples.slice(1).map((s, i) => s[0] - samples[i][0]).sort((a, b) => a - b);
  const usual = steps.length ? steps[steps.length >> 1] : 1;
  /** @type {[number, number, number][][]} */
  const runs = [];
  samples.forEach((s, i) => {
    if (i === 0 || s[0] - samples[i - 1][0] > 4 * usual) runs.push([]);
    runs[runs.length - 1].push(s);
  });
  const point = (/** @type {number} */ t, /** @type {number} */ v) => `${x(t).toFixed(1)} ${y(v).toFixed(1)}`;
  for (const run of runs) {
    const high = run.map((s) => point(s[0], s[2])), low = run.map((s) => point(s[0], s[1])).reverse();
    parts.push(svg("path", { class: "spread", d: "M" + high.concat(low).join("L") + "Z" }));
    parts.push(svg("path", { class: "line", d: "M" + (high.length > 1 ? high.join("L") : high[0] + "h1.5") }));
  }
  for (const r of series.restarts || []) {
    const at = x(seconds(r));
    parts.push(svg("line", { class: "restart", x1: at, x2: at, y1: T - 6, y2: H - B }, svg("title", {}, "restart " + r)), svg("path", { class: "restart-tip", d: `M${at - 4} ${T - 8}h8l-4 6z` }));
  }
  for (const m of context.marks || []) {
    if (m.series !== series.id) continue;
    const at = x(seconds(m.time));
    parts.push(svg("line", { class: "mark", x1: at, x2: at, y1: T, y2: H - B }), svg("text", { x: at + 4, y: H - B - 6, class: "episode-name" }, m.label));
  }
  loads.forEach((/** @type {any} */ load, /** @type {number} */ k) => parts.push(...requests(load, below - B + 8 + k * LOAD, x, W)));
  if (rated) parts.push(...rates(series, context.thresholds.mb_per_hour || {}, x, W));
  const episodes = (series.episodes || []).length, restarts = (series.restarts || []).length;
  const words = `${series.service} ${series.metric}: ${amount(samples[0]?.[1] ?? 0, unit)} to ${amount(samples[samples.length - 1]?.[2] ?? 0, unit)}, ${episodes} ${episodes === 1 ? "episode" : "episodes"} of growth, ${restarts} ${restarts === 1 ? "restart" : "restarts"}`;
  return svg("svg", { viewBox: `0 0 ${W} ${whole}`, width: W, height: whole, class: "plot curve", role: "img", "aria-label": words }, ...parts);
}

/**
 * How many requests of an endpoint ran, as bars.
 * @param {{endpoint: string, activity: {width_s: number, per_hour: [number, number][]}}} load @param {number} from @param {(t: number) => number} x @param {number} W
 */
function requests(load, from, x, W) {
  const { width_s: long, per_hour: each } = load.activity;
  const top = above(each.reduce((m, e) => Math.max(m, e[1]), 0)), to = from + LOAD - 4, high = LOAD - 22;
  const y = (/** @type {number} */ v) => to - (v * high) / top;
  const bars = each.map(([t, v]) => {
    const a = Math.max(L, x(t)), b = Math.min(W - R, x(t + long));
    return b > a ? `M${a.toFixed(1)} ${to}V${y(v).toFixed(1)}H${b.toFixed(1)}V${to}Z` : "";
  });
  const room = Math.floor((W - L - R) / 6.6) - 12;
  const name = load.endpoint.length > room ? load.endpoint.slice(0, room - 2) + ".." : load.endpoint;
  return [
    svg("path", { class: "load", d: bars.join("") }, svg("title", {}, load.endpoint)),
    svg("line", { class: "grid", x1: L, x2: W - R, y1: to, y2: to }),
    svg("text", { x: L, y: from + 12, class: "episode-name" }, name),
    svg("text", { x: L - 6, y: y(top) + 4, "text-anchor": "end" }, plain(top)),
    svg("text", { x: L - 6, y: to + 2, "text-anchor": "end" }, "per hour"),
  ];
}

/**
 * The rate of each stretch, between the thresholds.
 * @param {any} series @param {Record<string, number>} thresholds @param {(t: number) => number} x @param {number} W
 */
function rates(series, thresholds, x, W) {
  const known = SEVERITIES.filter((s) => thresholds[s] > 0);
  const each = /** @type {{start: string, end: string, rate_mb_per_hour: number}[]} */ (series.windows);
  const high = each.reduce((m, w) => Math.max(m, w.rate_mb_per_hour), 0), low = each.reduce((m, w) => Math.min(m, w.rate_mb_per_hour), 0);
  const next = known.map((s) => thresholds[s]).filter((t) => t > high)[0];
  const top = above(Math.max(high * 1.05, Math.min(next ?? 0, high * 3), 1));
  const from = H + 4, to = H + RATE - B;
  const y = (/** @type {number} */ v) => to - ((v - low) * (to - from)) / (top - low);
  const parts = [];
  known.forEach((s, k) => {
    const a = thresholds[s], b = known[k + 1] ? thresholds[known[k + 1]] : Infinity;
    if (a >= top) return;
    const upper = y(Math.min(b, top));
    parts.push(svg("rect", { class: "episode " + s, x: L, y: upper, width: W - L - R, height: y(a) - upper }, svg("title", {}, `${s} from ${plain(a)} MB/h`)));
    if (y(a) - upper > 11) parts.push(svg("text", { x: W - R - 4, y: upper + 11, "text-anchor": "end", class: "episode-name" }, s));
  });
  for (const v of [low, top]) parts.push(svg("line", { class: "grid", x1: L, x2: W - R, y1: y(v), y2: y(v) }), svg("text", { x: L - 6, y: y(v) + (v === top ? 8 : 2), "text-anchor": "end" }, plain(v)));
  parts.push(svg("text", { x: L - 6, y: (from + to) / 2 + 4, "text-anchor": "end" }, "MB/h"));
  for (const w of each) {
    const a = x(seconds(w.start)), b = x(seconds(w.end)), level = y(w.rate_mb_per_hour);
    parts.push(svg("path", { class: "line", d: `M${a.toFixed(1)} ${level.toFixed(1)}H${Math.max(a + 1.5, b).toFixed(1)}` }, svg("title", {}, `${plain(w.rate_mb_per_hour)} MB/h`)));
  }
  return parts;
}

/** Draws every series where the page has a place for it. @param {any} view */
export function timeline(view) {
  const { judged, plain: others } = view.series;
  const spans = new Map([...judged, ...others].filter((s) => s.samples && s.samples.length > 0).map((s) => [s, extent(s)]));
  const common = together(Array.from(spans.values()));
  /** @param {Element} place @param {any} s */
  const draw = (place, s) => {
    if (!s.samples || s.samples.length === 0) return;
    const own = spans.get(s) ?? common;
    // What was recorded at another time has an axis of its own.
    const span = own[0] > common[1] || own[1] < common[0] ? own : common;
    // A page that is printed unseen has no width yet.
    let last = 0;
    place.replaceChildren(curve(s, span, view.series, 900));
    new ResizeObserver(() => {
      const width = Math.floor(place.clientWidth);
      if (width < 50 || width === last) return;
      last = width;
      place.replaceChildren(curve(s, span, view.series, width));
    }).observe(place);
  };
  for (const s of judged) {
    const place = Array.from(document.querySelectorAll("[data-series]")).find((p) => p.getAttribute("data-series") === s.id);
    if (place) draw(place, s);
  }
  const rest = document.querySelector("[data-plain]");
  if (rest) for (const s of others) {
    if (!s.samples || s.samples.length === 0) continue;
    const place = el("div", { class: "picture" });
    rest.append(el("h4", {}, `${s.service} `, el("span", { class: "faint" }, s.metric)), place);
    draw(place, s);
  }
}
