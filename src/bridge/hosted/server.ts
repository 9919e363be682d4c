/**
 * Muster's own SFTP server: SSH with modern algorithms and nothing but SFTP in it, for log-ins that the hub knows.
 *
 * No shell, no commands, no forwarding: what nobody listens for, the library refuses. Everything that a stranger can make
 * grow has a limit (limits.ts), and everything that waits for a stranger has a time.
 */
import type { Socket } from "node:net";
import { join } from "node:path";
import type { AuthContext, CipherAlgorithm, Connection, Server, ServerConfig } from "ssh2";
import { networkOf } from "../../security/rates.ts";
import { BYTES_OF_KEYS, CIPHERS, COMPRESSION, CURVES, MACS } from "../algorithms.ts";
import type {
  BridgeConnection,
  ErasedTree,
  HostedOptions,
  HostedServer,
  LetIn,
  SetAside,
  Trouble,
} from "../contract.ts";
import { listen } from "../listener.ts";
import { ssh2 } from "../ssh2.ts";
import { createAuthenticate } from "./authenticate.ts";
import { chooseCipher } from "./ciphers.ts";
import { createFlow, type Flow, timeReading } from "./flow.ts";
import { greet } from "./greeting.ts";
import { createGuard } from "./guard.ts";
import { loadHostKey } from "./host-key.ts";
import { mostAtOnce } from "./inside.ts";
import { HOSTED_LIMITS, type HostedLimits } from "./limits.ts";
import { type Outgoing, writeInOnePiece } from "./outgoing.ts";
import { type Holds, noHolds, serveSession } from "./session.ts";
import { whoGoes } from "./strangers.ts";
import { createTaker } from "./take.ts";
import { createTransport } from "./transport.ts";
import { eraseTree, eraseUnheldTree } from "./erase-tree.ts";
import { openTree } from "./open-tree.ts";
import type { OpenFile, Tree } from "./tree.ts";
import { claimTree, findTreeOf, listAside, listTrees, removeAsideOf, removeLongAside, setAside } from "./trees.ts";
import { MINUTE_MS } from "../../std/time.ts";

const ALGORITHMS: ServerConfig["algorithms"] = {
  // Those of finite fields would let a stranger make this side compute for long.
  kex: [...CURVES],
  serverHostKey: ["ssh-ed25519"],
  cipher: CIPHERS,
  hmac: MACS,
  compress: COMPRESSION,
};
/** What clients see of this server before they are let in: `SSH-2.0-Muster`. */
const NAME = "Muster";
const LOOK_MS = 1000;
/** So long a client that broke the rules may take what it is told of that. */
const GOODBYE_MS = 1000;
const MOST_REST_MS = 1000;

/** The quota as the operator has it; all else only in tests. */
export interface HostedExtras {
  readonly limits?: Partial<HostedLimits>;
  readonly openFile?: OpenFile;
}

interface Client {
  readonly socket: Socket;
  readonly network: string;
  readonly since: number;
  readonly flow: Flow;
  readonly outgoing: Outgoing;
  /** When it was greeted; null: not yet. */
  greetedAt: number | null;
  isSecure: boolean;
  failures: number;
  /** Null: not logged in. */
  connection: string | null;
  /** What it was let in with. */
  proof: string | null;
  tree: Tree | null;
  busyAt: number;
  readonly sessions: Set<Promise<void>>;
}

