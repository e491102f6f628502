// @ts-check
// The flamegraph of growth, drawn on a canvas: any number of frames is one element. The frame in
// hand is described in words beside it, and every movement has a key.
import { el, announce } from "./dom.js";
import { amount, signed, shorten } from "./format.js";
import { MODES, between, inverted, callees, callers, totals, layout, tone } from "./tree.js";

const ROW = 20;

/**
 * @param {any} view the page's data
 * @param {(row: number) => void} openSite
 */
export function flame(view, openSite) {
  const data = view.flame;
  const unit = view.unit;
  const state = { mode: "churn", byGrowth: false, upside: false, root: 0, held: 0, shape: "tree", name: -1, to: data.ends[1], find: "", color: "change" };
  /** @type {any} */
  let tree, sums, boxes = [];
  /** @type {Map<number, any>} */
  let placed = new Map();

  const canvas = el("canvas", { tabindex: 0, role: "img", "aria-label": "Flamegraph of growth; arrow keys walk, Enter zooms, Escape goes back", "aria-describedby": "flame-held" });
  const held = el("p", { id: "flame-held", class: "held" });
  const actions = el("p", { class: "actions" });
  const slider = el("input", { type: "range", id: "flame-to", min: data.ends[0] + 1, max: data.captures - 1, value: state.to });
  const reached = el("output", { for: "flame-to" });
  const scroll = el("div", { class: "flame-scroll" }, canvas);
  const find = el("input", { type: "search", placeholder: "find a function", "aria-label": "find a function in the flamegraph" });

  /** @param {string} label @param {string} id @param {[string, string][]} options @param {(value: string) => void} set */
  function choice(label, id, options, set) {
    const select = el("select", { id }, ...options.map(([value, text]) => el("option", { value }, text)));
    select.addEventListener("change", () => { set(select.value); rebuild(); });
    return el("label", {}, label + " ", select);
  }
  const modes = choice("width", "flame-mode", [["churn", "churn: up and down"], ["after", "after"], ["before", "before"], ["growth", "growth only"]], (v) => { state.mode = v; });
  const shapes = choice("view", "flame-shape", [["tree", "callers to callees"], ["inverted", "inverted: what allocates first"]], (v) => { state.shape = v; state.root = 0; });
  const orders = choice("order", "flame-order", [["name", "by name"], ["growth", "by growth"]], (v) => { state.byGrowth = v === "growth"; });
  const colors = choice("colour", "flame-color", [["change", "by change"], ["class", "by growth class"]], (v) => { state.color = v; });
  const sides = choice("root", "flame-side", [["top", "on top (icicle)"], ["bottom", "at the bottom (flame)"]], (v) => { state.upside = v === "bottom"; });
  const runs = data.captures - data.ends[0] > 2 && !view.has_sides
    ? el("label", { class: "runs" }, "up to ", slider, " ", reached) : null;
  slider.addEventListener("input", () => { state.to = Number(slider.value); rebuild(); });
  find.addEventListener("input", () => { state.find = find.value.toLowerCase(); draw(); });

  function rebuild() {
    const whole = between(data, state.to);
    if (state.shape === "inverted") tree = inverted(whole);
    else if (state.shape === "callees") tree = callees(whole, state.name);
    else if (state.shape === "callers") tree = callers(whole, state.name);
    else tree = whole;
    sums = totals(tree);
    if (state.root >= tree.parent.length) state.root = 0;
    if (state.held >= tree.parent.length) state.held = state.root;
    reached.textContent = data.labels[state.to] || "";
    draw();
  }

  const sumOf = (/** @type {number} */ i) => ({ before: sums.before[i], after: sums.after[i], up: sums.up[i], down: sums.down[i], loud: sums.loud[i] });

  function draw() {
    const width = Math.max(320, scroll.clientWidth || 1000);
    boxes = layout(tree, { mode: state.mode, byGrowth: state.byGrowth, root: state.root, least: 0.4 / width });
    placed = new Map(boxes.map((b) => [b.node, b]));
    const depth = boxes.reduce((d, b) => Math.max(d, b.depth), 0) + 1;
    const height = Math.max(3, depth) * ROW;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => style.getPropertyValue("--" + name).trim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
    pen.textBaseline = "middle";
    const character = pen.measureText("m").width;
    if (boxes.length === 0) {
      pen.fillStyle = color("ink");
      pen.fillText("nothing in this view", 8, ROW);
    }
    for (const box of boxes) {
      const x = box.left * width, w = box.width * width;
      const y = (state.upside ? depth - 1 - box.depth : box.depth) * ROW;
      const sum = sumOf(box.node);
      const look = state.color === "class" ? classTone(box.node) : tone(sum);
      pen.globalAlpha = box.above ? 0.55 : 1;
      pen.fillStyle = color("f-" + look);
      pen.fillRect(x, y, Math.max(w - 1, 0.5), ROW - 1);
      const net = sum.after - sum.before, churn = sum.up + sum.down;
      if (sum.loud && net !== 0) {
        const share = state.mode === "churn" && churn > 0 ? Math.abs(net) / churn : 1;
        pen.fillStyle = color(net > 0 ? "f-up" : "f-down");
        pen.fillRect(x, y + ROW - 4, Math.max(w * share - 1, 0.5), 3);
      }
      const name = tree.names[tree.name[box.node]];
      if (state.find && name.toLowerCase().includes(state.find)) {
        pen.strokeStyle = color("f-found");
        pen.lineWidth = 2;
        pen.strokeRect(x + 1, y + 1, Math.max(w - 3, 1), ROW - 3);
      }
      if (box.node === state.held) {
        pen.strokeStyle = color("ink");
        pen.lineWidth = 2;
        pen.strokeRect(x + 1, y + 1, Math.max(w - 3, 1), ROW - 3);
      }
      const room = Math.floor((w - 8) / character);
      if (room > 2) {
        pen.fillStyle = color("f-ink");
        pen.fillText(label(box.node, sum, room), x + 4, y + (ROW - 5) / 2);
      }
      pen.globalAlpha = 1;
    }
    describe();
  }

  /** @param {number} i */
  function classTone(i) {
    const growth = data.growth[tree.origin[i]];
    return { "steady-growth": "new", accelerating: "new", grew: "grew", new: "new", shrank: "shrank", gone: "gone", shrinking: "shrank" }[view.classes[growth]] || (growth === undefined ? "quiet" : view.classes[growth] === "unchanged" || view.classes[growth] === "stable" ? "quiet" : "moved");
  }

  /** @param {number} i @param {any} sum @param {number} room */
  function label(i, sum, room) {
    const name = tree.names[tree.name[i]] + chips(i);
    const change = sum.loud ? signed(sum.after - sum.before, unit) + " " : "";
    return (change + name).length <= room ? change + name : shorten(name, room);
  }

  /** @param {number} i */
  function chips(i) {
    return state.shape === "tree" ? data.chips[tree.origin[i]] || "" : "";
  }

  function describe() {
    const i = state.held;
    const sum = sumOf(i);
    const own = [tree.before[i], tree.after[i]];
    const place = data.places[tree.name[i]] || "";
    const words = `${tree.names[tree.name[i]]}${chips(i)}${place ? "  " + place : ""}: ${amount(sum.before, unit)} -> ${amount(sum.after, unit)} (${signed(sum.after - sum.before, unit)}; up ${amount(sum.up, unit)}, down ${amount(sum.down, unit)})`
      + (own[0] || own[1] ? `; itself ${amount(own[0], unit)} -> ${amount(own[1], unit)}` : "");
    held.textContent = words;
    actions.replaceChildren();
    const row = state.shape === "tree" ? data.row[tree.origin[i]] : -1;
    if (row >= 0 && row < view.sites.id.length) actions.append(el("button", { onclick: () => openSite(row) }, "open the site"));
    if (i > 0) {
      const name = tree.name[i];
      actions.append(
        el("button", { onclick: () => only("callees", name) }, "what it calls"),
        el("button", { onclick: () => only("callers", name) }, "who calls it"),
      );
    }
    if (state.root > 0 || state.shape === "callees" || state.shape === "callers") actions.append(el("button", { onclick: back }, "back to all"));
  }

  /** @param {string} shape @param {number} name */
  function only(shape, name) {
    Object.assign(state, { shape, name, root: 0, held: 0 });
    rebuild();
    canvas.focus();
  }

  function back() {
    Object.assign(state, { shape: "tree", root: 0, held: 0, find: "" });
    shapes.querySelector("select").value = "tree";
    find.value = "";
    rebuild();
    canvas.focus();
  }

  /** @param {MouseEvent} e */
  function at(e) {
    const around = canvas.getBoundingClientRect();
    const width = around.width, depth = boxes.reduce((d, b) => Math.max(d, b.depth), 0) + 1;
    const row = Math.floor((e.clientY - around.top) / ROW);
    const level = state.upside ? depth - 1 - row : row;
    const x = (e.clientX - around.left) / width;
    return boxes.find((b) => b.depth === level && x >= b.left && x < b.left + b.width);
  }

  canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ e) => {
    const box = at(e);
    canvas.title = box ? `${tree.names[tree.name[box.node]]} ${signed(sumOf(box.node).after - sumOf(box.node).before, unit)}` : "";
  });
  canvas.addEventListener("click", (/** @type {MouseEvent} */ e) => {
    const box = at(e);
    if (!box) return;
    state.held = box.node;
    state.root = box.node;
    draw();
  });

  /** Moves to a node and says what it is. @param {number|undefined} i */
  function walk(i) {
    if (i === undefined || i < 0 || !placed.has(i)) return;
    state.held = i;
    draw();
    const box = placed.get(i);
    const depth = boxes.reduce((d, b) => Math.max(d, b.depth), 0);
    const y = (state.upside ? depth - box.depth : box.depth) * ROW;
    if (y < scroll.scrollTop || y + ROW > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = y - ROW;
    announce(held.textContent || "");
  }

  const siblings = () => boxes.filter((b) => tree.parent[b.node] === tree.parent[state.held] && !b.above).sort((a, b) => a.left - b.left).map((b) => b.node);
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => {
    const inward = state.upside ? "ArrowUp" : "ArrowDown", outward = state.upside ? "ArrowDown" : "ArrowUp";
    const row = siblings(), here = row.indexOf(state.held);
    if (e.key === inward) {
      const below = boxes.filter((b) => tree.parent[b.node] === state.held && !b.above).sort((a, b) => b.width - a.width)[0];
      walk(below && below.node);
    } else if (e.key === outward) walk(tree.parent[state.held]);
    else if (e.key === "ArrowLeft") walk(row[here - 1]);
    else if (e.key === "ArrowRight") walk(row[here + 1]);
    else if (e.key === "Enter") { state.root = state.held; draw(); }
    else if (e.key === "Escape" || e.key === "0") back();
    else if (e.key === "w") {
      const mode = MODES[(MODES.indexOf(state.mode) + 1) % MODES.length];
      state.mode = mode;
      modes.querySelector("select").value = mode;
      draw();
      announce("width: " + mode);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  });

  const pruned = data.pruned ? el("p", { class: "faint" }, `${data.pruned} frames below a thousandth of every width are summed up where they belong.`) : null;
  const node = el("section", { class: "flame", "aria-label": "Flamegraph" },
    el("div", { class: "controls" }, modes, shapes, orders, colors, sides, runs, find), scroll, held, actions, pruned);
  // Laid out when it becomes visible, and again when it changes its size.
  new ResizeObserver(() => { if (scroll.clientWidth > 0) draw(); }).observe(scroll);
  rebuild();

  return {
    node,
    redraw: draw,
    /** Holds the frame at which a site ends. @param {number} row */
    show(row) {
      const i = data.row.indexOf(row);
      const at = i >= 0 ? i : data.row.length ? data.site_node[row] : -1;
      if (at === undefined || at < 0) return;
      Object.assign(state, { shape: "tree", root: 0, held: at });
      rebuild();
    },
    focus: () => canvas.focus(),
  };
}
