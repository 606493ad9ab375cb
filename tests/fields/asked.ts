/** What is asked for below the two subscriptions, as they ask for it and as a query asks for the same. In: the graph. Out: documents. */

import type { GraphQLObjectType, GraphQLSchema } from "graphql";
import { asking, type Path, pathsOf, type Style, STYLES } from "./paths.ts";

export type Root = "notificationReceived" | "notificationAcknowledged";

export interface Asked {
  readonly root: Root;
  readonly path: Path;
  readonly style: Style;
}

/** Everything that there is below a subscription, in each style. */
export function everythingBelow(root: Root, schema: GraphQLSchema): Asked[] {
  const { type } = schema.getSubscriptionType()!.getFields()[root]!;
  const { ofType } = type as unknown as { ofType: GraphQLObjectType };
  return pathsOf(ofType).flatMap((path) => STYLES.map((style) => ({ root, path, style })));
}

/** Each result has, as `key`, what tells events apart. */
export function subscriptionOf({ root, path, style }: Asked): string {
  const { selection, fragments, declarations } = asking(path, style);
  const [topicId, key] = root === "notificationReceived" ? ["ID", "id"] : ["ID!", "cursor"];
  return `subscription (${[`$topicId: ${topicId}`, "$after: String", ...declarations].join(", ")}) {
    ${root}(topicId: $topicId, after: $after) { key: ${key} ${selection} }
  } ${fragments}`;
}

/** The same of the notification `$id`, as `one`. */
export function notificationQueryOf({ path, style }: Asked): string {
  const { selection, fragments, declarations } = asking(path, style);
  return `query (${["$id: ID!", ...declarations].join(", ")}) {
    one: notification(id: $id) { key: id ${selection} }
  } ${fragments}`;
}

/** The same of who acknowledged, `$by`, or of what they did, `$notification`; undefined for what the acknowledgement itself says. */
export function acknowledgementQueryOf({ path, style }: Asked): string | undefined {
  if (path.length === 1) return undefined;
  const [{ field }] = path as [Path[number]];
  const first = { by: "user(id: $by)", notification: "notification(id: $notification)" }[field.name];
  if (first === undefined) throw new Error(`by what query is an acknowledgement's ${field.name} read?`);
  const { selection, fragments, declarations } = asking(path, style, first);
  return `query (${[`${/\$\w+/.exec(first)}: ID!`, ...declarations].join(", ")}) { ${selection} } ${fragments}`;
}
