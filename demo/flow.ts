/**
 * What goes on: sends, acknowledgements, joins and leaves, one at a time, with pauses between them. In: the crowd. Out: lines. The guest does
 * nothing here: their inbox and their topics are for whoever has signed in as them.
 */

import { delay, MINUTE } from "../kit/time.ts";
import { ApiError } from "./api.ts";
import type { Crowd, Person, Topic } from "./crowd.ts";
import { Random } from "./random.ts";
import { write } from "./writer.ts";

/** Of each, for one send. */
const WEIGHTS = { send: 1, acknowledge: 2, join: 0.12, leave: 0.1, retract: 0.02 } as const;
type Kind = keyof typeof WEIGHTS;
const TOTAL = Object.values(WEIGHTS).reduce<number>((sum, weight) => sum + weight, 0);
/** Sends to some of a topic's subscribers, as a share of all. */
const TO_SOME = 0.1;
/** The most that a person acknowledges at once. */
const MOST_SEEN = 8;
/** Pauses are between so much and so much of the mean. */
const LEAST_PAUSE = 0.4;
const MOST_PAUSE = 1.6;
/** The most of a text that a line shows, in characters. */
const SHOWN = 60;

type Say = (line: string) => void;

/** Until `stopping`. @throws Stopped where it is stopped while it waits for an answer */
export async function flow(crowd: Crowd, seed: number, perMinute: number, stopping: AbortSignal, say: Say) {
  // On a second run it doesn't all come again.
  const random = new Random(`flow ${seed} ${await crowd.sentCount()}`);
  const acts = new Acts(crowd, random);
  const meanMs = MINUTE / (perMinute * TOTAL);
  while (!stopping.aborted) {
    const began = performance.now();
    try {
      const line = await acts.one(kindOf(random));
      if (line !== undefined) say(line);
    } catch (error) {
      // A topic that somebody has deleted meanwhile, say: nothing that would end the others.
      if (!(error instanceof ApiError)) throw error;
      say(`${error.message} (${error.code})`);
    }
    const pauseMs = meanMs * (LEAST_PAUSE + random.next() * (MOST_PAUSE - LEAST_PAUSE));
    await delay(Math.max(0, pauseMs - (performance.now() - began)), stopping);
  }
}

function kindOf(random: Random): Kind {
  let at = random.next() * TOTAL;
  for (const [kind, weight] of Object.entries(WEIGHTS)) {
    at -= weight;
    if (at < 0) return kind as Kind;
  }
  return "send";
}

class Acts {
  /** The last one that was sent. */
  #last: { id: string; topic: Topic } | undefined;
  readonly #others: readonly Person[];
  /** Of each topic, what it has still to come before its texts begin anew. */
  readonly #texts = new Map<Topic, string[]>();

  constructor(private readonly crowd: Crowd, private readonly random: Random) {
    this.#others = crowd.people.slice(1);
  }

  /** What was done, in a line; undefined where there was nothing to do. */
  one(kind: Kind): Promise<string | undefined> {
    return this[kind]();
  }

  async send(): Promise<string | undefined> {
    const topics = this.crowd.topics.filter(({ owner, members }) => this.#others.includes(owner) && members.size > 0);
    if (topics.length === 0) return undefined;
    const topic = this.random.pick(topics);
    const message = write(this.#nextText(topic), this.random);
    const members = this.random.shuffled([...topic.members]);
    const some = members.length > 2 && this.random.chance(TO_SOME) ? members.slice(0, 2) : [];
    const id = await this.crowd.send(topic, message, some);
    this.#last = { id, topic };
    const to = some.length > 0 ? some.map(nameOf).join(", ") : `all ${members.length}`;
    return `${nameOf(topic.owner)} to ${to} of ${topic.name}: ${short(message)}`;
  }

  #nextText(topic: Topic): string {
    const left = this.#texts.get(topic) ?? [];
    if (left.length === 0) left.push(...this.random.shuffled(topic.theme.texts));
    this.#texts.set(topic, left);
    return left.pop()!;
  }

  async acknowledge(): Promise<string | undefined> {
    const person = this.random.pick(this.#others);
    const ids = await this.crowd.unseen(person, this.random.whole(1, MOST_SEEN));
    if (ids.length === 0) return undefined;
    await this.crowd.acknowledge(person, ids);
    return `${nameOf(person)} has seen ${ids.length}`;
  }

  async join(): Promise<string | undefined> {
    const topic = this.random.pick(this.crowd.topics);
    const away = this.#others.filter((person) => !topic.members.has(person));
    if (away.length === 0) return undefined;
    const person = this.random.pick(away);
    if (topic.theme.isByInvitation) await this.crowd.invite(topic, [person]);
    await this.crowd.join(topic, person);
    return `${nameOf(person)} joins ${topic.name}`;
  }

  async leave(): Promise<string | undefined> {
    const topic = this.random.pick(this.crowd.topics);
    const members = [...topic.members].filter((person) => this.#others.includes(person));
    // Nobody likes an empty one.
    if (members.length < 3) return undefined;
    const person = this.random.pick(members);
    await this.crowd.leave(topic, person);
    return `${nameOf(person)} leaves ${topic.name}`;
  }

  async retract(): Promise<string | undefined> {
    if (this.#last === undefined) return undefined;
    const { id, topic } = this.#last;
    this.#last = undefined;
    await this.crowd.retract(id, topic);
    return `${nameOf(topic.owner)} takes the last one to ${topic.name} back`;
  }
}

function nameOf({ email }: Person): string {
  return email.slice(0, email.indexOf("@"));
}

function short(message: string): string {
  const line = [...message.split("\n")[0]!];
  return line.length > SHOWN || message.includes("\n") ? `${line.slice(0, SHOWN).join("")}…` : line.join("");
}
