/** The plans of the main statements, as PostgreSQL carries them out: what functions do inside is told by its auto_explain. */

import postgres from "postgres";
import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { numberPending } from "../../services/notifications/feed_events.ts";
import { Inbox } from "../../services/notifications/inbox.ts";
import { type Loaded, VIEWERS } from "./load.ts";

/** Shown without what only repeats: costs are estimates. */
const SETTINGS = `load 'auto_explain';
  set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_buffers = on;
  set auto_explain.log_timing = on; set auto_explain.log_nested_statements = on; set client_min_messages = log`;

export async function explain({ url, topicId, creatorId }: Loaded & { url: string }): Promise<void> {
  const plans: string[] = [];
  const told = postgres(url, {
    max: 1,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    onnotice: (notice) => plans.push(String(notice.message)),
  }) as Sql;
  const show = async (what: string, work: (inbox: Inbox) => Promise<unknown>) => {
    // Once before, so that no plan has to be made.
    await work(new Inbox(told));
    plans.length = 0;
    await work(new Inbox(told));
    console.log(
      `\n## ${what}\n\n\`\`\`\n${distinct(plans).join("\n\n")}\n\`\`\``,
    );
  };
  await told.unsafe(SETTINGS);
  const filter = { topicId: null, fromUserId: null, seen: null };
  const viewer = VIEWERS["has seen every other one of 10,000"];
  await show("The first page", (inbox) => inbox.page(viewer, filter, null, 50));
  await show("The first page of what is unseen", (inbox) => inbox.page(viewer, { ...filter, seen: false }, null, 50));
  await show("unseenCount", (inbox) => inbox.unseenCount(viewer, null));
  await show("A send: what is prepared", async () => {
    await told`select prepare_notification(${newId()}, ${topicId}, ${creatorId}, 'hello', '{}')`;
  });
  await show("A send: its position", () => numberPending(told, "epoch", false));
  await told.end({ timeout: 1 });
}

/** Each plan once, with how often the same was carried out. */
function distinct(plans: readonly string[]): string[] {
  const alike = Map.groupBy(
    plans.filter((plan) => plan.startsWith("duration")).map(shortened),
    (plan) => plan.replaceAll(/[\d.]+/g, ""),
  );
  return [...alike.values()].map((all) => all.length === 1 ? all[0]! : `${all.length} times: ${all[0]}`);
}

/** Without the statement's text, which stands in the code, and without estimates. */
function shortened(plan: string): string {
  const [duration, ...lines] = plan.split("\n");
  const from = lines.findIndex((line) => /\(cost=/.test(line));
  return [duration, ...lines.slice(from)].join("\n").replaceAll(/ \(cost=[^)]*\)/g, "");
}
