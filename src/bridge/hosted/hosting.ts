/** What the parts of the hosted server share: its limits, who is connected, and what connections have open. */
import type { Socket } from "node:net";
import type { BridgeConnection, HostedOptions, Trouble } from "../contract.ts";
import { type Holds, noHolds } from "./channel.ts";
import { createFlow } from "./flow.ts";
import { createGuard } from "./guard.ts";
import type { HostedLimits } from "./limits.ts";
import { writeInOnePiece } from "./outgoing.ts";
import type { Tree } from "./tree.ts";

export type Hosting = ReturnType<typeof createHosting>;

export function createHosting(
  { hub, log, now, passed = () => {} }: HostedOptions,
  limits: HostedLimits,
  treeOf: (connection: BridgeConnection) => Promise<Tree>,
) {
  return {
    hub,
    log,
    now,
    passed,
    limits,
    treeOf,
    guard: createGuard(limits),
    clients: new Set<Client>(),
    /** Sessions whose client is gone and whose files are being closed. */
    ending: new Set<Promise<void>>(),
    /** What the sessions of each connection hold, and all sessions together. */
    holds: new Map<string, Holds>(),
    holdsInAll: noHolds(),
    /** Trouble with uploads, by connection. */
    troubles: new Map<string, Trouble>(),
    /** How many clients were disconnected by an unexpected error. */
    broken: 0,
  };
}

export type Client = ReturnType<typeof createClient>;

export function createClient(socket: Socket, network: string, limits: HostedLimits) {
  const flow = createFlow(socket);
  return {
    socket,
    network,
    since: performance.now(),
    flow,
    outgoing: writeInOnePiece(socket, { flow, limits }),
    /** When the server's first line was sent; null: not yet. */
    greetedAt: null as number | null,
    isSecure: false,
    /** Failed tries to log in. */
    failures: 0,
    /** The connection that it logged in to, and what it logged in with (LetIn.proof); null: it has not. */
    connection: null as string | null,
    proof: null as string | null,
    tree: null as Tree | null,
    busyAt: performance.now(),
    sessions: new Set<Promise<void>>(),
  };
}

export function findHosted({ hub }: Pick<Hosting, "hub">, id: string): BridgeConnection | undefined {
  return hub.connections().find((connection) => connection.id === id && connection.mode === "hosted");
}

/** Whether a client that logged in with that proof may still be connected. */
export function letsIn(hosting: Hosting, id: string, proof: string | null): boolean {
  const connection = findHosted(hosting, id);
  return connection !== undefined && (connection.letsIn === undefined || connection.letsIn.includes(proof ?? ""));
}

export function holdsOf({ holds }: Hosting, id: string): Holds {
  const known = holds.get(id) ?? noHolds();
  holds.set(id, known);
  return known;
}

/** Reports trouble with uploads at once, and again only when it changes. Null: it is over. */
export function reportTrouble(hosting: Hosting, id: string, trouble: Trouble | null): void {
  const { troubles, log, hub } = hosting;
  if (trouble === null) return void troubles.delete(id);
  const connection = findHosted(hosting, id);
  if (connection === undefined || troubles.get(id)?.code === trouble.code) return;
  troubles.set(id, trouble);
  log("sftp.trouble", { connection: id, code: trouble.code });
  hub.reportHealth(connection, trouble);
}

/** For callbacks: an error disconnects this client, and no other. */
export function guarded<Args extends unknown[]>(
  hosting: Hosting,
  client: Client,
  work: (...args: Args) => void | Promise<void>,
): (...args: Args) => void {
  const breakOff = (error: unknown) => {
    logError(hosting, "sftp.connection_broken", client.connection, error, { count: ++hosting.broken });
    client.socket.destroy();
  };
  return (...args) => {
    try {
      const done = work(...args);
      if (done !== undefined) done.catch(breakOff);
    } catch (error) {
      breakOff(error);
    }
  };
}

/** Without the error's message, which may name a file. */
export function logError(
  { log }: Pick<Hosting, "log">,
  event: string,
  connection: string | null,
  error: unknown,
  details: Record<string, number> = {},
): void {
  const { name, code } = (error ?? {}) as { name?: string; code?: string };
  log(event, { connection, error: name ?? "unknown", code: code ?? null, ...details });
}
