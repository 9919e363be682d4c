/**
 * Muster's own SFTP server: SSH with modern algorithms and nothing but SFTP in it, for log-ins that the hub knows.
 *
 * No shell, no commands, no forwarding: what nobody listens for, the library refuses. Everything that a stranger can make
 * grow has a limit (limits.ts), and everything that waits for a stranger has a time.
 */
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { AuthContext, CipherAlgorithm, Connection, PublicKeyAuthContext, Server, ServerConfig } from "ssh2";
import { networkOf } from "../../rates.ts";
import { CIPHERS, COMPRESSION, CURVES, MACS } from "../algorithms.ts";
import type {
  BridgeConnection,
  ErasedTree,
  HostedOptions,
  HostedServer,
  LetIn,
  LogInAttempt,
  SetAside,
  Trouble,
} from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import { chooseCipher } from "./ciphers.ts";
import { greet } from "./greeting.ts";
import { createGuard } from "./guard.ts";
import { loadHostKey } from "./host-key.ts";
import { HOSTED_LIMITS, type HostedLimits } from "./limits.ts";
import { writeInOnePiece } from "./outgoing.ts";
import { createFlow } from "./requests.ts";
import { serveSession } from "./session.ts";
import { createTaker } from "./take.ts";
import { createTransport } from "./transport.ts";
import { eraseUnheldTree, type OpenFile, openTree, type Tree } from "./tree.ts";
import { claimTree, findTreeOf, listAside, listTrees, removeAsideOf, removeLongAside, setAside } from "./trees.ts";

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
const KEY_TYPES = new Set([
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
]);
const MOST_NAME = 128;
const MOST_PASSWORD = 1024;
const MOST_ASKING_WAIT = 200;
const LOOK_MS = 5000;

/** The quota as the operator has it; all else only in tests. */
export interface HostedExtras {
  readonly limits?: Partial<HostedLimits>;
  readonly openFile?: OpenFile;
}

