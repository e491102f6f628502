// @ts-check
// Numbers and names as the text rendering prints them.

const BINARY = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Digits in groups of three. @param {number} n */
export function grouped(n) {
  const digits = String(Math.abs(Math.round(n)));
  const text = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return n < 0 ? "-" + text : text;
}

/** Bytes in binary units, exact below 1 KiB. @param {number} n */
export function bytes(n) {
  const magnitude = Math.abs(n);
  if (magnitude < 1024) return `${plain(n)} B`;
  let value = magnitude / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit + 1 < BINARY.length) {
    value /= 1024;
    unit += 1;
  }
  const digits = value < 9.995 ? value.toFixed(2) : value.toFixed(1);
  return `${n < 0 ? "-" : ""}${digits} ${BINARY[unit]}`;
}

/** A real number without needless digits. @param {number} n */
export function plain(n) {
  if (Number.isInteger(n)) return grouped(n);
  const [whole, fraction] = Math.abs(n).toFixed(2).split(".");
  const rest = fraction.replace(/0+$/, "");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
  return n < 0 ? "-" + text : text;
}

/** A value in a metric's unit. @param {number} n @param {string} unit */
export function amount(n, unit) {
  return unit === "bytes" ? bytes(n) : plain(n);
}

/** The same with its sign. @param {number} n @param {string} unit */
export function signed(n, unit) {
  return (n > 0 ? "+" : "") + amount(n, unit);
}

/** A rate: exact bytes up to a million. @param {number} n @param {string} unit */
export function rate(n, unit) {
  const sign = n > 0 ? "+" : "";
  if (unit !== "bytes") return sign + plain(n);
  return sign + (Math.abs(n) >= 1e6 ? bytes(n) : `${plain(n)} B`);
}

/** `name` in at most `room` characters, shortened in the middle. @param {string} name @param {number} room */
export function shorten(name, room) {
  if (name.length <= room) return name;
  if (room < 5) return name.slice(0, Math.max(0, room));
  const head = Math.floor((room - 3) / 3);
  return name.slice(0, head) + "..." + name.slice(name.length - (room - 3 - head));
}
