/**
 * A feed written by hand, behind real HTTP: what the notifications service answers a gateway's hub, counted naively from the list of all
 * events. A test can hold answers back, and the stream, so that they come in any order.
 */

import type { Directory, Instance } from "../../../kit/directory.ts";
import { delay, SECOND } from "../../../kit/time.ts";
import { Balancer } from "../../balancer.ts";
import { readFeedCursor, writeFeedCursor } from "../cursor.ts";
import type { FeedEvent, NotificationEvent } from "../feed_event.ts";
import type { PageRequest, Viewer } from "../upstream.ts";

type Route = "memberships" | "replay" | "acknowledgements" | "unseen";
/** An event without what the feed adds. */
type Written = FeedEvent extends infer Event ? Event extends FeedEvent ? Omit<Event, "position" | "cursor"> : never
  : never;

export const CREATOR = "creator";

export class FeedService implements AsyncDisposable {
  epoch = "first";
  /** How many rows a page of a replay has. */
  pageSize = 3;
  /** How often each was asked. */
  readonly asked: Record<Route, number> = { memberships: 0, replay: 0, acknowledgements: 0, unseen: 0 };
  /** Routes that answer 503. */
  readonly away = new Set<Route>();
  readonly deleted = new Set<string>();
  /** Who is behind this position and asks for what came since is told CURSOR_EXPIRED. */
  lost = 0;
  #removed = 0;
  events: FeedEvent[] = [];
  readonly #held = new Map<Route, PromiseWithResolvers<void>>();
  readonly #streams = new Set<Stream>();
  #streamIsHeld = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly balancer: Balancer;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#answer(request),
    );
    const url = `http://127.0.0.1:${this.#server.addr.port}`;
    const directory = { instances: () => [{ id: "a", url } as Instance] } as unknown as Directory;
    this.balancer = new Balancer(directory, { isLive: () => Promise.resolve(true) });
  }

  get position(): number {
    return this.events.length;
  }

  write(...events: Written[]): void {
    for (const event of events) {
      const position = this.events.length + 1;
      this.events.push({ ...event, position, cursor: this.cursor(position) } as FeedEvent);
      if (event.kind === "delete") this.deleted.add(event.topicId);
    }
    for (const stream of this.#streams) this.#send(stream);
  }

  /** A broadcast, or a targeted one. */
  notify(topicId: string, to: readonly string[] | null = null): void {
    const id = `n${this.position + 1}`;
    this.write({
      kind: "notification",
      topicId,
      id,
      fromUserId: CREATOR,
      message: id,
      createdAt: "now",
      to,
      recipientCount: 1,
    });
  }

  cursor(position: number): string {
    return writeFeedCursor({ epoch: this.epoch, position });
  }

  /** Until it is released: what is asked is answered as it was when it was asked. */
  hold(route: Route): void {
    if (!this.#held.has(route)) this.#held.set(route, Promise.withResolvers());
  }

  release(route: Route): void {
    this.#held.get(route)?.resolve();
    this.#held.delete(route);
  }

  holdStream(): void {
    this.#streamIsHeld = true;
  }

  releaseStream(): void {
    this.#streamIsHeld = false;
    for (const stream of this.#streams) this.#send(stream);
  }

  /** The streams break off; of what stands up to `removed` they say no more when they begin again. */
  breakOff(removed = 0): void {
    this.#removed = Math.max(this.#removed, removed);
    for (const stream of [...this.#streams]) stream.close();
  }

  /** Another feed, which begins with this one's events up to `position`; streams hear of it when they begin again. */
  replace(position: number): void {
    this.epoch += " and another";
    this.events = this.events.slice(0, position);
    this.#removed = this.lost = 0;
  }

  /** What was held is among what is skipped. */
  releaseStreamBrokenOff(removed: number): void {
    this.breakOff(removed);
    this.releaseStream();
  }

  /** The positions of what a user receives behind `after`, up to and including `upTo`. */
  received(userId: string, topicId: string | null, after = 0, upTo = Infinity): number[] {
    const retracted = new Set(this.events.flatMap((event) => event.kind === "retract" ? [event.id] : []));
    const member = new Set<string>();
    const positions: number[] = [];
    for (const event of this.events) {
      if (event.kind === "join" && event.userId === userId) member.add(event.topicId);
      else if (event.kind === "leave" && event.userId === userId) member.delete(event.topicId);
      if (event.kind !== "notification" || event.position <= after || event.position > upTo) continue;
      if (!member.has(event.topicId) || (topicId !== null && topicId !== event.topicId)) continue;
      if (event.to !== null && !event.to.includes(userId)) continue;
      if (!retracted.has(event.id) && !this.deleted.has(event.topicId)) positions.push(event.position);
    }
    return positions;
  }

  /** How many a user has not seen, of what is there at `position`. */
  unseen(userId: string, position = this.position): number {
    let unseen = this.received(userId, null, 0, position);
    for (const event of this.events.slice(0, position)) {
      const isBehind = (one: number) => one > event.position;
      if (event.kind === "seen" && event.userId === userId) {
        unseen = unseen.filter((one) => `n${one}` !== event.notificationId || isBehind(one));
      } else if (event.kind === "seenAll" && event.userId === userId) {
        unseen = unseen.filter((one) => this.events[one - 1]!.topicId !== event.topicId || one > event.upToPosition);
      }
    }
    return unseen.length;
  }

  topicsOf(userId: string, topicId: string | null, position = this.position): string[] {
    const topics = new Set<string>();
    for (const event of this.events.slice(0, position)) {
      if (event.kind === "join" && event.userId === userId) topics.add(event.topicId);
      else if (event.kind === "leave" && event.userId === userId) topics.delete(event.topicId);
      else if (event.kind === "delete") topics.delete(event.topicId);
    }
    return [...topics].filter((one) => topicId === null || one === topicId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const route of [...this.#held.keys()]) this.release(route);
    this.breakOff();
    await this.#server.shutdown();
  }

  #send(stream: Stream): void {
    if (this.#streamIsHeld) return;
    if (stream.position < this.#removed) stream.write({ position: stream.position = this.#removed, skipped: true });
    for (const event of this.events.slice(stream.position)) stream.write(event);
    stream.position = this.position;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/api/feed") return this.#stream(searchParams.get("after"));
    const route = pathname.slice("/api/feed/".length) as Route;
    const body = await request.json();
    this.asked[route]++;
    if (this.away.has(route)) return fault(503, "SERVICE_UNAVAILABLE");
    const answer = this.#look(route, body);
    await this.#held.get(route)?.promise;
    return answer;
  }

  #look(route: Route, body: { viewers: Viewer[]; userIds: string[] } & PageRequest): Response {
    const { position, epoch } = this;
    switch (route) {
      case "memberships":
        return Response.json({ position, epoch, viewers: body.viewers.map((viewer) => this.#membership(viewer)) });
      case "unseen":
        return Response.json({ position, counts: body.userIds.map((userId) => this.unseen(userId)) });
      case "replay":
      case "acknowledgements":
        return this.#page(route, body);
    }
  }

  #membership({ userId, topicId }: Viewer) {
    if (topicId !== null && this.deleted.has(topicId)) {
      return { topicIds: [], error: { code: "NOT_FOUND", error: "there is no such topic" } };
    }
    return { topicIds: this.topicsOf(userId, topicId), createdBy: topicId === null ? undefined : CREATOR };
  }

  #page(route: "replay" | "acknowledgements", { userId, topicId, after, upTo }: PageRequest): Response {
    const { epoch, position: from } = readFeedCursor(after);
    if (topicId !== null && this.deleted.has(topicId)) return fault(404, "NOT_FOUND");
    if (epoch !== this.epoch || from < this.lost) return fault(410, "CURSOR_EXPIRED");
    const position = upTo ?? this.position;
    const positions = route === "replay"
      ? this.received(userId, topicId, from, position)
      : this.events.filter((event) =>
        event.topicId === topicId && event.position > from && event.position <= position && /^seen/.test(event.kind)
      ).map((event) => event.position);
    const missed = positions.slice(0, this.pageSize).map((one) => {
      const event = this.events[one - 1] as NotificationEvent;
      const { notificationId = null, upTo = null } = event as { notificationId?: string; upTo?: string };
      return { ...event, notificationId, upTo, cursor: this.cursor(one), seen: false };
    });
    return Response.json({
      position,
      topicIds: route === "replay" ? this.topicsOf(userId, topicId, position) : undefined,
      missed,
      more: missed.length === this.pageSize,
    });
  }

  #stream(after: string | null): Response {
    const stream = new Stream(after === null ? this.position : Math.min(Number(after), this.position), () => {
      this.#streams.delete(stream);
    });
    this.#streams.add(stream);
    stream.write({ position: stream.position, epoch: this.epoch });
    this.#send(stream);
    return new Response(stream.body);
  }
}

class Stream {
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;

  constructor(public position: number, private readonly onEnd: () => void) {
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: onEnd,
    });
  }

  write(line: unknown): void {
    this.#controller!.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
  }

  close(): void {
    this.onEnd();
    this.#controller!.close();
  }
}

function fault(status: number, code: string): Response {
  return Response.json({ error: "not now", code }, { status });
}

/** Waits until `holds` says so. @throws Error after `limitMs`, naming `what` */
export async function until(what: string, holds: () => boolean, limitMs = 5 * SECOND): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(1);
  }
}