interface Client {
  readonly socket: Socket;
  readonly network: string;
  readonly since: number;
  ssh: Connection | null;
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
  { limits: said, openFile }: HostedExtras = {},
): Promise<HostedServer> {
  const { dir, hub, log, now, logIn } = options;
  const limits: HostedLimits = { ...HOSTED_LIMITS, ...said };
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
      if (tree !== null) return await tree.erase(askedAt, now());
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
      })
    );
    trees.set(connection.id, tree);
    tree.catch(() => trees.delete(connection.id));
    return tree;
  }

  const taker = createTaker({ hub, treeOf, troubleOf: ({ id }) => troubles.get(id) ?? null, limits, log, now });

  // --- log-ins ---

  let asking = 0;
  const waiting: (() => void)[] = [];
  async function ask(attempt: LogInAttempt): Promise<LetIn | null> {
    if (asking >= limits.asking) {
      if (waiting.length >= MOST_ASKING_WAIT) return null;
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else asking++;
    try {
      return await logIn(attempt);
    } finally {
      const next = waiting.shift();
      if (next === undefined) asking--;
      else next();
    }
  }

  function authenticate(client: Client, ssh: Connection): void {
    let tries = 0;
    ssh.on("authentication", async (context) => {
      const refuse = () => context.reject(["publickey", "password"]);
      const address = client.socket.remoteAddress ?? "";
      const proof = proofOf(context);
      if (proof === "none") return refuse();
      // Any key of a kind that could be right is asked to sign: so nobody learns which ones are known.
      if (proof === "may_sign") return context.accept();
      let found: LetIn | null = null;
      try {
        if (proof !== null && context.username.length <= MOST_NAME && guard.mayTry(context.username, address)) {
          found = await ask({ username: context.username, address, ...proof });
        }
      } catch (error) {
        log("sftp.hub_not_asked", { error: error instanceof Error ? error.name : "unknown" });
        return ssh.end();
      }
      const connection = found === null ? undefined : hosted(found.connection);
      if (connection !== undefined) return await letIn(client, ssh, connection, found!.proof, context);
      if (client.socket.destroyed) return;
      guard.failed(context.username, address);
      await new Promise((resolve) => setTimeout(resolve, limits.failureMs));
      if (++tries >= limits.tries) return ssh.end();
      refuse();
    });
  }

  async function letIn(
    client: Client,
    ssh: Connection,
    connection: BridgeConnection,
    proof: string,
    context: AuthContext,
  ): Promise<void> {
    const { id } = connection;
    guard.succeeded(context.username, client.socket.remoteAddress ?? "");
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
    let channels = 0;
    const flow = createFlow(client.socket);
    ssh.on("session", (accept, reject) => {
      const { connection: id, tree } = client;
      const connection = id === null ? undefined : hosted(id);
      if (connection === undefined || tree === null || channels >= limits.channels) return void reject();
      const session = accept();
      channels++;
      session.once("close", () => void channels--);
      session.on("error", () => {});
      session.once("sftp", (accept) => {
        // Accepted at once: clients send their first packet without waiting, and it would be lost.
        const serving = serveSession({
          sftp: accept(),
          socket: client.socket,
          flow,
          tree,
          folder: () => (hosted(connection.id) ?? connection).settings.folder,
          limits,
          passed: options.passed ?? (() => {}),
          busy: () => void (client.busyAt = performance.now()),
          tell: (trouble) => tell(connection.id, trouble),
          unforeseen: (error) => logError("sftp.failed", connection.id, error),
          giveUp: () => void client.socket.destroy(),
        });
        client.sessions.add(serving);
        void serving.finally(() => client.sessions.delete(serving));
      });
    });
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

  function logError(event: string, connection: string, error: unknown): void {
    const { name, code } = (error ?? {}) as { name?: string; code?: string };
    log(event, { connection, error: name ?? "unknown", code: code ?? null });
  }

  // --- connections ---

  const servers = createServers(key.privateKey, (connection, info) => {
    // The library says who it is about by address and port, and knows them once the client has said that it speaks SSH.
    const client = byPeer.get(`${info.ip} ${info.port}`);
    // Whatever a stranger sends that is no SSH comes up here; the socket is closed by the library.
    connection.on("error", () => {});
    if (client === undefined) return void connection.end();
    client.ssh = connection;
    authenticate(client, connection);
    serve(client, connection);
  });

  const listener = createServer((socket) => {
    const network = networkOf(socket.remoteAddress ?? "");
    const all = [...clients];
    const strangers = all.filter(({ connection }) => connection === null).length;
    const near = all.filter((client) => client.network === network);
    const nearStrangers = near.filter(({ connection }) => connection === null).length;
    if (
      closing || all.length >= limits.connections || near.length >= limits.fromAddress ||
      strangers >= limits.strangers || nearStrangers >= limits.strangersFromAddress
    ) {
      return void socket.destroy();
    }
    const client: Client = {
      socket,
      network,
      since: performance.now(),
      ssh: null,
      connection: null,
      proof: null,
      tree: null,
      busyAt: performance.now(),
      sessions: new Set(),
    };
    const peer = `${socket.remoteAddress} ${socket.remotePort}`;
    clients.add(client);
    byPeer.set(peer, client);
    socket.on("error", () => {});
    socket.once("close", () => {
      clients.delete(client);
      if (byPeer.get(peer) === client) byPeer.delete(peer);
      for (const serving of client.sessions) {
        ending.add(serving);
        void serving.finally(() => ending.delete(serving));
      }
    });
    socket.setNoDelay(true);
    writeInOnePiece(socket);
    greet(socket, { name: NAME, waitMs: limits.proposalMs }, (proposal) => {
      servers.of(proposal === null ? null : chooseCipher(proposal)).injectSocket(socket);
    });
  });
  /** Sessions whose socket is gone and whose files are being closed. */
  const ending = new Set<Promise<void>>();

  const watch = setInterval(() => {
    const at = performance.now();
    for (const { socket, connection, since, busyAt } of clients) {
      const late = connection === null ? at - since > limits.handshakeMs : at - busyAt > limits.idleMs;
      if (late) socket.destroy();
    }
  }, Math.min(LOOK_MS, limits.handshakeMs / 2, limits.idleMs / 2));

  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(options.port, options.host, () => {
      listener.off("error", reject);
      listener.on("error", (error) => logError("sftp.listener", "", error));
      resolve();
    });
  });
  taker.changed();

  return {
    port: (listener.address() as AddressInfo).port,
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
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
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

/** What the hub is to be asked about; `none`: nothing was offered; null: it cannot be right. */
function proofOf(context: AuthContext): { password: string } | { publicKey: string } | "none" | "may_sign" | null {
  if (context.method === "password") {
    return context.password.length <= MOST_PASSWORD ? { password: context.password } : null;
  }
  if (context.method !== "publickey") return "none";
  const { key, signature, blob, hashAlgo } = context as PublicKeyAuthContext;
  // Of RSA only signatures with SHA-2.
  if (!KEY_TYPES.has(key.algo) || (key.algo === "ssh-rsa" && hashAlgo === undefined)) return null;
  const parsed = ssh2.utils.parseKey(Buffer.from(key.data));
  if (parsed instanceof Error || parsed.type !== key.algo) return null;
  if (signature === undefined || blob === undefined) return "may_sign";
  // The library gives an error, or false, for a signature that is none.
  const isSigned = parsed.verify(blob, signature, hashAlgo) as boolean | Error;
  return isSigned === true ? { publicKey: `${parsed.type} ${parsed.getPublicSSH().toString("base64")}` } : null;
}
