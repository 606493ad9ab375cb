/** Faults of processes: frozen, killed, kept busy, and one that nobody can reach. */

import type { ServiceName } from "../../kit/ports.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { graphql } from "../helpers/client.ts";
import { askDiscovery } from "../helpers/instances.ts";
import { metric, type System, until } from "../helpers/system.ts";
import { again, type Fault, type Raised } from "./fault.ts";

/** A process is frozen, as by a machine that hangs: it neither answers nor ends. */
export function frozen(kind: ServiceName, raises: readonly Raised[], index = 0): Fault {
  return {
    what: `${kind}${index > 0 ? ` ${index + 1}` : ""} is frozen`,
    raises,
    make({ system }, ends) {
      freeze(system, ends, kind, index);
    },
  };
}

/** Beside a counter that works, one is registered at an address where nothing listens. */
export const unreachable: Fault = {
  what: "a counter is registered where nothing listens",
  raises: [
    { alert: "BreakerOpen", labels: { service: "counter" } },
    { alert: "PrometheusTargetsMissing", labels: { job: "counter" } },
  ],
  async make({ system }, ends) {
    const id = "counter-nowhere";
    const url = `http://127.0.0.1:${closedPort()}`;
    const put = () => askDiscovery(system, "PUT", id, { service: "counter", url, subgraph: true, metrics: true });
    await put();
    ends.defer(() => askDiscovery(system, "DELETE", id));
    again(ends, 3 * SECOND, put);
  },
};

/** A process stands still for most of each second. */
export function stuttering(kind: ServiceName): Fault {
  return {
    what: `${kind} stands still for 0.6 s of each second`,
    raises: [{ alert: "EventLoopLag", labels: { job: kind } }],
    make({ system }, ends) {
      again(ends, SECOND, async () => {
        system.signal("SIGSTOP", kind);
        await delay(0.6 * SECOND);
        system.signal("SIGCONT", kind);
      });
    },
  };
}

/** A process is killed three times, and started again each time. */
export function killedThrice(kind: ServiceName): Fault {
  return {
    what: `${kind} is killed three times`,
    raises: [{ alert: "ProcessRestarting", labels: { job: kind } }],
    async make({ system }) {
      for (let times = 0; times < 3; times++) {
        await until(`${kind} has run for a while`, async () => await uptime(system, kind) > 2, 20 * SECOND);
        await kill(system, kind);
      }
    },
  };
}

/** With auth frozen nobody hears who they are, and nobody gets in. */
export const authFrozen: Fault = {
  what: "auth is frozen, and people go on asking",
  raises: [
    { alert: "ServiceAway", labels: { job: "auth" } },
    { alert: "OperationsFailing", labels: { field: "me" } },
    { alert: "HttpErrors", labels: { job: "gateway" } },
  ],
  make({ system, ann }, ends) {
    freeze(system, ends, "auth");
    again(ends, SECOND / 2, () => ann.ask("{ me { email } }"));
    again(ends, SECOND / 2, () => graphql(system.graphqlUrl, "{ feedCursor }", {}, "a-token-that-is-not-known-here"));
  },
};

const BODY_BYTES = 60_000_000;
const BODIES = 24;
/** As long as the gateway waits for a body. */
const BODY_WAITS_MS = 10 * SECOND;

/** A gateway has bodies in its memory, whose last byte is late. */
export const manyBodies: Fault = {
  what: `${BODIES} bodies of ${BODY_BYTES / 1e6} MB arrive at the gateway, slowly`,
  raises: [{ alert: "MemoryHigh", labels: { job: "gateway" }, withinMs: 120 * SECOND }],
  make({ system }, ends) {
    // What the runbook says: its memory is given back by a restart.
    ends.defer(() => kill(system, "gateway"));
    const open = new Set<Deno.Conn>();
    let isOver = false;
    // One behind the other: together they would all be given up in the same moment, and the memory be free for a while.
    for (let nth = 0; nth < BODIES; nth++) {
      let waitMs = nth * BODY_WAITS_MS / BODIES;
      again(ends, 0, async () => {
        await delay(waitMs);
        waitMs = 0;
        if (!isOver) await slowBody(system, open);
      });
    }
    ends.defer(() => {
      isOver = true;
      for (const connection of open) connection.close();
      open.clear();
    });
  },
};

function freeze(system: System, ends: AsyncDisposableStack, kind: ServiceName, index = 0): void {
  system.signal("SIGSTOP", kind, index);
  ends.defer(() => system.signal("SIGCONT", kind, index));
}

/** SIGKILL; it is started again, and ready. */
export async function kill(system: System, kind: ServiceName): Promise<void> {
  const { process } = system.node(kind);
  const { starts } = process;
  system.signal("SIGKILL", kind);
  await until(`${kind} is back`, () => process.starts > starts && process.state === "ready", 20 * SECOND);
}

async function uptime(system: System, kind: ServiceName): Promise<number> {
  return await metric(system.url(kind), "notifyx_process_uptime_seconds").catch(() => 0);
}

/** A body of which all but the last byte is sent; the gateway waits for that, for some seconds. */
async function slowBody(system: System, open: Set<Deno.Conn>): Promise<void> {
  const { hostname, port } = new URL(system.graphqlUrl);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  open.add(connection);
  try {
    const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
      `content-length: ${BODY_BYTES}\r\n\r\n`;
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(head));
    const part = new Uint8Array(1_000_000);
    for (let left = BODY_BYTES - 1; left > 0; left -= part.length) await writer.write(part.subarray(0, left));
    writer.releaseLock();
    await connection.read(new Uint8Array(1024));
  } finally {
    if (open.delete(connection)) connection.close();
  }
}

function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
