// @ts-check
// The table of types.
import { el } from "./dom.js";
import { bytes, grouped, signed } from "./format.js";
import { grid } from "./grid.js";
import { spark } from "./plot.js";

/** @param {any} view */
export function types(view) {
  const t = view.types, several = view.labels.length > 1;
  const end = (/** @type {string} */ key) => (/** @type {number} */ i) => t.after[key][i];
  const delta = (/** @type {string} */ key) => (/** @type {number} */ i) => t.after[key][i] - t.before[key][i];
  const growth = (/** @type {number} */ i) => t.growth[i] || "";
  /** @type {(key: string, title: string, unit: string) => import("./grid.js").Column[]} */
  const pair = (key, title, unit) => [
    { key, title, wide: "n", value: end(key), text: (i) => (unit ? bytes(end(key)(i)) : grouped(end(key)(i))) },
    ...(several ? [{ key: key + "-growth", title: "growth", wide: "n", value: delta(key), text: (/** @type {number} */ i) => signed(delta(key)(i), unit) }] : []),
  ];
  return grid({
    id: "type", noun: "types", count: t.name.length, omitted: t.omitted,
    columns: [
      ...pair("count", "objects", ""), ...pair("shallow", "own bytes", "bytes"), ...pair("retained", "keeps", "bytes"),
      ...(several ? [
        { key: "series", title: "objects", wide: "s", value: delta("count"), text: (/** @type {number} */ i) => spark(t.series[i], view.base || 0) },
        { key: "class", title: "class", wide: "c", value: growth, text: (/** @type {number} */ i) => el("span", { class: "class g-" + growth(i) }, growth(i)) },
      ] : []),
      { key: "type", title: "type", wide: "w", value: (i) => t.name[i], text: (i) => el("span", { class: "site" }, t.name[i]) },
    ],
    name: (i) => t.name[i],
    said: (i) => `${t.name[i]}, ${grouped(end("count")(i))}`,
    filters: several ? [{ key: "class", label: "growth class", value: growth }] : [],
  });
}
