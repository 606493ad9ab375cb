// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="esnext" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Starts GraphiQL: where its workers are, what stands in the editor at first, and who is signed in. */

import { SessionBar } from "./session.js";

/** On the gateway. */
const WALK_THROUGH = `# Welcome to Notifyx. Register or sign in above. Then
# run these one after the other: put the cursor into
# one and press Ctrl-Enter, or use the play button.

# 1. Make a topic, and copy its id into the variables
#    below. (Names are unique: choose your own.)
mutation CreateTopic {
  createTopic(name: "news") { id name }
}

# 2. Subscribe: what is sent from now on is for you.
mutation Subscribe($topicId: ID!) {
  subscribeToTopic(topicId: $topicId) {
    name
    subscriberCount
  }
}

# 3. Listen: what arrives appears at once, until you
#    press the button again.
subscription Listen {
  notificationReceived {
    message
    createdAt
    topic { name }
    from { email }
  }
}

# 4. Send, from another window of this page, where you
#    may be another user. Only the topic's creator may.
mutation Send($topicId: ID!) {
  sendNotification(topicId: $topicId, message: "Hi!") {
    id
    createdAt
  }
}

# 5. The inbox has them all, newest first.
query Inbox {
  unseenCount
  notifications(first: 10) {
    edges {
      node { id message status from { email } }
    }
  }
}
`;

/** On a service. */
const SERVICE_QUERY = `# One service of Notifyx, as the gateway sees it. For
# people there is the gateway's GraphiQL.
#
# Each request needs an identity, which lasts for a
# minute:   deno task identity --user EMAIL
# In the Headers tab:   { "x-notifyx-identity": "…" }
# Then fetch the schema again (the round arrow, left).

{
  __typename
}
`;

const bar = document.getElementById("session");
const session = bar ? new SessionBar(bar) : undefined;

const { editorWorker, jsonWorker, graphqlWorker } = document.documentElement.dataset;
const workers = { editorWorkerService: editorWorker, json: jsonWorker, graphql: graphqlWorker };
Object.assign(globalThis, {
  MonacoEnvironment: {
    globalAPI: false,
    /** @type {(module: string, label: keyof typeof workers) => string | undefined} */
    getWorkerUrl: (_, label) => workers[label],
  },
});

// GraphiQL decodes each piece of a stream by itself, which spoils a character that lies in two of them.
const { fetch: fetchBytes } = globalThis;
/** @type {typeof fetch} */
globalThis.fetch = async (request, options) => {
  const response = await fetchBytes(request, options);
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
  const text = response.body?.pipeThrough(new TextDecoderStream());
  return Object.defineProperty(response, "body", { value: text });
};

// A stale token would spoil also the request for the schema.
await session?.resume();

const { YogaGraphiQL } = /** @type {any} */ (globalThis);
YogaGraphiQL.renderYogaGraphiQL(document.getElementById("root"), {
  title: document.title,
  logo: "",
  ...firstTab(),
  // Its WebSocket fetcher can't send the Headers tab; server-sent events can. By POST, so that no URL holds a query.
  subscriptionsProtocol: "SSE",
  method: "POST",
  additionalHeaders: headersFor,
  // Tokens in the Headers tab stay out of the browser's storage.
  shouldPersistHeaders: false,
  // GraphiQL's own would write every keystroke into the address.
  onEditQuery: () => {},
});

/** What stands in the editor: a link's query, or the tab that was in front, or the text above. */
function firstTab() {
  const linked = new URLSearchParams(location.search).get("query");
  if (linked !== null) return { query: linked };
  try {
    // Where it isn't told which of the tabs to go on with, GraphiQL opens one more.
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState") ?? "");
    const { query, variables } = tabs[activeTabIndex];
    return { query: query ?? "", variables: variables ?? "" };
  } catch {
    const text = session ? WALK_THROUGH : SERVICE_QUERY;
    return { defaultTabs: [{ query: text, variables: session && '{\n  "topicId": ""\n}' }] };
  }
}

/**
 * The Headers tab goes before the bar.
 * @param {{ extensions?: { headers?: Record<string, string> } }} request
 */
function headersFor({ extensions }) {
  const given = Object.keys(extensions?.headers ?? {}).some((name) => name.toLowerCase() === "authorization");
  return session?.authorization && !given ? { authorization: session.authorization } : {};
}
