// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="esnext" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Keeps the page as things are, by the process's events, and draws the graphs. A page that hears nothing says so, and since when; one that
 * nobody sees leaves its place to others.
 */

import { stateInWords } from "./format.js";
import { find, Group, STEP_SECONDS, write } from "./tiles.js";

/** News come every five seconds; later than this there are none, in milliseconds: on a stream that is open, and without one. */
const SILENCE_MS = 15_000;
const ALONE_MS = 7_000;
/** Between two tries to get some, in milliseconds. */
const RETRY_MS = 2_000;

/** @typedef {{ layout: string, ready: boolean, problems: string[], groups: Record<string, import("./tiles.js").Points> }} News */

/** The step that somebody points at in a graph. @type {number | undefined} */
let pointedAt;
const groups = new Map(
  [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-group]"))].map((group) => [
    group.dataset.group,
    new Group(group, (step) => {
      // One group may know nothing of a time at which another does.
      if (step !== undefined || document.querySelector(".past") === null) pointedAt = step;
      sayTime();
    }),
  ]),
);
const sections = document.querySelectorAll("#tables > section");
const title = document.title;

/** Tables that are not shown yet. @type {Map<number, string>} */
const tables = new Map();
/** @type {EventSource | undefined} */
let events;
let heardAt = Date.now();
let askedAt = 0;

/** @param {News} news */
function take({ layout, ready, problems, groups: points }) {
  if (layout !== document.documentElement.dataset.layout) return location.reload();
  for (const [key, one] of Object.entries(points)) groups.get(key)?.take(one);
  const state = find(document, "#state");
  state.className = !ready ? "bad" : problems.length > 0 ? "doubtful" : "good";
  write(find(state, "strong"), ready ? "Ready" : "Not ready");
  write(find(state, "span"), stateInWords(ready, problems.length));
  const list = find(state, "ul");
  // What stays is not told again to whoever listens to the page.
  if (problems.join("\n") !== [...list.children].map((item) => item.textContent).join("\n")) {
    list.replaceChildren(...problems.map((problem) => {
      const item = document.createElement("li");
      item.textContent = problem;
      return item;
    }));
  }
  document.title = problems.length === 0 && ready ? title : `(${problems.length}) ${title}`;
}

/** Shows the new tables; one in which somebody selects or has the focus, later. */
function showTables() {
  for (const [at, html] of tables) {
    const section = sections[at];
    const selection = document.getSelection();
    const isSelecting = selection?.isCollapsed === false && section?.contains(selection.anchorNode);
    if (section === undefined || isSelecting || section.querySelector(":focus:not(.scroll)") !== null) continue;
    tables.delete(at);
    const before = section.querySelector(".scroll");
    const [left, top, hadFocus] = [before?.scrollLeft ?? 0, before?.scrollTop ?? 0, before?.matches(":focus") === true];
    section.innerHTML = html;
    const now = /** @type {HTMLElement | null} */ (section.querySelector(".scroll"));
    if (now === null) continue;
    now.scrollTo(left, top);
    if (hadFocus) now.focus({ preventScroll: true });
  }
}

function open() {
  events?.close();
  askedAt = Date.now();
  const own = events = new EventSource("dashboard/live");
  const heard = () => {
    heardAt = Date.now();
    sayTime();
  };
  own.addEventListener("points", ({ data }) => {
    heard();
    take(JSON.parse(data));
    showTables();
  });
  own.addEventListener("tables", ({ data }) => {
    for (const [at, html] of JSON.parse(data)) tables.set(at, html);
    showTables();
  });
  // A browser itself tries again only where a stream broke off, and each in its own time.
  own.addEventListener("error", () => own.close());
}

function sayTime() {
  const isSilent = Date.now() - heardAt > (events?.readyState === EventSource.OPEN ? SILENCE_MS : ALONE_MS);
  const time = new Date(pointedAt === undefined ? heardAt : pointedAt * STEP_SECONDS * 1000).toLocaleTimeString();
  const news = find(document, "#news");
  news.classList.toggle("silent", isSilent);
  write(news, pointedAt !== undefined ? `at ${time}` : isSilent ? `no news since ${time}` : `live, ${time}`);
}

setInterval(() => {
  sayTime();
  const isOpen = events !== undefined && events.readyState !== EventSource.CLOSED;
  const now = Date.now();
  if (document.hidden || now - askedAt < RETRY_MS) return;
  if (!isOpen || now - Math.max(heardAt, askedAt) > SILENCE_MS) open();
}, 1_000);
document.addEventListener("visibilitychange", () => document.hidden ? events?.close() : open());
if (!document.hidden) open();
