/**
 * Muster's own SFTP server: SSH with modern algorithms and nothing but SFTP in it, for log-ins that the hub knows. Here it
 * is put together; a client's way is admission.ts, authenticate.ts, let-in.ts, session.ts.
 */
import type { HostedOptions, HostedServer } from "../contract.ts";
import { listen } from "../listener.ts";
import { admit, connect } from "./admission.ts";
import { createAuthenticate } from "./authenticate.ts";
import { loadHostKey } from "./host-key.ts";
import { type Client, createHosting, type Hosting, letsIn, logError } from "./hosting.ts";
import { HOSTED_LIMITS, type HostedLimits } from "./limits.ts";
import { createOpenTrees } from "./open-trees.ts";
import { createSshServers } from "./ssh-servers.ts";
import { createTaker } from "./take.ts";
import { createTransport } from "./transport.ts";
import type { OpenFile } from "./tree.ts";

const LOOK_MS = 1000;

/** The quota as the operator has set it; all else only in tests. */
export interface HostedExtras {
  readonly limits?: Partial<HostedLimits>;
  readonly openFile?: OpenFile;
}

/** Listens once it resolves. Fails when the port is taken, or the host key cannot be read. */
export async function createHostedServer(
  options: HostedOptions,
  { limits: changed, openFile }: HostedExtras = {},
): Promise<HostedServer> {
  const { log } = options;
  const limits: HostedLimits = { ...HOSTED_LIMITS, ...changed };
  const key = await loadHostKey(options.dir);
  const trees = createOpenTrees({
    ...options,
    limits,
    openFile,
    changed: (id) => taker.poke(id),
    sessionsEnded: () => Promise.allSettled(hosting.ending),
  });
  const hosting = createHosting(options, limits, trees.of);
  const taker = createTaker(hosting);
  const authenticate = createAuthenticate(hosting, options.logIn);
  const servers = createSshServers(key.privateKey, (ssh, peer) => connect(hosting, authenticate, ssh, peer));
  let isClosing = false;
  const listener = await listen({
    host: options.host,
    port: options.port,
    allowHalfOpen: false,
    onConnection(socket) {
      try {
        if (isClosing) socket.destroy();
        else admit(hosting, servers, socket);
      } catch (error) {
        logError(hosting, "sftp.not_admitted", null, error);
        socket.destroy();
      }
    },
    onRestart: () => log("sftp.listener_restarted"),
  });
  const watch = watchClients(hosting);
  taker.changed();

  return {
    port: listener.port,
    fingerprint: key.fingerprint,
    openTransport: async (connection) => createTransport(await trees.of(connection), () => connection.settings.folder),
    changed() {
      taker.changed();
      disconnectRevoked(hosting);
    },
    tend: trees.tend,
    erase: trees.erase,
    async close() {
      isClosing = true;
      clearInterval(watch);
      const closed = listener.close();
      const sessions = [...hosting.clients].flatMap(({ sessions }) => [...sessions]);
      for (const { socket } of hosting.clients) socket.destroy();
      await Promise.allSettled([taker.close(), closed, ...sessions, ...hosting.ending]);
    },
  };
}

/** Disconnects clients that take too long to log in, are idle, or take nothing of what they are sent. */
function watchClients({ clients, limits }: Hosting): ReturnType<typeof setInterval> {
  return setInterval(() => {
    const at = performance.now();
    for (const client of clients) {
      if (isLate(client, limits, at) || client.outgoing.isStuck()) client.socket.destroy();
    }
  }, Math.min(LOOK_MS, limits.handshakeMs / 2, limits.keyExchangeMs / 2, limits.idleMs / 2));
}

function isLate(client: Client, limits: HostedLimits, at: number): boolean {
  const { connection, since, greetedAt, isSecure, busyAt } = client;
  if (connection !== null) return at - busyAt > limits.idleMs;
  return at - since > limits.handshakeMs || (!isSecure && greetedAt !== null && at - greetedAt > limits.keyExchangeMs);
}

/** Disconnects clients whose log-in was revoked. Their sockets are destroyed: a client could ignore a polite goodbye. */
function disconnectRevoked(hosting: Hosting): void {
  for (const { socket, connection, proof } of hosting.clients) {
    if (connection === null || letsIn(hosting, connection, proof)) continue;
    hosting.log("sftp.sent_away", { connection });
    socket.destroy();
  }
}
