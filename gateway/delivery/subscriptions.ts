/**
 * The gateway's own subscriptions: which of them an operation is, for whom, and with whom it shares its results. In: operations of a
 * socket or an event stream. Out: listeners of the hub. What is another service's goes to `others`.
 */

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from "graphql";
import { UserError } from "../../kit/errors.ts";
import type { Execution, Executions } from "./execution.ts";
import { Group } from "./group.ts";
import type { Hub } from "./hub.ts";
import { Listener } from "./listener.ts";
import { groupsGauge } from "./metrics.ts";
import type { Running, Sink, SubscriptionRequest, Subscriptions } from "./operation.ts";
import { delivered } from "./roots.ts";
import { acknowledgedSource, receivedSource, type Source } from "./sources.ts";

const OWN = ["notificationReceived", "notificationAcknowledged", "unseenCountChanged"] as const;
const NOTHING: Running = { stop() {} };

export class HubSubscriptions implements Subscriptions {
  readonly #groups = new Map<string, Group>();
  readonly #documents = new WeakMap<
    DocumentNode,
    { id: number; variables: readonly string[]; names: ReadonlySet<string> }
  >();
  readonly #received: Source;
  #lastDocument = 0;

  constructor(
    private readonly hub: Hub,
    private readonly executions: Executions,
    private readonly others: Subscriptions,
  ) {
    this.#received = receivedSource(hub.upstream);
  }

  async start(request: SubscriptionRequest, sink: Sink): Promise<Running> {
    const operation = getOperationAST(request.document, request.operationName);
    try {
      const field = operation && rootField(operation, request.document);
      if (!field || !OWN.includes(field.name.value as never)) return await this.others.start(request, sink);
      return await this.#start(request, operation, field, sink);
    } catch (error) {
      sink.error([this.hub.masked(error)]);
      return NOTHING;
    }
  }

  async #start(
    request: SubscriptionRequest,
    operation: OperationDefinitionNode,
    node: FieldNode,
    sink: Sink,
  ): Promise<Running> {
    const { schema, caller, variables, hideSuggestions, lastEventId } = request;
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
      maxErrors: 20,
      hideSuggestions,
    });
    if (errors !== undefined) {
      sink.error(errors.map((error) => this.hub.masked(error)));
      return NOTHING;
    }
    const definition = schema.getSubscriptionType()!.getFields()[node.name.value]!;
    const { topicId, after } = getArgumentValues(definition, node, coerced) as Record<
      string,
      string | null | undefined
    >;
    const userId = await caller.userId();
    const responseName = node.alias?.value ?? node.name.value;
    if (node.name.value === "unseenCountChanged") return this.hub.unseen.listen(userId, responseName, sink);
    const isReceived = node.name.value === "notificationReceived";
    const source = isReceived ? this.#received : this.#acknowledged(request.document, userId);
    const group = this.#group(request, coerced, isReceived ? null : userId);
    const options = { userId, topicId: topicId?.toLowerCase() ?? null, after: after ?? lastEventId ?? null };
    const listener = new Listener(options, source, group, sink, this.hub);
    this.hub.listen(listener);
    return listener;
  }

  /** The listeners with whom results are shared; with `ofUser` only those of that user. */
  #group(
    request: SubscriptionRequest,
    coerced: Readonly<Record<string, unknown>>,
    ofUser: string | null,
  ): Group {
    const { document, operationName, caller } = request;
    const isShared = this.executions.isShared(document);
    const { id, variables } = this.#look(document);
    // What isn't given is not what is null: it has its default.
    const values = variables.map((name) => Object.hasOwn(coerced, name) ? [coerced[name]] : []);
    // A session's own: what it is executed with is that session's identity.
    const whose = isShared ? ofUser : caller.token;
    const key = JSON.stringify([id, operationName ?? null, values, whose]);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const execution: Execution = isShared ? this.executions.ofAll(request) : this.executions.ofOne(request);
    const group = new Group(execution, () => {
      this.#groups.delete(key);
      groupsGauge.set(this.#groups.size);
    });
    this.#groups.set(key, group);
    groupsGauge.set(this.#groups.size);
    return group;
  }

  /** Acknowledgements of a topic go to its creator alone, so a notification's status in them is theirs. */
  #acknowledged(document: DocumentNode, userId: string): Source {
    const asksForStatus = this.#look(document).names.has("status");
    const { upstream, entities } = this.hub;
    return acknowledgedSource(upstream, async (id) => {
      const found = asksForStatus
        ? (await upstream.notifications([id], userId))[0]
        : await entities.notifications.get(id);
      return found == null ? null : delivered(found, found.seen);
    });
  }

  #look(document: DocumentNode) {
    let known = this.#documents.get(document);
    if (known === undefined) {
      known = { id: ++this.#lastDocument, variables: variablesOfResults(document), names: fieldNames(document) };
      this.#documents.set(document, known);
    }
    return known;
  }
}

/**
 * The operation's one field; undefined where it has none or several, which validation refuses, as it does circles of fragments.
 * @throws UserError `BAD_USER_INPUT` where it may be left out: GraphQL allows no `@skip` or `@include` here, and nothing would be left
 */
function rootField(operation: OperationDefinitionNode, document: DocumentNode): FieldNode | undefined {
  for (let set: SelectionSetNode | undefined = operation.selectionSet; set !== undefined;) {
    const selection: SelectionNode | undefined = set.selections[0];
    if (selection?.directives?.some(({ name }) => name.value === "skip" || name.value === "include")) {
      throw new UserError("BAD_USER_INPUT", "a subscription's own field takes no @skip or @include");
    }
    if (selection === undefined || selection.kind === Kind.FIELD) return selection;
    set = selection.kind === Kind.INLINE_FRAGMENT
      ? selection.selectionSet
      : fragmentNamed(selection.name.value, document)?.selectionSet;
  }
  return undefined;
}

function fragmentNamed(name: string, { definitions }: DocumentNode): FragmentDefinitionNode | undefined {
  return definitions.find((one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name) as
    | FragmentDefinitionNode
    | undefined;
}

/** The variables on which results depend: all but those that only say which topic, and behind which cursor. */
function variablesOfResults(document: DocumentNode): string[] {
  const names = new Set<string>();
  const { definitions } = document;
  for (const definition of definitions) {
    visit(definition, {
      VariableDefinition: () => false,
      Field: (node) => OWN.includes(node.name.value as never) ? { ...node, arguments: [] } : undefined,
      Variable: (node) => {
        names.add(node.name.value);
      },
    });
  }
  return [...names].sort();
}

function fieldNames(document: DocumentNode): Set<string> {
  const names = new Set<string>();
  visit(document, {
    Field: (node) => {
      names.add(node.name.value);
    },
  });
  return names;
}
