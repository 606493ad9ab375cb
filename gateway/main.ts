/** The gateway: one graph over all services, the coordinator of the two-phase commit, and delivery. Starts the process. */

import { COMMON_SETTINGS, DATABASE_SETTINGS, publicUrl, readConfig } from "../kit/config.ts";
import { listenWithSockets } from "../kit/listen.ts";
import { Origins } from "../kit/origins.ts";
import { checkPreparedTransactions } from "../kit/participant/prepared_limit.ts";
import { runService } from "../kit/service.ts";
import { SECOND } from "../kit/time.ts";
import { Balancer } from "./balancer.ts";
import { DatabaseFigures } from "./database_figures.ts";
import { Connections } from "./delivery/connections.ts";
import { ExecutedSubscriptions } from "./delivery/executed.ts";
import { Executions } from "./delivery/execution.ts";
import { Hub } from "./delivery/hub.ts";
import { measureFeed } from "./delivery/metrics.ts";
import { sharedSchema } from "./delivery/shared_schema.ts";
import { HubSubscriptions } from "./delivery/subscriptions.ts";
import { serveSockets } from "./delivery/sockets.ts";
import { LastingSubscriptions } from "./graph/lasting_subscriptions.ts";
import { SchemaChanges } from "./graph/schema_changes.ts";
import { TypesCopy } from "./graph/types_copy.ts";
import { Guards } from "./guards/guards.ts";
import { readTrustedDocuments } from "./guards/trusted_documents.ts";
import { serveGraphQL } from "./graphql_route.ts";
import { migrations } from "./migrations/mod.ts";
import { Overview } from "./overview.ts";
import { ownSchema } from "./own_schema.ts";
import { servePublicRoutes } from "./public_routes.ts";
import { measureSessions, Sessions } from "./sessions.ts";
import { GATEWAY_SETTINGS } from "./settings.ts";
import { GATEWAY_FIGURES } from "./figures.ts";
import { statusSections } from "./status_sections.ts";
import { SubgraphCalls } from "./subgraph_call.ts";
import { Supergraph } from "./supergraph.ts";
import { systemProblems } from "./system/sections.ts";
import { SystemTiles } from "./system/system.ts";
import { transactionsAtOnce } from "./two_phase/at_once.ts";
import { Channels } from "./two_phase/channels.ts";
import { Coordinator } from "./two_phase/coordinator.ts";
import { DecisionLog } from "./two_phase/decision_log.ts";
import { IdempotencyKeys } from "./two_phase/idempotency.ts";
import { Lease } from "./two_phase/lease.ts";
import { measurePlaces } from "./two_phase/metrics.ts";
import { Participants } from "./two_phase/participants.ts";
import { Recovery } from "./two_phase/recovery.ts";
import { RequiredParticipants } from "./two_phase/required.ts";
import { serveTransactions } from "./two_phase/routes.ts";
import { join } from "node:path";

const config = readConfig({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS, ...GATEWAY_SETTINGS });
const trusted = await readTrustedDocuments(config.NOTIFYX_TRUSTED_DOCUMENTS);
/** Without these the graph would be of no use, and sending would be refused. */
const NEEDED = ["auth", "notifications", "counter"];
/** What is ours: no other service takes the place of their types. */
const OURS = [...NEEDED, "avatar"];

