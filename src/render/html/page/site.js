// @ts-check
// One site in full: its stack, its series and every number that the document holds of it.
import { el, copy } from "./dom.js";
import { amount, signed, rate, plain } from "./format.js";
import { plot } from "./plot.js";

/**
 * The frames of a stack, root first.
 * @param {any} view @param {number} stack
 * @returns {{name: string, place: string, inlined: boolean}[]}
 */
export function framesOf(view, stack) {
  const frames = [];
  for (let n = stack; n > 0; n = view.stacks.parent[n]) {
    const f = view.stacks.frame[n];
    const text = (/** @type {number} */ k) => view.strings[k];
    const file = text(view.frames.file[f]), line = view.frames.line[f], module = text(view.frames.module[f]);
    frames.push({ name: text(view.frames.function[f]), place: file ? (line ? `${file}:${line}` : file) : module, inlined: !!view.frames.inlined[f] });
  }
  return frames.reverse();
}

/**
 * @param {any} view @param {number} row
 * @param {{toFlame: (row: number) => void, close: () => void}} actions
 */
export function site(view, row, actions) {
  const s = view.sites, unit = view.unit;
  const frames = framesOf(view, s.stack[row]);
  const text = frames.map((f) => (f.place ? `${f.name} (${f.place})` : f.name)).join("\n");
  const facts = [["id", s.id[row]], ["class", view.words[s.word[row]]], ["recognised by", view.tiers[s.matched[row]]]];
  if (view.knows_runs && s.per_run[row] !== null) facts.push(["per " + view.per, rate(s.per_run[row], unit)]);
  const slope = s.slope[row];
  if (slope) facts.push(["slope", `${rate(slope[0], unit)} (${rate(slope[1], unit)} to ${rate(slope[2], unit)})`]);
  if (s.q[row] !== null) facts.push(["q", plain(s.q[row])]);
  if (s.follows[row] !== null) facts.push(["follows", s.follows[row]]);
  const heads = view.has_sides ? ["base", "new", "difference"] : ["before", "after", "growth"];
  const metrics = Object.entries(s.metrics).map(([name, m]) => {
    const u = name.endsWith("bytes") ? "bytes" : "";
    const [before, after] = [m.before[row], m.after[row]];
    return el("tr", {}, el("th", { scope: "row" }, name), ...[amount(before, u), amount(after, u), signed(after - before, u)].map((t) => el("td", { class: "n" }, t)));
  });
  const list = el("ol", { class: "stack" }, ...frames.map((f, k) =>
    el("li", { class: k === s.owner[row] ? "owner" : "" }, el("span", {}, f.name), " ", el("span", { class: "place" }, f.place), f.inlined ? " (inlined)" : "")));
  return el("aside", { class: "detail", "aria-label": "Site" },
    el("div", { class: "controls" },
      el("button", { onclick: () => copy(text), id: "copy-stack" }, "copy stack"),
      el("button", { onclick: () => actions.toFlame(row) }, "show in the flamegraph"),
      el("button", { onclick: () => copy(location.href.replace(/#.*/, "") + "#site=" + encodeURIComponent(s.id[row])) }, "copy link"),
      el("button", { onclick: actions.close, "aria-label": "close" }, "close")),
    el("h3", {}, s.name[row], " ", el("span", { class: "place" }, s.place[row])),
    el("div", { class: "columns" },
      el("div", {},
        plot({ series: s.series[row], x: view.runs, unit, labels: view.labels, base: view.base, slope, per: view.per }),
        el("dl", {}, ...facts.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, String(v))]))),
      el("div", { class: "wide" },
        el("table", {}, el("thead", {}, el("tr", {}, ...["metric", ...heads].map((h, k) => el("th", { scope: "col", class: k ? "n" : "" }, h)))), el("tbody", {}, ...metrics)))),
    el("h4", {}, "Stack, root first"), list);
}
