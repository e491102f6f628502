// @ts-check
// Retention cycles: each a closed path with the names of its references, what holds it, the
// reference to cut, and how many there were in each capture.
import { el, svg } from "./dom.js";
import { bytes, grouped, plain, shorten } from "./format.js";
import { plot } from "./plot.js";

/** Steps that are drawn; a longer path is a list alone. */
const MOST = 12;

/**
 * A closed path. @param {any[]} path steps with `type`, `edge` to the next step and `name`
 * @param {any[]} cut references to cut, with `from`, `edge`, `to`
 */
export function ring(path, cut) {
  const n = path.length;
  const W = 620, H = Math.max(220, 110 + n * 26), cx = W / 2, cy = H / 2, rx = W / 2 - 130, ry = H / 2 - 34;
  const at = (/** @type {number} */ k) => {
    const a = -Math.PI / 2 + (2 * Math.PI * k) / n;
    return [cx + rx * Math.cos(a), cy + ry * Math.sin(a)];
  };
  const parts = [svg("defs", {}, svg("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, svg("path", { class: "tip", d: "M0 0L8 4L0 8Z" })))];
  path.forEach((step, k) => {
    const [x1, y1] = at(k), [x2, y2] = at(k + 1);
    const next = path[(k + 1) % n];
    const isCut = cut.some((c) => c.from === step.type && c.edge === step.edge && c.to === next.type);
    const bend = n === 1 ? 90 : 0;
    const mx = (x1 + x2) / 2 + bend, my = (y1 + y2) / 2;
    // Arrows end outside the boxes.
    const d = n === 1 ? `M${x1 + 30} ${y1 + 8}C${x1 + 150} ${y1 + 120} ${x1 - 150} ${y1 + 120} ${x1 - 30} ${y1 + 8}` : `M${x1 + (x2 - x1) * 0.14} ${y1 + (y2 - y1) * 0.2}L${x1 + (x2 - x1) * 0.86} ${y1 + (y2 - y1) * 0.8}`;
    parts.push(svg("path", { class: "edge" + (isCut ? " cut" : ""), d, "marker-end": "url(#tip)" }));
    parts.push(svg("text", { class: "edge-name" + (isCut ? " cut" : ""), x: mx, y: my, "text-anchor": "middle" }, (isCut ? "cut: " : "") + shorten(step.edge || "", 34)));
  });
  path.forEach((step, k) => {
    const [x, y] = at(k);
    const text = shorten(step.type || "", 34), w = text.length * 7.4 + 16;
    parts.push(svg("rect", { class: "object", x: x - w / 2, y: y - 12, width: w, height: 24, rx: 5 }), svg("text", { class: "object-name", x, y: y + 4, "text-anchor": "middle" }, text));
  });
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "ring", role: "img", "aria-label": "cycle: " + path.map((s) => `${s.type} ${s.edge}`).join(" -> ") }, ...parts);
}

/** @param {any} view @param {any} cycle */
function card(view, cycle) {
  const cut = cycle.cut && cycle.cut.kind !== "none" ? cycle.cut : null;
  const facts = [
    ["in each capture", cycle.occurrences.map(grouped).join(" -> ")],
    ["objects in one", grouped(cycle.objects)],
    ["kept by all, last capture", bytes(cycle.retained_bytes ?? cycle.shallow_bytes)],
    ["per run", cycle.per_run === null ? "" : `${plain(cycle.per_run)} cycles, ${bytes(Math.round(cycle.per_run_bytes ?? 0))}`],
    ["class", cycle.growth],
    ["reachable", cycle.reachable ? "yes: something holds it" : "no: only a cyclic collector can free it"],
  ].filter(([, v]) => v !== "");
  const roots = cycle.root_path || [];
  return el("article", { class: "cycle", id: "cycle-" + cycle.id },
    el("h3", {}, cycle.signature),
    cycle.path && cycle.path.length > 0 && cycle.path.length <= MOST ? ring(cycle.path, cut ? cut.references : []) : null,
    el("dl", {}, ...facts.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, String(v))]),
      ...(cut ? [el("dt", {}, "reference to cut"), el("dd", { class: "cut" }, cut.references.map((/** @type {any} */ r) => `${r.from}${r.edge} -> ${r.to}`).join("; ") + (cut.frees_bytes === null || cut.frees_bytes === undefined ? "" : `: frees ${bytes(cut.frees_bytes)}`))] : [])),
    cycle.occurrences.length > 1 ? plot({ series: cycle.occurrences, x: view.runs, unit: "count", labels: view.labels, base: view.base || 0, slope: null, per: view.per }) : null,
    roots.length ? el("details", {}, el("summary", {}, "path from a root"), el("ol", { class: "stack" }, ...roots.map((/** @type {any} */ s) => el("li", {}, `${s.type} ${s.edge || ""} ${s.name || ""}`)))) : null);
}

/** @param {any} view */
export function cycles(view) {
  return el("div", {}, ...view.doc.cycles.map((/** @type {any} */ c) => card(view, c)));
}