await runService({
  name: "gateway",
  config,
  async setUp(service) {
    const { app, directory, folder, leaving, log, secret, stopping } = service;
    const sql = await service.database(config, migrations);
    const balancer = new Balancer(directory, {
      balancing: config.NOTIFYX_BALANCING,
      slowStartMs: config.NOTIFYX_SLOW_START_SECONDS * SECOND,
    });
    balancer.start();
    service.onStop("the balancer", () => balancer.stop());
    const sessions = new Sessions(balancer, secret, log);
    measureSessions(sessions);
    service.onStop("the sessions", () => sessions.stop());
    const decisions = new DecisionLog(sql, service.instanceId);
    const lease = new Lease(sql, service.instanceId, log);
    const keys = new IdempotencyKeys(sql, decisions);
    const required = new RequiredParticipants(sql, directory, log);
    const maxPrepared = await checkPreparedTransactions(sql);
    const channels = new Channels(secret);
    service.onStop("the channels", () => channels.close());
    const coordinator = new Coordinator(
      new Participants(balancer, channels),
      decisions,
      (operation) => required.of(operation),
      () => transactionsAtOnce(maxPrepared, directory.instances("gateway").length),
      log,
    );
    measurePlaces(coordinator.places);
    const recovery = new Recovery(decisions, coordinator, keys, log);
    const figuresOfDatabase = new DatabaseFigures(sql, decisions, log);
    const connections = new Connections(config, log);
    const hub = new Hub(balancer, secret, log, { written: (then) => connections.outboxes.whenWritten(then) });
    measureFeed(hub);
    const changes = new SchemaChanges(log);
    let wasWhole = false;
    const overview = new Overview(directory, balancer, changes, () => supergraph);
    const own = ownSchema(overview, coordinator, decisions, keys);
    const guards = new Guards(config, trusted, secret);
    const supergraph: Supergraph = new Supergraph({
      directory,
      calls: new SubgraphCalls(balancer, own, log),
      secret,
      own,
      first: OURS,
      rules: guards.rules,
      copy: folder === undefined ? undefined : new TypesCopy(join(folder, "types"), secret, log),
      onChange(before, after) {
        // What comes together at the start is no change.
        if (wasWhole && before !== undefined) void changes.record(before, after);
        wasWhole ||= NEEDED.every((needed) => supergraph.has(needed));
        void subscriptions.graphChanged();
      },
      log,
    });
    service.onStop("the lease", () => lease.stop());
    service.onStop("who takes part", () => required.stop());
    service.onStop("the coordinator", () => coordinator.stop());
    service.onStop("recovery", () => recovery.stop());
    service.onStop("the database's figures", () => figuresOfDatabase.stop());
    service.onStop("the graph", () => supergraph.stop());
    service.onStop("the hub", () => hub.stop());

    const documents = () => supergraph.documents;
    const executions = new Executions(sharedSchema(hub.entities, publicUrl(config)), documents, log);
    const all = new HubSubscriptions(hub, executions, new ExecutedSubscriptions(log));
    const subscriptions = new LastingSubscriptions(all, documents, log);
    const shared = {
      documents,
      subscriptions,
      sessions,
      origins: new Origins(config.NOTIFYX_ALLOWED_ORIGINS, "NOTIFYX_ALLOWED_ORIGINS"),
      guards,
      connections,
      log,
    };
    const short = serveGraphQL(app, { ...shared, stopping });
    servePublicRoutes(app, { balancer, guards });
    serveTransactions(app, secret, coordinator, decisions, required);

    for (const needed of NEEDED) {
      service.readyChecks.set(needed, () => supergraph.has(needed) && directory.instances(needed).length > 0);
    }
    service.readyChecks.set("feed", () => hub.position !== undefined);
    const { dashboard, discoveryUrls, instanceId } = service;
    const ownData = (after: number) => dashboard.data(after);
    const system = new SystemTiles({ directory, discoveryUrls, secret, instanceId, ownData });
    dashboard.groups.push(system);
    dashboard.figures.push(...GATEWAY_FIGURES);
    dashboard.problemsElsewhere.push(() => systemProblems(system, overview, instanceId, NEEDED));
    const parts = { coordinator, decisions, required, balancer, secret };
    dashboard.sections.push(...statusSections(system, overview, hub, parts));
    await Promise.all([lease.start(), required.start()]);
    sessions.start();
    supergraph.start();
    hub.start();
    recovery.start();
    figuresOfDatabase.start();
    const stopMs = config.NOTIFYX_STOP_SECONDS * SECOND;
    return listenWithSockets((server) => serveSockets(server, { ...shared, config, stopMs }), { short, leaving });
  },
});
