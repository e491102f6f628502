// @ts-check
// The tree of before and after: other captures, upside down, one function, and its layout. Numbers
// alone, so that it can be tested without a browser.

/**
 * A tree in order of depth first or at least parents before children.
 * @typedef {object} Tree
 * @property {string[]} names
 * @property {number[]} parent position of the caller; -1 at the root
 * @property {number[]} name
 * @property {number[]} before own, before
 * @property {number[]} after own, after
 * @property {number[]} up own increases
 * @property {number[]} down own decreases
 * @property {number[]} loud 1 where a change beyond the noise ends here
 * @property {number[]} origin the node of the report's tree that this one came from
 */

/** Widths, in the order of the switch. */
export const MODES = ["churn", "after", "before", "growth"];

/**
 * The tree of the page's data, between its first capture and the one at `to`.
 * @param {any} flame @param {number} to
 * @returns {Tree}
 */
export function between(flame, to) {
  const n = flame.parent.length;
  const from = flame.ends[0];
  const tree = blank(flame.names);
  const rest = new Map(flame.rest.map((/** @type {any} */ r) => [r.node, r]));
  for (let i = 0; i < n; i++) {
    const own = flame.own[i] || [];
    const before = own[from] || 0, after = own[to] || 0;
    const several = rest.get(i);
    push(tree, flame.parent[i], flame.name[i], {
      before, after,
      up: several ? several.up[to] : Math.max(0, after - before),
      down: several ? several.down[to] : Math.max(0, before - after),
      loud: flame.loud[i] || 0, origin: i,
    });
  }
  return tree;
}

/** @param {string[]} names @returns {Tree} */
function blank(names) {
  return { names, parent: [], name: [], before: [], after: [], up: [], down: [], loud: [], origin: [] };
}

/** @param {Tree} t @param {number} parent @param {number} name @param {any} v */
function push(t, parent, name, v) {
  t.parent.push(parent);
  t.name.push(name);
  for (const k of /** @type {const} */ (["before", "after", "up", "down", "loud", "origin"])) t[k].push(v[k]);
  return t.parent.length - 1;
}

/** @param {Tree} t @param {number} at @param {Tree} from @param {number} i */
function add(t, at, from, i) {
  t.before[at] += from.before[i];
  t.after[at] += from.after[i];
  t.up[at] += from.up[i];
  t.down[at] += from.down[i];
  t.loud[at] = Math.max(t.loud[at], from.loud[i]);
}

const NOTHING = { before: 0, after: 0, up: 0, down: 0, loud: 0, origin: 0 };

/**
 * A merging builder: children by name.
 * @param {Tree} source
 */
function merger(source) {
  const tree = blank(source.names);
  push(tree, -1, source.name[0] || 0, { ...NOTHING });
  const known = new Map();
  const child = (/** @type {number} */ at, /** @type {number} */ name, /** @type {number} */ origin) => {
    const key = at * source.names.length + name;
    let c = known.get(key);
    if (c === undefined) {
      c = push(tree, at, name, { ...NOTHING, origin });
      known.set(key, c);
    }
    return c;
  };
  return { tree, child };
}

/**
 * Upside down: what allocates first, below it who called it. What a frame holds by itself moves to
 * the end of its chain of callers, so sums stay.
 * @param {Tree} source @returns {Tree}
 */
export function inverted(source) {
  const { tree, child } = merger(source);
  for (let i = 0; i < source.parent.length; i++) {
    if (!source.before[i] && !source.after[i] && !source.up[i] && !source.down[i]) continue;
    let at = 0;
    for (let j = i; j > 0; j = source.parent[j]) at = child(at, source.name[j], source.origin[j]);
    add(tree, at, source, i);
  }
  return tree;
}

/**
 * What one function calls, wherever it is called from; a recursive call counts once.
 * @param {Tree} source @param {number} name @returns {Tree}
 */
export function callees(source, name) {
  const { tree, child } = merger(source);
  const place = new Int32Array(source.parent.length).fill(-1);
  for (let i = 1; i < source.parent.length; i++) {
    const above = place[source.parent[i]];
    if (above >= 0) place[i] = child(above, source.name[i], source.origin[i]);
    else if (source.name[i] === name) place[i] = child(0, name, source.origin[i]);
    if (place[i] >= 0) add(tree, place[i], source, i);
  }
  return tree;
}

