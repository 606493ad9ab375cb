/** Which live listeners an event of a topic goes to, by their groups: an event is executed once for each. */

import type { Group } from "./group.ts";
import type { Listener } from "./listener.ts";

type ByGroup = Map<Group, Set<Listener>>;
const NOBODY: ReadonlyMap<Group, ReadonlySet<Listener>> = new Map();

export class TopicIndex {
  readonly #topics = new Map<string, ByGroup>();

  of(topicId: string): ReadonlyMap<Group, ReadonlySet<Listener>> {
    return this.#topics.get(topicId) ?? NOBODY;
  }

  add(topicId: string, listener: Listener): void {
    let groups = this.#topics.get(topicId);
    if (groups === undefined) this.#topics.set(topicId, groups = new Map());
    const listeners = groups.get(listener.group);
    if (listeners === undefined) groups.set(listener.group, new Set([listener]));
    else listeners.add(listener);
  }

  delete(topicId: string, listener: Listener): void {
    const groups = this.#topics.get(topicId);
    const listeners = groups?.get(listener.group);
    if (groups === undefined || listeners === undefined) return;
    listeners.delete(listener);
    if (listeners.size === 0) groups.delete(listener.group);
    if (groups.size === 0) this.#topics.delete(topicId);
  }
}