/** Listens once it resolves. Fails when the port is taken, or the host key is none. */
export async function createHostedServer(
  options: HostedOptions,
  { limits: changed, openFile }: HostedExtras = {},
): Promise<HostedServer> {
  const { dir, hub, log, now, logIn, passed = () => {} } = options;
  const limits: HostedLimits = { ...HOSTED_LIMITS, ...changed };
  const key = await loadHostKey(dir);
  const guard = createGuard(limits);
  const clients = new Set<Client>();
  const byPeer = new Map<string, Client>();
  const trees = new Map<string, Promise<Tree>>();
  const troubles = new Map<string, Trouble>();
  let closing = false;

  const hosted = (id: string): BridgeConnection | undefined =>
    hub.connections().find((connection) => connection.id === id && connection.mode === "hosted");

  /** Whether somebody who came with that may still be in. */
  function letsIn(id: string, proof: string | null): boolean {
    const connection = hosted(id);
    return connection !== undefined && (connection.letsIn === undefined || connection.letsIn.includes(proof ?? ""));
  }

  async function claim({ id, owner }: BridgeConnection): Promise<void> {
    // Not while trees are being set aside.
    await tending;
    const moved = owner === undefined ? null : await claimTree(dir, id, owner, now());
    if (moved !== null) log(`sftp.tree_${moved}`, { connection: id });
  }

  let tending: Promise<unknown> = Promise.resolve();
  async function tend(findGone: (ids: readonly string[]) => Promise<readonly string[]>): Promise<readonly SetAside[]> {
    const isHeld = (id: string) => hub.connections().some((connection) => connection.id === id);
    const others = (await listTrees(dir)).filter((id) => !isHeld(id));
    const gone = others.length === 0 ? [] : await findGone(others);
    // Those who are in were sent away when it went; what they had open is being closed.
    await Promise.allSettled(ending);
    for (const id of gone) {
      if (isHeld(id)) continue;
      trees.delete(id);
      await setAside(dir, id, now());
      log("sftp.tree_set_aside", { connection: id });
    }
    const removed = await removeLongAside(dir, now());
    if (removed > 0) log("sftp.trees_removed", { count: removed });
    return await listAside(dir);
  }

  async function erase(id: string, organization: string, askedAt: number): Promise<ErasedTree> {
    const connection = hosted(id);
    const tree = connection?.organization === organization ? await treeOf(connection) : null;
    const done = tending.then(async () => {
      await removeAsideOf(dir, id, organization);
      if (tree !== null) return await eraseTree(tree, askedAt, now());
      const unheld = await findTreeOf(dir, id, organization);
      return unheld === null ? { isDone: true, waiting: 0 } : await eraseUnheldTree(unheld, askedAt, now());
    });
    tending = done.catch(() => {});
    return await done;
  }

  function treeOf(connection: BridgeConnection): Promise<Tree> {
    const known = trees.get(connection.id);
    if (known !== undefined) return known;
    let latest = connection;
    const tree = claim(connection).then(() =>
      openTree({
        dir: join(dir, connection.id),
        connection: () => latest = hosted(connection.id) ?? latest,
        limits,
        openFile,
        changed: () => taker.poke(connection.id),
        trimmed: (count) => log("sftp.kept_too_much", { connection: connection.id, count }),
      })
    );
    trees.set(connection.id, tree);
    tree.catch(() => trees.delete(connection.id));
    return tree;
  }

  const taker = createTaker({ hub, treeOf, troubleOf: ({ id }) => troubles.get(id) ?? null, limits, log, now });

  // --- log-ins ---

  const authenticate = createAuthenticate({ guard, limits, log, logIn });

  /** False: there is no such connection here. */
  async function letIn(client: Client, ssh: Connection, found: LetIn, context: AuthContext): Promise<boolean> {
    const connection = hosted(found.connection);
    if (connection === undefined) return false;
    await letInTo(connection, client, ssh, found.proof, context);
    return true;
  }

  async function letInTo(
    connection: BridgeConnection,
    client: Client,
    ssh: Connection,
    proof: string,
    context: AuthContext,
  ): Promise<void> {
    const { id } = connection;
    try {
      // Before the client knows that it is in: what it asks for then is answered without waiting for a disk.
      client.tree = await treeOf(connection);
    } catch (error) {
      logError("sftp.failed", id, error);
      return void ssh.end();
    }
    if (client.socket.destroyed) return;
    if ([...clients].filter((each) => each.connection === id).length >= limits.ofLogIn) {
      log("sftp.too_many", { connection: id });
      return void ssh.end();
    }
    // Taken away while the tree was opened.
    if (!letsIn(id, proof)) return void ssh.end();
    client.connection = id;
    client.proof = proof;
    client.busyAt = performance.now();
    log("sftp.logged_in", { connection: id });
    context.accept();
  }

  function serve(client: Client, ssh: Connection): void {
    let channels = 0, channelsInAll = 0;
    ssh.on(
      "session",
      guarded(client, (accept, reject) => {
        if (++channelsInAll > limits.channelsInAll) return void client.socket.destroy();
        const { connection: id, tree } = client;
        const connection = id === null ? undefined : hosted(id);
        if (connection === undefined || tree === null || channels >= limits.channels) return void reject();
        const session = accept();
        if ((mostAtOnce(session) ?? Infinity) < limits.leastPacketBytes) return void client.socket.destroy();
        channels++;
        session.once("close", () => void channels--);
        session.on("error", () => {});
        session.once(
          "sftp",
          guarded(client, (accept) => {
            // Accepted at once: clients send their first packet without waiting, and it would be lost.
            const sftp = accept();
            // It has closed the channel meanwhile.
            if (sftp === undefined) return;
            const serving = serveSession({
              sftp,
              holds: holdsOf(connection.id),
              holdsInAll,
              socket: client.socket,
              flow: client.flow,
              outgoing: client.outgoing,
              tree,
              folder: () => (hosted(connection.id) ?? connection).settings.folder,
              limits,
              passed,
              busy: () => void (client.busyAt = performance.now()),
              tell: (trouble) => tell(connection.id, trouble),
              unforeseen: (error) => logError("sftp.failed", connection.id, error),
              giveUp: () => void client.socket.destroy(),
            });
            client.sessions.add(serving);
            void serving.finally(() => client.sessions.delete(serving));
          }),
        );
      }),
    );
  }

  const holdsInAll = noHolds();
  /** What all sessions of one log-in have open. */
  const holds = new Map<string, Holds>();
  function holdsOf(id: string): Holds {
    const known = holds.get(id) ?? noHolds();
    holds.set(id, known);
    return known;
  }

  /** New keys cost arithmetic: one who asks for them again and again, or before it is anybody, is sent away. */
  function boundRekeys(client: Client, ssh: Connection): void {
    const { socket } = client;
    const passed = () => socket.bytesRead + socket.bytesWritten;
    let since = performance.now(), count = 0, before = passed();
    ssh.on("rekey", () => {
      const at = performance.now();
      if (at - since > MINUTE_MS) since = at, count = 0, before = passed();
      // Whoever sends much may agree on keys often.
      const most = limits.rekeys + (passed() - before) / BYTES_OF_KEYS;
      if (client.connection === null || ++count > most) socket.destroy();
    });
  }

  let broken = 0;
  /** What goes wrong with one client ends its connection, and no other. */
  function breakOff(client: Client, error: unknown): void {
    const { name, code } = (error ?? {}) as { name?: string; code?: string };
    log("sftp.connection_broken", {
      connection: client.connection,
      error: name ?? "unknown",
      code: code ?? null,
      count: ++broken,
    });
    client.socket.destroy();
  }

  function guarded<Args extends unknown[]>(
    client: Client,
    work: (...args: Args) => void | Promise<void>,
  ): (...args: Args) => void {
    return (...args) => {
      try {
        const done = work(...args);
        if (done !== undefined) done.catch((error) => breakOff(client, error));
      } catch (error) {
        breakOff(client, error);
      }
    };
  }

  /** What is wrong with uploads is said at once, and once only as long as it is the same. */
  function tell(id: string, trouble: Trouble | null): void {
    if (trouble === null) return void troubles.delete(id);
    const connection = hosted(id);
    if (connection === undefined || troubles.get(id)?.code === trouble.code) return;
    troubles.set(id, trouble);
    log("sftp.trouble", { connection: id, code: trouble.code });
    hub.fares(connection, trouble);
  }

  function logError(event: string, connection: string | null, error: unknown): void {
    const { name, code } = (error ?? {}) as { name?: string; code?: string };
    log(event, { connection, error: name ?? "unknown", code: code ?? null });
  }

  // --- connections ---

  const servers = createServers(key.privateKey, (connection, info) => {
    // The library says who it is about by address and port, and knows them once the client has said that it speaks SSH.
    const client = byPeer.get(`${info.ip} ${info.port}`);
    // Whatever a stranger sends that is no SSH comes up here; the library only closes its own side of the socket.
    connection.on("error", () => {
      const timer = setTimeout(() => client?.socket.destroy(), GOODBYE_MS);
      client?.socket.once("close", () => clearTimeout(timer));
    });
    if (client === undefined) return void connection.end();
    connection.once("handshake", () => void (client.isSecure = true));
    boundRekeys(client, connection);
    const { socket } = client;
    const candidate = {
      address: socket.remoteAddress ?? "",
      get failures() {
        return client.failures;
      },
      set failures(count) {
        client.failures = count;
      },
      // Whoever has ended its side takes no answer, and the library has none for it.
      isGone: () => socket.destroyed || socket.readableEnded,
      letIn: (found: LetIn, context: AuthContext) => letIn(client, connection, found, context),
    };
    connection.on("authentication", guarded(client, authenticate(connection, candidate)));
    serve(client, connection);
  });

  function admit(socket: Socket): void {
    const network = networkOf(socket.remoteAddress ?? "");
    const goes = closing ? "newcomer" : whoGoes(clients, network, limits);
    if (goes === "newcomer") return void socket.destroy();
    if (goes !== null) {
      // At once: it makes room for the next one, too, before its socket has said that it is closed.
      clients.delete(goes);
      goes.socket.destroy();
    }
    const flow = createFlow(socket);
    const client: Client = {
      socket,
      network,
      since: performance.now(),
      flow,
      outgoing: writeInOnePiece(socket, { flow, limits }),
      greetedAt: null,
      isSecure: false,
      failures: 0,
      connection: null,
      proof: null,
      tree: null,
      busyAt: performance.now(),
      sessions: new Set(),
    };
    const peer = `${socket.remoteAddress} ${socket.remotePort}`;
    clients.add(client);
    byPeer.set(peer, client);
    socket.once("close", () => {
      clients.delete(client);
      if (byPeer.get(peer) === client) byPeer.delete(peer);
      if (client.connection === null) guard.wasted(network);
      for (const serving of client.sessions) {
        ending.add(serving);
        void serving.finally(() => ending.delete(serving));
      }
    });
    socket.setNoDelay(true);
    // Each channel listens for its end.
    socket.setMaxListeners(limits.channels + 16);
    const inMs = guard.greetInMs(network);
    if (inMs === 0) welcome(client);
    else setTimeout(guarded(client, () => socket.destroyed ? undefined : welcome(client)), inMs);
  }

  /** Whoever sends what takes long, such as very many small packets, leaves most of the time to others. */
  function took(client: Client, ms: number): void {
    if (ms < limits.dearMs) return;
    const whose = ({ connection, network }: Client) => connection ?? network;
    const resting = [...clients].filter((each) => whose(each) === whose(client));
    const reason = {};
    for (const { flow } of resting) flow(reason, true);
    setTimeout(() => {
      for (const { flow } of resting) flow(reason, false);
    }, Math.min(ms, MOST_REST_MS));
  }

  function welcome(client: Client): void {
    const { socket } = client;
    timeReading(socket, (ms) => took(client, ms));
    client.greetedAt = performance.now();
    greet(
      socket,
      { name: NAME, waitMs: limits.proposalMs },
      guarded(client, (proposal) => {
        servers.of(proposal === null ? null : chooseCipher(proposal)).injectSocket(socket);
        let bytes = 0;
        socket.on("data", (data: Uint8Array) => {
          if (client.connection === null && (bytes += data.length) > limits.strangerBytes) socket.destroy();
        });
      }),
    );
  }

  /** Sessions whose socket is gone and whose files are being closed. */
  const ending = new Set<Promise<void>>();

  const watch = setInterval(() => {
    const at = performance.now();
    for (const client of clients) {
      if (isLate(client, at) || client.outgoing.isStuck()) client.socket.destroy();
    }
  }, Math.min(LOOK_MS, limits.handshakeMs / 2, limits.keyExchangeMs / 2, limits.idleMs / 2));

  function isLate({ connection, since, greetedAt, isSecure, busyAt }: Client, at: number): boolean {
    if (connection !== null) return at - busyAt > limits.idleMs;
    return at - since > limits.handshakeMs ||
      (!isSecure && greetedAt !== null && at - greetedAt > limits.keyExchangeMs);
  }

  const listener = await listen({
    host: options.host,
    port: options.port,
    allowHalfOpen: false,
    onConnection(socket) {
      try {
        admit(socket);
      } catch (error) {
        logError("sftp.not_admitted", null, error);
        socket.destroy();
      }
    },
    onRestart: () => log("sftp.listener_restarted"),
  });
  taker.changed();

  return {
    port: listener.port,
    fingerprint: key.fingerprint,
    openTransport: async (connection) => createTransport(await treeOf(connection), () => connection.settings.folder),
    changed() {
      taker.changed();
      // Not asked to go: whoever does not, would go on as if nothing had been taken away.
      for (const { socket, connection, proof } of clients) {
        if (connection === null || letsIn(connection, proof)) continue;
        log("sftp.sent_away", { connection });
        socket.destroy();
      }
    },
    tend(findGone) {
      const done = tending.then(() => tend(findGone));
      tending = done.catch(() => {});
      return done;
    },
    erase,
    async close() {
      closing = true;
      clearInterval(watch);
      const closed = listener.close();
      const sessions = [...clients].flatMap(({ sessions }) => [...sessions]);
      for (const { socket } of clients) socket.destroy();
      await Promise.allSettled([taker.close(), closed, ...sessions, ...ending]);
    },
  };
}

/** One of the library's servers for each cipher that is offered alone, and one that offers what anybody may have. */
function createServers(
  privateKey: string,
  connected: (connection: Connection, info: { readonly ip: string; readonly port: number }) => void,
) {
  const servers = new Map<CipherAlgorithm | null, Server>();
  return {
    of(cipher: CipherAlgorithm | null): Server {
      const known = servers.get(cipher);
      if (known !== undefined) return known;
      const algorithms = cipher === null ? ALGORITHMS : { ...ALGORITHMS, cipher: [cipher] };
      const server = new ssh2.Server({ hostKeys: [privateKey], algorithms, ident: NAME }, connected);
      server.on("error", () => {});
      servers.set(cipher, server);
      return server;
    },
  };
}
