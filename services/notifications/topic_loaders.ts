/** One statement for all topics of a request, not one for each; nothing outlives the request. */

import DataLoader from "dataloader";
import { UserError } from "../../kit/errors.ts";
import { perRequest, requireViewer } from "../../kit/subgraph.ts";
import { type MailPreference, type MailPreferences, NO_MAIL } from "./mail/preferences.ts";
import type { Members } from "./members.ts";
import { pageLoader } from "./page_loader.ts";
import type { Topic, Topics } from "./topics.ts";

/** How many subscribers one request may ask for, over all topics. */
const SUBSCRIBERS_LIMIT = 20_000;

export type TopicLoaders = ReturnType<typeof topicLoaders>;

export function topicLoaders(topics: Topics, members: Members, preferences: MailPreferences) {
  return perRequest((context) => {
    let subscribersAsked = 0;
    return {
      /** Of what the viewer has received or sent. */
      topic: new DataLoader<string, Topic | null>((ids) => topics.known(ids, requireViewer(context).userId)),
      subscribed: new DataLoader<string, boolean>(async (ids) => {
        const subscribed = await members.subscribedAmong(ids, requireViewer(context).userId);
        return ids.map((id) => subscribed.has(id));
      }),
      subscriberCount: new DataLoader<string, number>(async (ids) => {
        const counts = await members.subscriberCounts(ids);
        return ids.map((id) => counts.get(id) ?? 0);
      }),
      mailPreference: new DataLoader<string, MailPreference>(async (ids) => {
        const found = await preferences.of(ids, requireViewer(context).userId);
        return ids.map((id) => found.get(id) ?? NO_MAIL);
      }),
      /** The ids of a topic's subscribers. */
      subscribers: pageLoader<string>((ids, after, limit) => members.subscribers(ids, after, limit), (pages) => {
        subscribersAsked += pages.reduce((sum, { limit }) => sum + limit, 0);
        if (subscribersAsked <= SUBSCRIBERS_LIMIT) return;
        throw new UserError("BAD_USER_INPUT", `this asks for more than ${SUBSCRIBERS_LIMIT} subscribers at once`);
      }),
    };
  });
}
