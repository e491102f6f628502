// @ts-check
// The table of sites: rows are drawn as they come into view, so that a hundred thousand cost no
// more than thirty.
import { el, announce } from "./dom.js";
import { amount, signed, rate, grouped } from "./format.js";
import { spark } from "./plot.js";

const ROW = 30;

/**
 * @param {any} view
 * @param {(row: number) => void} open
 */
export function table(view, open) {
  const s = view.sites, unit = view.unit, count = s.id.length;
  const state = { sort: "", down: true, text: "", growth: "", held: -1 };
  /** @type {number[]} */
  let shown = [];
  const lower = s.name.map((/** @type {string} */ n, /** @type {number} */ i) => (n + " " + s.place[i] + " " + s.id[i]).toLowerCase());
  const delta = (/** @type {number} */ i) => s.after[i] - s.before[i];
  /** @type {{key: string, title: string, wide: string, value: (i: number) => any, text: (i: number) => any}[]} */
  const columns = [
    ...(view.knows_runs ? [{ key: "rate", title: "per " + view.per, wide: "n", value: (/** @type {number} */ i) => s.per_run[i] ?? 0, text: (/** @type {number} */ i) => (s.per_run[i] === null ? "" : rate(s.per_run[i], unit)) }] : []),
    { key: "delta", title: "growth", wide: "n", value: delta, text: (i) => signed(delta(i), unit) },
    { key: "before", title: "before", wide: "n", value: (i) => s.before[i], text: (i) => amount(s.before[i], unit) },
    { key: "after", title: "after", wide: "n", value: (i) => s.after[i], text: (i) => amount(s.after[i], unit) },
    { key: "series", title: "series", wide: "s", value: (i) => delta(i), text: (i) => spark(s.series[i], view.base) },
    { key: "class", title: "class", wide: "c", value: (i) => view.classes[s.growth[i]], text: (i) => el("span", { class: "class g-" + view.classes[s.growth[i]] }, view.classes[s.growth[i]]) },
    { key: "site", title: "site", wide: "w", value: (i) => s.name[i], text: (i) => el("span", {}, el("span", { class: "site" }, s.name[i]), " ", el("span", { class: "place" }, s.place[i])) },
  ];
  const heads = columns.map((c) => {
    const button = el("button", { type: "button" }, c.title);
    button.addEventListener("click", () => {
      if (state.sort === c.key) state.down = !state.down;
      else Object.assign(state, { sort: c.key, down: c.wide === "n" || c.wide === "s" });
      apply();
      announce(`sorted by ${c.title}, ${state.down ? "largest" : "smallest"} first`);
    });
    return el("div", { role: "columnheader", class: "cell " + c.wide, "data-key": c.key }, button);
  });
  const spacer = el("div", { class: "spacer", role: "presentation" });
  const rows = el("div", { class: "rows", role: "rowgroup" });
  const body = el("div", { class: "body", role: "presentation" }, spacer, rows);
  const scroll = el("div", { class: "sites-scroll", tabindex: 0, role: "table", "aria-label": "Sites; arrow keys move, Enter opens", "aria-rowcount": count + 1, "aria-colcount": columns.length },
    el("div", { class: "head", role: "rowgroup" }, el("div", { class: "row", role: "row", "aria-rowindex": 1 }, ...heads)), body);
  const search = el("input", { type: "search", id: "site-search", placeholder: "search sites", "aria-label": "search sites" });
  const classes = Array.from(new Set(s.growth)).map((g) => view.classes[/** @type {number} */ (g)]).sort();
  const filter = el("select", { id: "site-class", "aria-label": "growth class" }, el("option", { value: "" }, "every class"), ...classes.map((c) => el("option", { value: c }, c)));
  const counted = el("span", { class: "faint", id: "site-count" });
  const node = el("section", { class: "sites", "aria-label": "Sites" }, el("div", { class: "controls" }, search, filter, counted), scroll);

  function apply() {
    const text = state.text.toLowerCase();
    shown = [];
    for (let i = 0; i < count; i++) {
      if (text && !lower[i].includes(text)) continue;
      if (state.growth && view.classes[s.growth[i]] !== state.growth) continue;
      shown.push(i);
    }
    const column = columns.find((c) => c.key === state.sort);
    if (column) {
      const sign = state.down ? -1 : 1;
      const values = s.id.map((/** @type {any} */ _, /** @type {number} */ i) => column.value(i));
      shown.sort((a, b) => sign * (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0) || a - b);
    }
    heads.forEach((h, k) => h.setAttribute("aria-sort", columns[k].key !== state.sort ? "none" : state.down ? "descending" : "ascending"));
    scroll.setAttribute("aria-rowcount", String(shown.length + 1));
    body.style.height = shown.length * ROW + "px";
    const rest = view.omitted ? `; ${grouped(view.omitted)} more are summed up in the totals` : "";
    counted.textContent = `${grouped(shown.length)} of ${grouped(count)} sites${rest}`;
    draw();
  }

  function draw() {
    const height = scroll.clientHeight || 600;
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 8);
    const last = Math.min(shown.length, first + Math.ceil(height / ROW) + 16);
    const fresh = [];
    for (let k = first; k < last; k++) {
      const i = shown[k];
      const row = el("div", { class: "row" + (i === state.held ? " held" : ""), role: "row", "aria-rowindex": k + 2, "data-row": i },
        ...columns.map((c) => el("div", { class: "cell " + c.wide, role: "cell" }, c.text(i))));
      row.addEventListener("click", () => { hold(i); open(i); });
      fresh.push(row);
    }
    rows.style.transform = `translateY(${first * ROW}px)`;
    rows.replaceChildren(...fresh);
  }

  /** @param {number} i */
  function hold(i) {
    state.held = i;
    const k = shown.indexOf(i);
    if (k >= 0) {
      const top = k * ROW, view = scroll.clientHeight - ROW;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      else if (top + ROW > scroll.scrollTop + view) scroll.scrollTop = top + ROW - view;
    }
    draw();
  }

  let waiting = false;
  scroll.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  scroll.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => {
    if (e.target !== scroll) return;
    const here = shown.indexOf(state.held);
    const page = Math.max(1, Math.floor(scroll.clientHeight / ROW) - 2);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: shown.length - 1 }[e.key];
    if (to !== undefined && shown.length) {
      hold(shown[Math.max(0, Math.min(shown.length - 1, to))]);
      announce(`${s.name[state.held]}, ${signed(delta(state.held), unit)}`);
    } else if (e.key === "Enter" && state.held >= 0) open(state.held);
    else return;
    e.preventDefault();
  });
  search.addEventListener("input", () => { state.text = search.value; scroll.scrollTop = 0; apply(); });
  filter.addEventListener("change", () => { state.growth = filter.value; scroll.scrollTop = 0; apply(); });
  new ResizeObserver(() => { if (scroll.clientHeight > 0) draw(); }).observe(scroll);
  apply();
  return {
    node,
    search,
    focus: () => scroll.focus(),
    /** Holds a row, whatever is filtered. @param {number} row */
    show(row) {
      if (!shown.includes(row)) {
        Object.assign(state, { text: "", growth: "" });
        search.value = "";
        filter.value = "";
        apply();
      }
      hold(row);
    },
  };
}
