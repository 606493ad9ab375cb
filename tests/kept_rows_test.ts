/** What the gateway keeps for every viewer: only what services let it, and nothing of that is anybody's own. */

import assert from "node:assert/strict";
import { buildSchema, type ConstDirectiveNode, isObjectType } from "graphql";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { SHARED_SDL } from "../gateway/delivery/shared_schema.ts";
import { User } from "./helpers/client.ts";
import { metric, startSystem } from "./helpers/system.ts";

const SCHEMAS = new URL("../schema/", import.meta.url);
const DIRECTIVES = `${stitchingDirectives().allStitchingDirectivesTypeDefs}
  directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION | OBJECT`;

/** `Type.field` of every field that a service of ours lets be kept. */
function keptFields(): { type: string; field: string }[] {
  const isKept = (node: { readonly directives?: readonly ConstDirectiveNode[] } | null | undefined) =>
    node?.directives?.some(({ name }) => name.value === "cacheControl") ?? false;
  return [...Deno.readDirSync(SCHEMAS)].filter(({ name }) => name.endsWith(".graphql")).flatMap(({ name }) => {
    const schema = buildSchema(`${DIRECTIVES}\n${Deno.readTextFileSync(new URL(name, SCHEMAS))}`, {
      assumeValidSDL: true,
    });
    return Object.values(schema.getTypeMap()).filter(isObjectType).flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => isKept(field.astNode) || isKept(type.astNode))
        .map((field) => ({ type: type.name, field: field.name }))
    );
  });
}

Deno.test("kept rows - each field is one that every viewer is given alike, and stays right for each", async () => {
  const kept = keptFields();
  assert.ok(kept.length > 0);
  const shared = buildSchema(SHARED_SDL);
  for (const { type, field } of kept) {
    const found = shared.getType(type);
    assert.ok(isObjectType(found) && found.getFields()[field] !== undefined, `${type}.${field} may be personal`);
    assert.equal(type, "User", "another type needs what is asked for below as well");
  }

  await using system = await startSystem({ counts: { avatar: 1 } });
  const [ann, bob, carol] = await Promise.all([1, 2, 3].map(() => User.register(system))) as [User, User, User];
  const topicId = await ann.createTopic();
  await Promise.all([bob.join(topicId), carol.join(topicId)]);
  await ann.send(topicId, "hello");
  const fields = kept.map(({ field }) => field).join(" ");
  const missed = () => metric(system.url(), 'notifyx_graph_rows_total{found="no"}');
  const { user } = await ann.get(`{ user(id: "${ann.id}") { ${fields} } }`);
  for (const viewer of [bob, carol, bob]) {
    const { notifications } = await viewer.get(`{ notifications(first: 1) { edges { node { from { ${fields} } } } } }`);
    assert.deepEqual(notifications.edges[0].node.from, user);
  }
  assert.equal(await missed(), 2, "auth and avatar are asked once each");
  // What is anybody's own is asked for each time, in the same objects.
  const count = async (viewer: User) =>
    (await viewer.get("{ topics(first: 1) { edges { node { subscribed createdBy { email sentCount } } } } }")).topics
      .edges[0].node;
  const [ofAnn, ofBob] = [await count(ann), await count(bob)];
  assert.deepEqual([ofAnn.subscribed, ofBob.subscribed], [false, true]);
  assert.deepEqual(ofBob.createdBy, { email: ann.email, sentCount: 1 });
  await ann.send(topicId, "again");
  assert.equal((await count(bob)).createdBy.sentCount, 2);
});
