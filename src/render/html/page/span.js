// @ts-check
// The axis of time of several series.

/** From the first to the last sample. @param {any} s @returns {[number, number]} */
export function extent(s) {
  return [s.samples[0][0], s.samples[s.samples.length - 1][0]];
}

/**
 * The longest of these spans, with those that overlap it.
 * @param {[number, number][]} spans
 * @returns {[number, number]}
 */
export function together(spans) {
  const longest = spans.slice().sort((a, b) => b[1] - b[0] - (a[1] - a[0]));
  /** @type {[number, number]} */
  const out = longest.length === 0 ? [0, 1] : [longest[0][0], longest[0][1]];
  for (const [a, b] of longest) {
    if (a <= out[1] && b >= out[0]) {
      out[0] = Math.min(out[0], a);
      out[1] = Math.max(out[1], b);
    }
  }
  return out;
}
