/**
 * The HTTP server of the process, on Deno and on Node: `node:http` behind a listener of its own, with limits on
 * connections (connections.ts). A failure of one connection ends only that one.
 */
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../bridge/listener.ts";
import type { Handler, ListenAt, Listening } from "./command.ts";
import { clientAddress } from "../security/client-address.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import type { CutReason } from "../model/metrics.ts";
import { type Connections, createConnections } from "./connections.ts";
import type { ConnectionLimits } from "./connection-table.ts";
import { connectionCap, readOpenFileLimit } from "./open-files.ts";
import { createRequestTurns, type RequestTurns } from "./request-turns.ts";
import { sendAnswer } from "./send-answer.ts";
import { sleep } from "../std/sleep.ts";

const LIMITS: Omit<ConnectionLimits, "max" | "maxOfNetwork"> = {
  maxBodies: 128,
  maxQueuedBytes: 16 * 1024 * 1024,
  headMs: 10_000,
  idleMs: 60_000,
  bodyMs: 30_000,
  minBodyBytes: 4096,
  unreadMs: 60_000,
  maxUnread: 128,
};
const SWEEP_EVERY_MS = 1_000;
const REPORT_EVERY_MS = 60_000;
/** How long requests that have begun may take once the server closes. */
const CLOSE_MS = 5_000;

export async function startHttpServer(
  handler: Handler,
  at: ListenAt,
  log: Hub["log"],
  changed: Partial<ConnectionLimits> = {},
): Promise<Listening> {
  const max = connectionCap(at.maxConnections, readOpenFileLimit());
  // Behind a proxy, all connections come from its one address.
  const maxOfNetwork = at.addressHeader === null ? Math.max(8, Math.floor(max / 4)) : Infinity;
  const cuts = createCutLog(log, max);
  const connections = createConnections({ max, maxOfNetwork, ...LIMITS, ...changed }, cuts.note);
  const turns = createRequestTurns(at.whose);
  const server = createServer({
    // connections.ts limits these for all connections together, instead of one timer for each.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: LIMITS.idleMs,
  }, createRequestHandler(handler, at, log, connections, turns));

  // Deno ends a connection after its first answer where the server does not listen itself.
  let open = true;
  Object.defineProperty(server, "listening", { get: () => open });

  const listener = await listen({
    host: at.host,
    port: at.port,
    allowHalfOpen: true,
    onConnection(socket) {
      turns.connected();
      if (connections.admit(socket) !== null) server.emit("connection", socket);
    },
    onRestart: () => log("listener.restarted"),
  }).catch((error) => {
    throw new Fault("unavailable", cannotListen(at, error), { cause: error });
  });
  const timer = setInterval(() => {
    connections.sweep();
    cuts.report();
  }, SWEEP_EVERY_MS);
  timer.unref();

  return {
    port: listener.port,
    figures: () => ({ open: connections.count, max, cut: connections.cut }),
    async close() {
      open = false;
      void listener.close();
      connections.close();
      const until = performance.now() + CLOSE_MS;
      while (connections.count > 0 && performance.now() < until) await sleep(10);
      connections.destroyAll();
      clearInterval(timer);
    },
  };
}

/** Answers each request when it is its turn, and after those before it on its connection. */
function createRequestHandler(
  handler: Handler,
  at: ListenAt,
  log: Hub["log"],
  connections: Connections,
  turns: RequestTurns,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const addressOf = (incoming: IncomingMessage) => {
    const headers = { get: (name: string) => [incoming.headers[name.toLowerCase()]].flat().join() || null };
    return clientAddress(headers, at.addressHeader, connections.find(incoming.socket)?.address ?? null);
  };
  const answer = getRequestListener(async (request, { incoming, outgoing }) => {
    await sendAnswer(await handler(request, addressOf(incoming as IncomingMessage)), outgoing as ServerResponse, log);
    return RESPONSE_ALREADY_SENT;
  }, { overrideGlobalObjects: false });
  return (incoming, outgoing) => {
    const connection = connections.find(incoming.socket);
    if (connection === undefined) return void incoming.socket.destroy();
    connections.begin(connection, incoming, outgoing, () => {
      const leave = turns.wait(incoming, addressOf(incoming), () => {
        if (connections.start(connection, incoming)) answer(incoming, outgoing);
      });
      if (leave === undefined) return;
      connections.queue(connection, incoming);
      outgoing.once("close", leave);
    });
  };
}

/** Logs cut connections by reason, at most once a minute. */
function createCutLog(log: Hub["log"], max: number): { note(reason: CutReason): void; report(): void } {
  let counts = new Map<CutReason, number>(), reportedAt = -Infinity;
  return {
    note(reason) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    },
    report() {
      // Idle connections are cut all the time.
      counts.delete("idle");
      if (counts.size === 0 || performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      log("connections.cut", { ...Object.fromEntries(counts), max });
      counts = new Map();
    },
  };
}

/** The message for an address that cannot be listened at. */
function cannotListen(at: { readonly host: string; readonly port: number }, error: unknown): string {
  const taken = error instanceof Error && /EADDRINUSE|AddrInUse|in use/.test(`${error.name} ${error.message}`);
  return `Cannot listen at ${at.host}:${at.port}: ` +
    (taken
      ? "something else does already; set PORT to another port"
      : "PORT and HOST should be free and this machine's");
}