/**
 * Who calls one function, nearest first; a recursive stack counts once.
 * @param {Tree} source @param {number} name @returns {Tree}
 */
export function callers(source, name) {
  const { tree, child } = merger(source);
  const top = new Int32Array(source.parent.length).fill(-1);
  for (let i = 1; i < source.parent.length; i++) {
    const above = top[source.parent[i]];
    top[i] = above >= 0 ? above : source.name[i] === name ? i : -1;
    if (top[i] < 0) continue;
    let at = 0;
    for (let j = top[i]; j > 0; j = source.parent[j]) at = child(at, source.name[j], source.origin[j]);
    add(tree, at, source, i);
  }
  return tree;
}

/**
 * Sums over subtrees.
 * @param {Tree} t
 * @returns {{before: number[], after: number[], up: number[], down: number[], loud: number[]}}
 */
export function totals(t) {
  const sum = { before: t.before.slice(), after: t.after.slice(), up: t.up.slice(), down: t.down.slice(), loud: t.loud.slice() };
  for (let i = t.parent.length - 1; i > 0; i--) {
    const p = t.parent[i];
    sum.before[p] += sum.before[i];
    sum.after[p] += sum.after[i];
    sum.up[p] += sum.up[i];
    sum.down[p] += sum.down[i];
    sum.loud[p] = Math.max(sum.loud[p], sum.loud[i]);
  }
  return sum;
}

/**
 * Places of the frames below `root`, and of the callers above it at full width.
 * @param {Tree} t @param {{mode: string, byGrowth: boolean, root: number, least: number}} how `least`: share of the picture below which nothing is placed
 * @returns {{node: number, left: number, width: number, depth: number, above: boolean}[]} shares of the picture
 */
export function layout(t, how) {
  const own = {
    churn: (/** @type {number} */ i) => t.up[i] + t.down[i],
    after: (/** @type {number} */ i) => Math.max(0, t.after[i]),
    before: (/** @type {number} */ i) => Math.max(0, t.before[i]),
    growth: (/** @type {number} */ i) => t.up[i],
  }[how.mode] || (() => 0);
  const wide = t.parent.map((_, i) => own(i));
  const net = t.after.map((a, i) => a - t.before[i]);
  /** @type {number[][]} */
  const children = t.parent.map(() => []);
  for (let i = t.parent.length - 1; i > 0; i--) {
    wide[t.parent[i]] += wide[i];
    net[t.parent[i]] += net[i];
  }
  for (let i = 1; i < t.parent.length; i++) children[t.parent[i]].push(i);
  const boxes = [];
  const above = [];
  for (let i = how.root; i > 0; i = t.parent[i]) above.push(t.parent[i]);
  above.reverse().forEach((node, depth) => boxes.push({ node, left: 0, width: 1, depth, above: true }));
  const whole = wide[how.root];
  const todo = whole > 0 ? [{ node: how.root, left: 0, depth: above.length }] : [];
  const named = (/** @type {number} */ i) => t.names[t.name[i]];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { node, left, depth } = next;
    const width = wide[node] / whole;
    if (width < how.least) continue;
    boxes.push({ node, left, width, depth, above: false });
    const list = children[node].slice();
    list.sort((a, b) => (how.byGrowth ? net[b] - net[a] : 0) || (named(a) < named(b) ? -1 : named(a) > named(b) ? 1 : a - b));
    let x = left;
    for (const c of list) {
      todo.push({ node: c, left: x, depth: depth + 1 });
      x += wide[c] / whole;
    }
  }
  return boxes;
}

/**
 * What a frame's colour says, as in the picture that stands alone.
 * @param {{before: number, after: number, up: number, down: number, loud: number}} sum
 */
export function tone(sum) {
  const delta = sum.after - sum.before;
  if (!sum.loud) return "quiet";
  if (delta > 0) return sum.before === 0 ? "new" : "grew";
  if (delta < 0) return sum.after === 0 ? "gone" : "shrank";
  return sum.up + sum.down > 0 ? "moved" : "quiet";
}
