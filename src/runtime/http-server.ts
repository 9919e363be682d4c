/**
 * The HTTP server of the process, on Deno and on Node: `node:http` behind a listener of its own, with bounds for whoever
 * connects (connections.ts). Whatever goes wrong with one connection ends that one.
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
import { type ConnectionLimits, createConnections } from "./connections.ts";
import { connectionCap, readOpenFileLimit } from "./open-files.ts";
import { createRequestTurns } from "./request-turns.ts";
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
const SAY_EVERY_MS = 60_000;
/** How long requests at hand may take once the server is to close. */
const CLOSE_MS = 5_000;

export async function startHttpServer(
  handler: Handler,
  at: ListenAt,
  log: Hub["log"],
  changed: Partial<ConnectionLimits> = {},
): Promise<Listening> {
  const max = connectionCap(at.maxConnections, readOpenFileLimit());
  // What a proxy sends comes from one address, whoever sent it first.
  const maxOfNetwork = at.addressHeader === null ? Math.max(8, Math.floor(max / 4)) : Infinity;
  const cuts = createCutLog(log, max);
  const connections = createConnections({ max, maxOfNetwork, ...LIMITS, ...changed }, cuts.note);

  const answer = getRequestListener(async (request, { incoming, outgoing }) => {
    await sendAnswer(await handler(request, addressOf(incoming as IncomingMessage)), outgoing as ServerResponse, log);
    return RESPONSE_ALREADY_SENT;
  }, { overrideGlobalObjects: false });
  const addressOf = (incoming: IncomingMessage) => {
    const headers = { get: (name: string) => [incoming.headers[name.toLowerCase()]].flat().join() || null };
    return clientAddress(headers, at.addressHeader, connections.find(incoming.socket)?.address ?? null);
  };
  const turns = createRequestTurns(at.whose);
  const server = createServer({
    // Minded for all connections together (connections.ts), instead of by timers of each.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: LIMITS.idleMs,
  }, (incoming, outgoing) => {
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
  });

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
    cuts.say();
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

/** Says what was cut at most once a minute: the first of it at once, then how many of each kind there were. */
function createCutLog(log: Hub["log"], max: number): { note(reason: CutReason): void; say(): void } {
  let counts = new Map<CutReason, number>(), saidAt = -Infinity;
  return {
    note(reason) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    },
    say() {
      // A client that leaves an idle connection is nothing to tell.
      counts.delete("idle");
      if (counts.size === 0 || performance.now() - saidAt < SAY_EVERY_MS) return;
      saidAt = performance.now();
      log("connections.cut", { ...Object.fromEntries(counts), max });
      counts = new Map();
    },
  };
}

/** The Fault's message for an address that cannot be listened at. */
function cannotListen(at: { readonly host: string; readonly port: number }, error: unknown): string {
  const taken = error instanceof Error && /EADDRINUSE|AddrInUse|in use/.test(`${error.name} ${error.message}`);
  return `Cannot listen at ${at.host}:${at.port}: ` +
    (taken
      ? "something else does already; set PORT to another port"
      : "PORT and HOST should be free and this machine's");
}
