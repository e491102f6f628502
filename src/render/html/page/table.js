// @ts-check
// The table of sites.
import { el } from "./dom.js";
import { amount, signed, rate } from "./format.js";
import { grid } from "./grid.js";
import { spark } from "./plot.js";

/**
 * @param {any} view
 * @param {(row: number) => void} open
 */
export function table(view, open) {
  const s = view.sites, unit = view.unit;
  const delta = (/** @type {number} */ i) => s.after[i] - s.before[i];
  const growth = (/** @type {number} */ i) => view.classes[s.growth[i]];
  // Rows of one kind are one choice, however much each is reduced.
  const word = (/** @type {number} */ i) => view.words[s.word[i]];
  const kind = (/** @type {number} */ i) => word(i).replace(/ by .*/, "");
  const tone = (/** @type {number} */ i) => growth(i).replace(" ", "-");
  /** @type {import("./grid.js").Column[]} */
  const columns = [
    ...(view.knows_runs ? [{ key: "rate", title: "per " + view.per, wide: "n", value: (/** @type {number} */ i) => s.per_run[i] ?? 0, text: (/** @type {number} */ i) => (s.per_run[i] === null ? "" : rate(s.per_run[i], unit)) }] : []),
    { key: "delta", title: "growth", wide: "n", value: delta, text: (i) => signed(delta(i), unit) },
    { key: "before", title: "before", wide: "n", value: (i) => s.before[i], text: (i) => amount(s.before[i], unit) },
    { key: "after", title: "after", wide: "n", value: (i) => s.after[i], text: (i) => amount(s.after[i], unit) },
    { key: "series", title: "series", wide: "s", value: (i) => delta(i), text: (i) => spark(s.series[i], view.base) },
    { key: "class", title: "class", wide: "c", value: word, text: (i) => el("span", { class: "class g-" + tone(i) }, word(i)) },
    { key: "site", title: "site", wide: "w", value: (i) => s.name[i], text: (i) => el("span", {}, el("span", { class: "site" }, s.name[i]), " ", el("span", { class: "place" }, s.place[i])) },
  ];
  return grid({
    id: "site", noun: "sites", count: s.id.length, columns, open, omitted: view.omitted,
    name: (i) => s.name[i] + " " + s.place[i] + " " + s.id[i],
    said: (i) => `${s.name[i]}, ${signed(delta(i), unit)}`,
    filters: [{ key: "class", label: "growth class", value: kind }],
  });
}
