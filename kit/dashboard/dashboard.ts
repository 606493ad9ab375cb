/**
 * What the status page of this process shows, for whoever has it open. In: the figures of each five seconds (sampler.ts), what has to hold
 * (ready.ts), tables. Out: a page as it is now (page.ts), and the events by which an open page stays so (viewers.ts). The tables are asked
 * for while somebody looks, once for all who do.
 */

import { registry } from "../metrics.ts";
import { type ReadyChecks, waitingFor } from "../ready.ts";
import { type StatusPage, tables } from "../status_page.ts";
import type { Figure, Unit } from "./figures.ts";
import type { History, Points } from "./history.ts";
import { pageHtml } from "./page.ts";
import { PROCESS_FIGURES } from "./process_figures.ts";
import { Sampler } from "./sampler.ts";
import { Viewers } from "./viewers.ts";
import { createHash } from "node:crypto";

/** One figure on the page: its value now, and a graph of its last hour. */
export interface Tile {
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
}

/** Tiles under one title. */
export interface TileGroup {
  readonly key: string;
  readonly title: string;
  readonly tiles: readonly Tile[];
  readonly history: History;
  /** The last step that is shown: by then all is known that there is to know. */
  readonly until: number | undefined;
  /** The keys of the tiles at which something is wrong. */
  readonly wrong: readonly string[];
  /** Keys of this process's own figures that it shows for all, so that these aren't shown for themselves. */
  readonly replaces?: ReadonlySet<string>;
  /** Brings it up to date for somebody who opens the page now. */
  look?(): Promise<void>;
  /** Brings it up to date behind a step. */
  step?(isWatched: boolean): Promise<void>;
}

export interface State {
  readonly ready: boolean;
  /** Each in a few words; none: all is well. */
  readonly problems: readonly string[];
}

/** What `GET /dashboard/data` answers. */
export interface ProcessData extends State, Points {
  readonly id: string;
  readonly service: string;
  /** The keys of the figures at which something is wrong. */
  readonly wrong: readonly string[];
}

export interface DashboardOptions {
  readonly service: string;
  /** Of this process, as discovery has it. */
  readonly id: string;
  readonly readyChecks: ReadyChecks;
  readonly sections?: StatusPage;
}

/** How many points an event brings: what came late with the last ones is in it as well. */
const STEPS_IN_EVENT = 3;
/** The most problems that are said in words; it is told how many more there are. */
const MOST_PROBLEMS = 12;

export class Dashboard {
  readonly sections: StatusPage;
  /** What this process shows of itself; added to before the start. */
  readonly figures: Figure[] = [...PROCESS_FIGURES];
  /** What it shows besides, above its own. */
  readonly groups: TileGroup[] = [];
  /** What is wrong elsewhere, as this process sees it: asked at each step, and told to people alone. */
  readonly problemsElsewhere: (() => readonly string[])[] = [];
  /** Whether a table may have buttons in it. */
  hasButtons = false;
  readonly viewers = new Viewers();
  #sampler: Sampler | undefined;
  #ownState: State = { ready: false, problems: ["has just started"] };
  /** The tables as they were sent last to all who look. */
  #sent: readonly string[] = [];
  #isShowing = false;

  constructor(readonly options: DashboardOptions) {
    this.sections = options.sections ?? [];
  }

  start(): void {
    this.#sampler ??= new Sampler(registry, this.figures, () => void this.#show());
    this.#sampler.start();
  }

  /** Ends what is open: these are requests in flight, which a stop waits for. */
  close(): void {
    this.viewers.close();
  }

  async stop(): Promise<void> {
    this.close();
    await this.#sampler?.stop();
  }

  /** The page as HTML. */
  async page(): Promise<string> {
    const state = await this.#look((group) => group.look?.());
    const html = await tables(this.sections);
    const { service } = this.options;
    return pageHtml({ service, layout: this.#layout(), state, groups: this.#groups(), tables: html });
  }

  /** Events for one open page: first the whole hour, then what is new. @throws UserError where too many are open */
  async open(cutOff?: () => void): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    this.viewers.check();
    const state = await this.#look((group) => group.look?.());
    // Whoever comes first has tables of before the last of the others went.
    if (this.viewers.count === 0) this.#sent = [];
    const sent = this.#sent.map((html, at): [number, string] => [at, html]);
    return this.viewers.open([["points", this.#points(state)], ["tables", sent]], cutOff);
  }

  /** What another process is told of this one: the points behind `after`. All of it is in memory. */
  data(after: number): ProcessData {
    const { service, id } = this.options;
    const points = this.#sampler?.history.points(after) ?? { until: 0, series: {} };
    return { service, id, ...this.#ownState, wrong: this.#sampler?.wrong.map(({ key }) => key) ?? [], ...points };
  }

  /** Behind each step: looks what is wrong, and tells it all to those who look. */
  async #show(): Promise<void> {
    // Where something hangs, the next step comes before this one is done.
    if (this.#isShowing) return;
    this.#isShowing = true;
    try {
      const isWatched = this.viewers.count > 0;
      const state = await this.#look((group) => group.step?.(isWatched));
      const html = isWatched ? await tables(this.sections) : [];
      if (!isWatched) return;
      const changed = html.map((one, at): [number, string] => [at, one]).filter(([at, one]) => one !== this.#sent[at]);
      this.#sent = html;
      this.viewers.send(
        ["points", this.#points(state, STEPS_IN_EVENT)],
        ...changed.length === 0 ? [] : [["tables", changed]] as const,
      );
    } catch {
      // A page without news says so; what is wrong with showing it is no reason to end a process.
    } finally {
      this.#isShowing = false;
    }
  }

  /** Brings the groups up to date by `refresh`, and says how it all is. */
  async #look(refresh: (group: TileGroup) => Promise<void> | undefined): Promise<State> {
    const [waiting] = await Promise.all([waitingFor(this.options.readyChecks), ...this.groups.map(refresh)]);
    const ready = waiting.length === 0;
    const own = [
      ...waiting.map((name) => `waiting for ${name}`),
      ...this.#sampler?.wrong.map(({ words }) => words) ?? [],
    ];
    this.#ownState = { ready, problems: own };
    const problems = [...own, ...this.problemsElsewhere.flatMap((told) => told())];
    const more = problems.length - MOST_PROBLEMS;
    return { ready, problems: more > 0 ? [...problems.slice(0, MOST_PROBLEMS), `and ${more} more`] : problems };
  }

  #groups(): TileGroup[] {
    const sampler = this.#sampler;
    if (sampler === undefined) return [...this.groups];
    return [...this.groups, {
      key: "here",
      title: this.groups.length === 0 ? "This process" : `This ${this.options.service}`,
      tiles: this.figures.filter(({ key }) => !this.groups.some(({ replaces }) => replaces?.has(key))),
      history: sampler.history,
      until: sampler.history.newest,
      wrong: sampler.wrong.map(({ key }) => key),
    }];
  }

  #points(state: State, steps?: number): unknown {
    const groups = this.#groups().map(({ key, history, until, wrong }) => {
      const after = steps === undefined || until === undefined ? undefined : until - steps;
      return [key, { ...history.points(after, until), wrong }];
    });
    return { layout: this.#layout(), ...state, groups: Object.fromEntries(groups) };
  }

  /** Tells a page that its process was replaced by one which shows something else: it loads itself anew then. */
  #layout(): string {
    const shown = this.#groups().map((
      { key, tiles },
    ) => [key, tiles.map(({ key, label, unit }) => [key, label, unit])]);
    return createHash("sha256").update(JSON.stringify([shown, this.sections.length])).digest("hex").slice(0, 16);
  }
}
