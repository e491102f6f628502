// @ts-check
// A long table: rows are drawn as they come into view, so that a hundred thousand cost no more than
// thirty. It is searched, filtered, sorted and walked by keys.
import { el, announce } from "./dom.js";
import { grouped } from "./format.js";

const ROW = 30;

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} wide `n` number, `s` small picture, `c` a word, `w` the rest
 * @property {(i: number) => any} value what it is sorted by
 * @property {(i: number) => any} text what it shows
 */

/**
 * @param {object} what
 * @param {string} what.id the word in ids: `site` makes `site-search`, `site-class`, `site-count`
 * @param {string} what.noun what rows are, many of them
 * @param {number} what.count
 * @param {Column[]} what.columns
 * @param {(i: number) => string} what.name what a row is called, aloud and in a search
 * @param {(i: number) => string} what.said what is said when a row is reached
 * @param {{key: string, label: string, value: (i: number) => string}[]} what.filters
 * @param {number} what.omitted rows that are not here
 * @param {(i: number) => void} [what.open]
 */
export function grid(what) {
  const { columns, count } = what;
  const state = { sort: "", down: true, text: "", held: -1 };
  /** @type {number[]} */
  let shown = [];
  const lower = Array.from({ length: count }, (_, i) => what.name(i).toLowerCase());
  const heads = columns.map((c) => {
    const button = el("button", { type: "button" }, c.title);
    button.addEventListener("click", () => {
      const numbers = c.wide === "n" || c.wide === "s";
      if (state.sort === c.key) state.down = !state.down;
      else Object.assign(state, { sort: c.key, down: numbers });
      apply();
      announce(`sorted by ${c.title}, ${numbers ? (state.down ? "largest" : "smallest") : state.down ? "last" : "first"} first`);
    });
    return el("div", { role: "columnheader", class: "cell " + c.wide, "data-key": c.key }, button);
  });
  const spacer = el("div", { class: "spacer", role: "presentation" });
  const rows = el("div", { class: "rows", role: "rowgroup" });
  const body = el("div", { class: "body", role: "presentation" }, spacer, rows);
  const scroll = el("div", { class: "sites-scroll", tabindex: 0, role: "table", "aria-label": `${what.noun}; arrow keys move${what.open ? ", Enter opens" : ""}`, "aria-rowcount": count + 1, "aria-colcount": columns.length },
    el("div", { class: "head", role: "rowgroup" }, el("div", { class: "row", role: "row", "aria-rowindex": 1 }, ...heads)), body);
  const search = el("input", { type: "search", id: what.id + "-search", placeholder: "search " + what.noun, "aria-label": "search " + what.noun });
  const filters = what.filters.map((f) => {
    const values = Array.from(new Set(Array.from({ length: count }, (_, i) => f.value(i)))).sort();
    const select = el("select", { id: what.id + "-" + f.key, "aria-label": f.label }, el("option", { value: "" }, "every " + f.label), ...values.map((v) => el("option", { value: v }, v || "none")));
    select.addEventListener("change", () => { scroll.scrollTop = 0; apply(); });
    return { select, value: f.value, choices: values.length };
  });
  const counted = el("span", { class: "faint", id: what.id + "-count" });
  const nothing = el("p", { class: "nothing" }, "Nothing here is called so.");
  const node = el("section", { class: "sites", "aria-label": what.noun },
    el("div", { class: "controls" }, search, ...filters.filter((f) => f.choices > 1).map((f) => f.select), counted), scroll);

  function apply() {
    const text = state.text.toLowerCase();
    const wanted = filters.filter((f) => f.select.value !== "");
    shown = [];
    for (let i = 0; i < count; i++) {
      if (text && !lower[i].includes(text)) continue;
      if (wanted.every((f) => f.value(i) === f.select.value)) shown.push(i);
    }
    const column = columns.find((c) => c.key === state.sort);
    if (column) {
      const sign = state.down ? -1 : 1;
      const values = lower.map((_, i) => column.value(i));
      shown.sort((a, b) => sign * (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0) || a - b);
    }
    heads.forEach((h, k) => h.setAttribute("aria-sort", columns[k].key !== state.sort ? "none" : state.down ? "descending" : "ascending"));
    scroll.setAttribute("aria-rowcount", String(shown.length + 1));
    body.style.height = Math.max(1, shown.length) * ROW + "px";
    const rest = what.omitted ? `; ${grouped(what.omitted)} more are summed up in the totals` : "";
    counted.textContent = `${grouped(shown.length)} of ${grouped(count)} ${what.noun}${rest}`;
    draw();
  }

  function draw() {
    const height = scroll.clientHeight || 600;
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 8);
    const last = Math.min(shown.length, first + Math.ceil(height / ROW) + 16);
    const fresh = [];
    for (let k = first; k < last; k++) {
      const i = shown[k];
      const row = el("div", { class: "row" + (i === state.held ? " held" : "") + (what.open ? " open" : ""), role: "row", "aria-rowindex": k + 2, "data-row": i },
        ...columns.map((c) => el("div", { class: "cell " + c.wide, role: "cell" }, c.text(i))));
      row.addEventListener("click", () => { hold(i); what.open?.(i); });
      fresh.push(row);
    }
    rows.style.transform = `translateY(${first * ROW}px)`;
    rows.replaceChildren(...(shown.length ? fresh : [el("div", { role: "row" }, el("div", { role: "cell" }, nothing))]));
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
      announce(what.said(state.held));
    } else if (e.key === "Enter" && state.held >= 0 && what.open) what.open(state.held);
    else return;
    e.preventDefault();
  });
  search.addEventListener("input", () => { state.text = search.value; scroll.scrollTop = 0; apply(); });
  new ResizeObserver(() => { if (scroll.clientHeight > 0) draw(); }).observe(scroll);
  apply();
  return {
    node,
    search,
    focus: () => scroll.focus(),
    /** Holds a row, whatever is filtered. @param {number} row */
    show(row) {
      if (!shown.includes(row)) {
        state.text = "";
        search.value = "";
        for (const f of filters) f.select.value = "";
        apply();
      }
      hold(row);
    },
  };
}
