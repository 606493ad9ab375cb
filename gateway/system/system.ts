/**
 * The whole system on the status page. In: what each process says of its own figures, asked every half minute, and at each step while
 * somebody looks. Out: their sums and highest values of the last hour, in which those that are gone by now are as well; what each process
 * shows now; and what each says is wrong.
 */

import type { ProcessData, TileGroup } from "../../kit/dashboard/dashboard.ts";
import { History, STEP_SECONDS, stepOf, STEPS } from "../../kit/dashboard/history.ts";
import type { Directory } from "../../kit/directory.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { type Answer, askProcess } from "./process_data.ts";
import { SYSTEM_TILES } from "./tiles.ts";

/** How many processes are asked and shown. */
export const MOST_PROCESSES = 100;
/** While nobody looks they are asked each so many steps. */
const STEPS_BETWEEN = 6;
/** Of how many processes, the gone ones too, it is known up to where they were heard. */
const MOST_KNOWN = 10 * MOST_PROCESSES;
/** Every process takes its figures at the same time; these are asked for a moment later, in milliseconds. */
const BEHIND_MS = SECOND;
/** For so many steps a process that lags behind the others is waited for. */
const MOST_LAG = 2;

/** The figures of every process of which the last value is shown. */
const SHOWN_OF_EACH = ["requests", "failures", "p95", "lag", "cpu", "memory"] as const;

/** A process, and what it said when it was asked last. */
export interface Heard {
  readonly service: string;
  readonly url: string;
  readonly answer: Answer;
  /** Its figures as of its last point; none where it doesn't answer. */
  readonly now: Readonly<Record<string, number | null>>;
}

export interface SystemParts {
  readonly directory: Pick<Directory, "all">;
  /** Discovery's own nodes, which don't stand in it. */
  readonly discoveryUrls: readonly string[];
  readonly secret: string;
  /** Of this process, which isn't asked by a call. */
  readonly instanceId: string;
  readonly ownData: (after: number) => ProcessData;
  /** How a process is asked; default {@link askProcess}. */
  readonly ask?: typeof askProcess;
  /** How long after a step they are asked, in milliseconds; default 1,000. */
  readonly behindMs?: number;
}

export class SystemTiles implements TileGroup {
  readonly key = "system";
  readonly title = "The whole system";
  readonly tiles = SYSTEM_TILES;
  readonly replaces: ReadonlySet<string> = new Set(
    SYSTEM_TILES.flatMap(({ services, figure }) => services.includes("gateway") ? [figure] : []),
  );
  readonly history = new History(SYSTEM_TILES.map(({ key }) => key));
  /** The last step that was heard, by the id of a process. */
  readonly #heardUntil = new Map<string, number>();
  #heard: readonly Heard[] = [];
  #asking: Promise<void> | undefined;
  #askedAt = 0;

  constructor(private readonly parts: SystemParts) {}

  /** In the order of the services' names. */
  get heard(): readonly Heard[] {
    return this.#heard;
  }

  get until(): number | undefined {
    const own = this.history.newest;
    if (own === undefined) return undefined;
    const each = this.#heard.flatMap(({ answer }) =>
      typeof answer === "string" || answer.until === 0 ? [] : [answer.until]
    );
    return Math.max(own - MOST_LAG, Math.min(own, ...each));
  }

  get wrong(): string[] {
    return SYSTEM_TILES.filter(({ services, figure }) =>
      this.#heard.some(({ service, answer }) =>
        services.includes(service) && typeof answer !== "string" && answer.wrong.includes(figure)
      )
    ).map(({ key }) => key);
  }

  /** For whoever opens the page: what is known by now. */
  async look(): Promise<void> {
    if (Date.now() - this.#askedAt > STEP_SECONDS * SECOND) await this.#ask();
  }

  async step(isWatched: boolean): Promise<void> {
    if (!isWatched && Date.now() - this.#askedAt < (STEPS_BETWEEN - 0.5) * STEP_SECONDS * SECOND) return;
    await delay(this.parts.behindMs ?? BEHIND_MS);
    await this.#ask();
  }

  /** Once for all who want it at the same time. */
  #ask(): Promise<void> {
    return this.#asking ??= this.#askAll().finally(() => this.#asking = undefined);
  }

  async #askAll(): Promise<void> {
    this.#askedAt = Date.now();
    const { directory, discoveryUrls, instanceId, ownData, secret, ask = askProcess } = this.parts;
    const discovery = discoveryUrls.map((url) => ({ id: url, service: "discovery", url }));
    const before = new Map(this.#heard.map((one) => [one.url, one]));
    const heard = await Promise.all(
      [...discovery, ...directory.all()].slice(0, MOST_PROCESSES).map(async ({ id, service, url }): Promise<Heard> => {
        const last = before.get(url);
        const known = last === undefined || typeof last.answer === "string" ? id : last.answer.id;
        const after = this.#heardUntil.get(known) ?? -1;
        const said = id === instanceId ? ownData(after) : await ask(url, secret, after);
        const answer = typeof said === "string" || said.service === service ? said : "foreign";
        if (typeof answer === "string") return { service, url, answer, now: {} };
        this.#take(answer);
        // Asked twice within a step it has nothing new to say.
        const isNew = Object.values(answer.series).some((values) => values.length > 0);
        return { service, url, answer, now: isNew || last === undefined ? lastOf(answer) : last.now };
      }),
    );
    this.#heard = heard.sort((a, b) =>
      a.service === b.service ? a.url < b.url ? -1 : 1 : a.service < b.service ? -1 : 1
    );
  }

  /** Adds what a process says to what the others have said: each of its points once. */
  #take({ id, service, until, series }: ProcessData): void {
    const known = this.#heardUntil.get(id) ?? -1;
    const now = stepOf(Date.now());
    for (const { key, services, figure, over } of SYSTEM_TILES) {
      const values = services.includes(service) ? series[figure] ?? [] : [];
      values.forEach((value, at) => {
        const step = until - values.length + 1 + at;
        // Beyond that its clock is wrong.
        if (step > known && step > now - STEPS && step <= now + MOST_LAG) this.history.put(step, key, value, over);
      });
    }
    this.#heardUntil.delete(id);
    this.#heardUntil.set(id, Math.max(known, until));
    if (this.#heardUntil.size > MOST_KNOWN) this.#heardUntil.delete(this.#heardUntil.keys().next().value!);
  }
}

/** Of the figures that are shown of each process. */
function lastOf({ series }: ProcessData): Record<string, number | null> {
  return Object.fromEntries(SHOWN_OF_EACH.map((key) => [key, series[key]?.at(-1) ?? null]));
}
