// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="esnext" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The tiles of a group: each with its value now, or where somebody points at, and its graph. In: the group's points, as they come. */

import { formatted, inWords } from "./format.js";
import { Graph } from "./graph.js";

export const STEP_SECONDS = 5;
const STEPS = 720;
const MINUTE = 60;

/** @typedef {{ until: number, series: Record<string, (number | null)[]>, wrong: string[] }} Points */

export class Group {
  /** The first and the last step of which something was heard. @type {number | undefined} */
  #first;
  #until = 0;
  /** By the step modulo {@link STEPS}. @type {Map<string, (number | null)[]>} */
  #values = new Map();
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #span;

  /**
   * @param {HTMLElement} element
   * @param {(step: number | undefined) => void} onPoint which step somebody points at
   */
  constructor(element, onPoint) {
    this.#span = find(element, "h2 small");
    for (const tile of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-key]"))) {
      const key = tile.dataset.key ?? "";
      this.#values.set(key, new Array(STEPS).fill(null));
      this.#tiles.set(key, new Tile(tile, (at) => onPoint(at === undefined ? undefined : this.#begin + at)));
    }
  }

  /** The first step that is shown. */
  get #begin() {
    return Math.max(this.#first ?? this.#until, this.#until - STEPS + 1);
  }

  /** @param {Points} points the last ones may be those of before, with what came late */
  take({ until, series, wrong }) {
    const length = Math.max(0, ...Object.values(series).map((values) => values.length));
    if (length === 0) return;
    const first = until - length + 1;
    this.#first = Math.min(this.#first ?? first, first);
    for (const [key, all] of this.#values) {
      // What was not heard of in between is not known.
      for (let step = Math.max(this.#until + 1, until - STEPS + 1); step < first; step++) all[step % STEPS] = null;
      series[key]?.forEach((value, at) => all[(first + at) % STEPS] = value);
    }
    this.#until = Math.max(this.#until, until);
    const begin = this.#begin;
    const steps = Array.from({ length: this.#until - begin + 1 }, (_, at) => begin + at);
    const times = steps.map((step) => step * STEP_SECONDS);
    for (const [key, tile] of this.#tiles) {
      tile.show(times, steps.map((step) => this.#values.get(key)?.[step % STEPS] ?? null), wrong.includes(key));
    }
    const minutes = Math.max(1, Math.round(steps.length * STEP_SECONDS / MINUTE));
    write(this.#span, minutes >= 60 ? "the last hour" : `the last ${minutes} min`);
  }
}

class Tile {
  /** @type {readonly (number | null)[]} */
  #values = [];
  /** @type {Graph | undefined} */
  #graph;
  /** Which point somebody points at. @type {number | undefined} */
  #cursor;
  #element;
  #unit;
  #onCursor;

  /**
   * @param {HTMLElement} element
   * @param {(at: number | undefined) => void} onCursor
   */
  constructor(element, onCursor) {
    this.#element = element;
    this.#unit = /** @type {import("./format.js").Unit} */ (element.dataset.unit);
    this.#onCursor = onCursor;
  }

  /**
   * @param {readonly number[]} times seconds since 1970
   * @param {readonly (number | null)[]} values
   * @param {boolean} isWrong
   */
  show(times, values, isWrong) {
    this.#values = values;
    const known = values.filter((value) => value !== null);
    this.#element.hidden = known.length === 0;
    this.#element.classList.toggle("wrong", isWrong);
    if (known.length === 0) return;
    // Without it there are the values.
    if ("uPlot" in globalThis) {
      this.#graph ??= new Graph(find(this.#element, ".graph"), (at) => {
        this.#cursor = at;
        this.#say();
        this.#onCursor(at);
      });
      this.#graph.show(times, values);
    }
    write(find(this.#element, ".most"), `at most ${inWords(Math.max(...known), this.#unit)}`);
    this.#say();
  }

  #say() {
    const [value, unit] = formatted(this.#values[this.#cursor ?? this.#values.length - 1], this.#unit);
    write(find(this.#element, ".now b"), value);
    write(find(this.#element, ".now span"), unit);
    this.#element.classList.toggle("past", this.#cursor !== undefined);
  }
}

/**
 * @param {ParentNode} place
 * @param {string} selector
 */
export function find(place, selector) {
  return /** @type {HTMLElement} */ (place.querySelector(selector));
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
