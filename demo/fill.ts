/**
 * What is there before the flow begins. In: an API and how much of everything. Out: the crowd, with its topics. What an earlier run has left is
 * gone on with: nobody is made twice, and who left a topic stays away.
 */

import { ApiError } from "./api.ts";
import type { Crowd, Person, Topic } from "./crowd.ts";
import { inTurns } from "./in_turns.ts";
import { addresses, isDemo } from "./names.ts";
import type { DemoOptions } from "./options.ts";
import { Random } from "./random.ts";
import { type Subject, subjects, write } from "./writer.ts";

/** Notifications of a new topic. */
const LEAST_FIRST = 3;
const MOST_FIRST = 6;
/** Of a new topic, how much a person has acknowledged before the flow begins. */
const SEEN = 0.6;
/** A name that strangers have taken is tried with a number behind it, up to this one. */
const MOST_OF_A_NAME = 9;

/** Which topic is the guest's own, who alone sends to it. */
const GUESTS_TOPIC = 3;

type Say = (line: string) => void;

/** The first of the people is the guest: whoever tries the system signs in as them, so the demo leaves their inbox alone. */
export async function fill(crowd: Crowd, options: DemoOptions, say: Say): Promise<Person> {
  const random = new Random(`fill ${options.seed}`);
  const newPeople = await enterAll(crowd, addresses(options.people, new Random(`people ${options.seed}`)), say);
  say(`${crowd.people.length} people, of whom ${newPeople.size} are new`);
  const newTopics = await makeTopics(crowd, subjects(options.topics), random, newPeople);
  say(`${crowd.topics.length} topics, of which ${newTopics.size} are new`);
  say(`${await subscribeAll(crowd, newPeople, newTopics, random, say)} joins`);
  say(`${await sendFirst(crowd, newTopics, random)} first notifications`);
  return crowd.people[0]!;
}

async function enterAll(crowd: Crowd, emails: readonly string[], say: Say): Promise<Set<Person>> {
  const tell = (done: number) => say(`… ${done} of ${emails.length} people`);
  const entered = await inTurns(emails, (email) => crowd.enter(email), tell);
  crowd.people.push(...entered.map(({ person }) => person));
  return new Set(entered.filter(({ isNew }) => isNew).map(({ person }) => person));
}

async function makeTopics(
  crowd: Crowd,
  wanted: readonly Subject[],
  random: Random,
  newPeople: Set<Person>,
): Promise<Set<Topic>> {
  const made = new Set<Topic>();
  // One after another: who made a topic earlier, and isn't among the people of now, joins them.
  for (const [nth, { name, theme }] of wanted.entries()) {
    // The guest has one of their own, to see receipts by.
    const owner = nth === GUESTS_TOPIC ? crowd.people[0]! : random.pick(crowd.people.slice(1));
    const { topic, isNew } = await makeTopic(crowd, { name, theme }, owner, newPeople);
    crowd.topics.push(topic);
    if (isNew) made.add(topic);
  }
  return made;
}

async function makeTopic(crowd: Crowd, { name, theme }: Subject, wanted: Person, newPeople: Set<Person>) {
  for (let nth = 1; nth <= MOST_OF_A_NAME; nth++) {
    const tried = nth === 1 ? name : `${name} (${nth})`;
    const found = await crowd.find(tried, wanted);
    if (found !== null) {
      const owner = await personOf(crowd, found.createdBy, newPeople);
      if (owner === undefined) continue;
      return { topic: { id: found.id, name: tried, theme, owner, members: new Set<Person>() }, isNew: false };
    }
    try {
      const id = await crowd.create(tried, wanted, theme.isByInvitation ?? false);
      return { topic: { id, name: tried, theme, owner: wanted, members: new Set<Person>() }, isNew: true };
    } catch (error) {
      // One by invitation, of somebody else.
      if (!(error instanceof ApiError) || error.code !== "CONFLICT") throw error;
    }
  }
  throw new ApiError("CONFLICT", `there are ${MOST_OF_A_NAME} topics of the name ${name} already; none is the demo's`);
}

/** Undefined for who is none of the demo's. */
async function personOf(
  crowd: Crowd,
  { id, email }: { id: string; email: string | null },
  newPeople: Set<Person>,
): Promise<Person | undefined> {
  const present = crowd.people.find((person) => person.id === id);
  if (present !== undefined || email === null || !isDemo(email)) return present;
  const { person, isNew } = await crowd.enter(email);
  crowd.people.push(person);
  if (isNew) newPeople.add(person);
  return person;
}

/** How often somebody has joined. */
async function subscribeAll(
  crowd: Crowd,
  newPeople: Set<Person>,
  newTopics: Set<Topic>,
  random: Random,
  say: Say,
): Promise<number> {
  const joins: { topic: Topic; person: Person }[] = [];
  const before = await inTurns(crowd.people, (person) => crowd.subscribedTopics(person));
  for (const topic of crowd.topics) {
    for (const [nth, person] of crowd.people.entries()) {
      const wants = random.chance(nth === 0 ? Math.max(topic.theme.share, 0.8) : topic.theme.share);
      if (before[nth]!.has(topic.id)) topic.members.add(person);
      else if (wants && (newPeople.has(person) || newTopics.has(topic))) joins.push({ topic, person });
    }
    const invited = joins.filter((one) => one.topic === topic).map(({ person }) => person);
    if (topic.theme.isByInvitation && invited.length > 0) await crowd.invite(topic, invited);
  }
  const tell = (done: number) => say(`… ${done} of ${joins.length} joins`);
  await inTurns(joins, ({ topic, person }) => crowd.join(topic, person), tell);
  return joins.length;
}

/** How many were sent. */
async function sendFirst(crowd: Crowd, newTopics: Set<Topic>, random: Random): Promise<number> {
  const all = [...newTopics].flatMap((topic) =>
    Array.from({ length: random.whole(LEAST_FIRST, MOST_FIRST) }, (_, nth) => ({
      topic,
      message: write(topic.theme.texts[nth % topic.theme.texts.length]!, random),
    }))
  );
  for (const { topic, message } of random.shuffled(all)) await crowd.send(topic, message);
  if (all.length === 0) return 0;
  await inTurns(crowd.people, async (person) => {
    const unseen = await crowd.unseen(person, all.length);
    // The older ones.
    const seen = unseen.slice(Math.ceil(unseen.length * (1 - SEEN)));
    if (seen.length > 0) await crowd.acknowledge(person, seen);
  });
  return all.length;
}
