// @ts-check
/** How figures are written, for the server's page and for the browser's, which loads this very file. */

/** @typedef {"perSecond" | "seconds" | "bytes" | "count" | "share"} Unit */

const MINUTE = 60;
const HOUR = 3600;
const MEBIBYTE = 1024 ** 2;

/**
 * A value and its unit, which goes in smaller letters; a dash where nothing is known.
 * @param {number | null | undefined} value
 * @param {Unit} unit
 * @returns {[value: string, unit: string]}
 */
export function formatted(value, unit) {
  if (value === null || value === undefined) return ["–", ""];
  switch (unit) {
    case "perSecond":
      return [short(value), "/s"];
    case "count":
      return [short(value), ""];
    case "share":
      return [short(value * 100), "%"];
    case "bytes":
      return value < 1024 * MEBIBYTE ? [short(value / MEBIBYTE), "MiB"] : [short(value / 1024 / MEBIBYTE), "GiB"];
    case "seconds":
      if (value === 0) return ["0", "s"];
      if (value < 0.000_95) return [short(value * 1_000_000), "µs"];
      if (value < 0.95) return [short(value * 1000), "ms"];
      if (value < 2 * MINUTE) return [short(value), "s"];
      return value < 2 * HOUR ? [short(value / MINUTE), "min"] : [short(value / HOUR), "h"];
  }
}

/**
 * The same in one piece.
 * @param {number | null | undefined} value
 * @param {Unit} unit
 */
export function inWords(value, unit) {
  const [number, name] = formatted(value, unit);
  return name === "" || name === "/s" ? number + name : `${number} ${name}`;
}

/**
 * What stands behind "Ready" or "Not ready".
 * @param {boolean} ready
 * @param {number} problems
 */
export function stateInWords(ready, problems) {
  if (problems === 0) return "nothing is wrong";
  return ready ? "but something is wrong:" : "";
}

/**
 * Three digits, as far as they mean anything.
 * @param {number} value
 */
function short(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString("en-GB");
}
