/**
 * What one does to topics. Each change is on the page at once, wherever the topic is shown; where the server refuses it is taken back, and
 * the page says so. Then all about topics is asked again.
 */

import { errorText } from "../data/errors.ts";
import { withItems } from "../data/pages.ts";
import { ask, queryClient } from "../data/query_client.ts";
import { openLists } from "../inbox/inbox_data.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import {
  listsKey,
  type MailPreference,
  type Pages,
  peopleKey,
  type Person,
  type Topic,
  TOPIC_FIELDS,
  topicKey,
  topicsKey,
} from "./topics_data.ts";

export interface NewTopic {
  readonly name: string;
  readonly visibility: Topic["visibility"];
  readonly retentionDays: number;
}

/** @throws an error with a code: the form that has it says what is wrong */
export async function createTopic(given: NewTopic): Promise<Topic> {
  const { topic } = await ask<{ topic: Topic }>(
    `mutation ($name: String!, $retentionDays: Int, $visibility: TopicVisibility) {
      topic: createTopic(name: $name, retentionDays: $retentionDays, visibility: $visibility) { ${TOPIC_FIELDS} } }`,
    given,
  );
  queryClient.setQueryData<Topic | null>(topicKey(topic.id), topic);
  void queryClient.invalidateQueries({ queryKey: topicsKey });
  return topic;
}

export async function join(topic: Topic): Promise<boolean> {
  const isDone = await change(
    topic,
    { subscribed: true, subscriberCount: topic.subscriberCount + 1 },
    "subscribeToTopic",
  );
  if (isDone) {
    showToast({ text: t("topics.joined", { name: topic.name }) });
    reloadInbox();
  }
  return isDone;
}

export async function leave(topic: Topic): Promise<boolean> {
  const changed = { subscribed: false, subscriberCount: Math.max(0, topic.subscriberCount - 1) };
  const isDone = await change(topic, changed, "unsubscribeFromTopic");
  if (isDone) {
    const undo = { label: t("topics.joinAgain"), run: () => void join({ ...topic, ...changed }) };
    showToast({ text: t("topics.left", { name: topic.name }), action: undo });
  }
  return isDone;
}

/** What its creator may change. */
export function update(
  topic: Topic,
  changed: Partial<Pick<Topic, "name" | "visibility" | "retentionDays">>,
): Promise<boolean> {
  return change(topic, changed, "updateTopic", [
    "$name: String, $retentionDays: Int, $visibility: TopicVisibility",
    "name: $name, retentionDays: $retentionDays, visibility: $visibility",
  ], changed);
}

export function setStatus(topic: Topic, status: Topic["status"]): Promise<boolean> {
  return change(topic, { status }, "setTopicStatus", ["$status: TopicStatus!", "status: $status"], { status });
}

export function setMailPreference(topic: Topic, wanted: MailPreference): Promise<boolean> {
  return change(topic, { mailPreference: wanted }, "setMailPreference", [
    "$preference: MailPreference!, $every: DigestEvery, $afterMinutes: Int",
    "preference: $preference, every: $every, afterMinutes: $afterMinutes",
  ], wanted);
}

/** Where it is refused, all lists have it again. */
export async function remove(topic: Topic): Promise<boolean> {
  await queryClient.cancelQueries({ queryKey: topicsKey });
  const before = queryClient.getQueriesData<Pages<Topic>>({ queryKey: listsKey });
  queryClient.setQueriesData<Pages<Topic>>({ queryKey: listsKey }, (pages) => without(pages, topic.id));
  try {
    await ask("mutation ($topicId: ID!) { deleteTopic(topicId: $topicId) }", { topicId: topic.id });
  } catch (error) {
    for (const [key, pages] of before) queryClient.setQueryData(key, pages);
    refused(topic, error, () => remove(topic));
    return false;
  }
  queryClient.removeQueries({ queryKey: topicKey(topic.id) });
  void queryClient.invalidateQueries({ queryKey: topicsKey });
  reloadInbox();
  showToast({ text: t("topics.deleted", { name: topic.name }) });
  return true;
}

/** @throws an error with a code: who is invited stands in a list of what happened */
export async function invite(topic: Topic, person: Person): Promise<void> {
  await ask(
    "mutation ($topicId: ID!, $userIds: [ID!]!) { inviteToTopic(topicId: $topicId, userIds: $userIds) { id } }",
    {
      topicId: topic.id,
      userIds: [person.id],
    },
  );
}

/** Ends somebody's subscription. */
export async function removePerson(topic: Topic, person: Person): Promise<boolean> {
  const key = peopleKey(topic.id);
  await queryClient.cancelQueries({ queryKey: key });
  const before = queryClient.getQueryData<Pages<Person>>(key);
  queryClient.setQueryData<Pages<Person>>(key, (pages) => without(pages, person.id));
  const isDone = await change(
    topic,
    { subscriberCount: Math.max(0, topic.subscriberCount - 1) },
    "removeSubscriber",
    ["$userId: ID!", "userId: $userId"],
    { userId: person.id },
  );
  if (!isDone) queryClient.setQueryData(key, before);
  return isDone;
}

/** @param takes the mutation's own variables, and how they are given on */
async function change(
  topic: Topic,
  changed: Partial<Topic>,
  mutation: string,
  [variables, given]: readonly [string, string] | readonly [] = [],
  values: object = {},
): Promise<boolean> {
  await queryClient.cancelQueries({ queryKey: topicsKey });
  const names = Object.keys(changed) as (keyof Topic)[];
  const before = Object.fromEntries(names.map((name) => [name, topic[name]]));
  show(topic.id, changed);
  try {
    await ask(
      `mutation ($topicId: ID!${variables ? `, ${variables}` : ""}) {
        ${mutation}(topicId: $topicId${given ? `, ${given}` : ""}) { id } }`,
      { topicId: topic.id, ...values },
    );
    return true;
  } catch (error) {
    show(topic.id, before);
    refused(topic, error, () => change(topic, changed, mutation, [variables, given] as [string, string], values));
    return false;
  } finally {
    void queryClient.invalidateQueries({ queryKey: topicsKey });
  }
}

/** Wherever it is shown. */
function show(id: string, changed: Partial<Topic>): void {
  queryClient.setQueryData<Topic | null>(topicKey(id), (topic) => topic && { ...topic, ...changed });
  queryClient.setQueriesData<Pages<Topic>>(
    { queryKey: listsKey },
    (pages) =>
      withItems(pages, (items: readonly Topic[]) => items.map((one) => one.id === id ? { ...one, ...changed } : one)),
  );
}

function without<Item extends { readonly id: string }>(pages: Pages<Item> | undefined, id: string) {
  return withItems(pages, (items: readonly Item[]) => items.filter((one) => one.id !== id));
}

function refused({ name }: Topic, error: unknown, again: () => Promise<unknown>): void {
  const action = { label: t("app.retry"), run: () => void again() };
  showToast({ isError: true, text: t("topics.refused", { name, reason: errorText(error) }), action });
}

/** What of a topic one receives has changed with it. */
function reloadInbox(): void {
  for (const list of openLists()) void list.load();
}
