/**
 * Logs in to a remote server over SSH. Its host key is compared with the confirmed one before anything secret is sent, and
 * only modern algorithms are offered.
 */
import type { Socket } from "node:net";
import type { Algorithms, AnyAuthMethod, Client, ParsedKey, ServerHostKeyAlgorithm } from "ssh2";
import { OutboundRefused } from "../../security/outbound.ts";
import { fingerprintOf } from "../../security/sftp-login.ts";
import { CIPHERS, COMPRESSION, CURVES, MACS } from "../algorithms.ts";
import type { BridgeConnection, Dial, SftpSecrets } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import { ConnectionError } from "../trouble.ts";
import type { Limits } from "./limits.ts";
import { openPrivateKey } from "./private-key.ts";

/** In order of preference: a check shows the server's first of them. */
const HOST_KEY_KINDS: ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

const ALGORITHMS: Algorithms = {
  kex: [
    ...CURVES,
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
  ],
  serverHostKey: HOST_KEY_KINDS,
  cipher: CIPHERS,
  hmac: MACS,
  compress: COMPRESSION,
};

const KEEP_ALIVE_MS = 15_000;

/** A server to log in to, and how. */
export interface Target {
  readonly dial: Dial;
  readonly connection: BridgeConnection;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

export interface LoggedIn {
  readonly client: Client;
  readonly socket: Socket;
  /** `SHA256:…` of the key that the server showed. */
  readonly hostKey: string;
}

/** Resolves with the server's host key, without trying to log in. Fails with ConnectionError. */
export async function readHostKey(target: Target): Promise<string> {
  const { connection, limits } = target;
  const sock = await reach(target);
  return await withClient(target, (client, done, fail) => {
    client.on("error", (error) => fail(connectionErrorOf(error, connection)));
    client.connect({
      sock,
      username: connection.settings.remote!.username,
      authHandler: [],
      readyTimeout: limits.logInMs,
      algorithms: ALGORITHMS,
      hostVerifier: (key: Buffer) => {
        done(fingerprintOf(key));
        client.destroy();
        return false;
      },
    });
  });
}

/**
 * A server may have a key of each kind, and the confirmed one need not be the first that it shows: then it is asked for
 * the others. Fails with ConnectionError, and then nothing is left open.
 */
export async function logIn(target: Target): Promise<LoggedIn> {
  let kinds = HOST_KEY_KINDS, other: OtherHostKey | null = null;
  for (;;) {
    try {
      return await logInWith(kinds, target);
    } catch (error) {
      if (error instanceof OtherHostKey) {
        other ??= error;
        kinds = kinds.filter((kind) => kindOf(kind) !== kindOf(error.kind));
        if (kinds.length > 0) continue;
      }
      // The server has no key of the remaining kinds.
      const isOut = other !== null && !target.signal.aborted && /no matching host key/i.test(textOf(error));
      throw error instanceof OtherHostKey || isOut ? other : error;
    }
  }
}

/** The server shows another key than the confirmed one. Nothing was sent. */
class OtherHostKey extends ConnectionError {
  readonly kind: string;
  constructor(connection: BridgeConnection, key: Uint8Array) {
    const { host, hostKey } = connection.settings.remote!;
    super(
      "host_key_changed",
      `"${host}" shows the host key ${fingerprintOf(key)}, and ${hostKey} was confirmed: nothing was sent. ` +
        "Ask its owner; if the key was changed on purpose, set the new one as host_key",
    );
    this.name = "OtherHostKey";
    const length = new DataView(key.buffer, key.byteOffset).getUint32(0);
    this.kind = new TextDecoder().decode(key.subarray(4, 4 + length));
  }
}

/** An RSA key has several names: one for each of its signature algorithms. */
function kindOf(name: string): string {
  return name.includes("rsa") ? "rsa" : name;
}

async function logInWith(kinds: typeof HOST_KEY_KINDS, target: Target): Promise<LoggedIn> {
  const { connection, limits } = target;
  const { host, username } = connection.settings.remote!;
  const pinned = confirmedHostKey(connection);
  const methods = methodsOf(username, connection.secrets);
  const socket = await reach(target);
  let shown: Uint8Array = new Uint8Array();
  return await withClient(target, (client, done, fail) => {
    client.on("error", (error) => {
      const isOther = shown.length > 0 && fingerprintOf(shown) !== pinned;
      fail(isOther ? new OtherHostKey(connection, shown) : connectionErrorOf(error, connection));
    });
    client.on("ready", () => {
      socket.off("data", count);
      done({ client, socket, hostKey: pinned });
    });
    let bytes = 0;
    const count = (data: Uint8Array) => {
      bytes += data.length;
      if (bytes > limits.logInBytes) fail(tooMuch(connection));
    };
    try {
      client.connect({
        sock: socket,
        username,
        authHandler: methods,
        readyTimeout: limits.logInMs,
        keepaliveInterval: KEEP_ALIVE_MS,
        keepaliveCountMax: 3,
        algorithms: { ...ALGORITHMS, serverHostKey: kinds },
        hostVerifier: (key: Buffer) => {
          shown = Uint8Array.from(key);
          return fingerprintOf(key) === pinned;
        },
      });
      // Added after the client's own listener, so that the socket is not read before the client listens.
      socket.on("data", count);
    } catch (error) {
      fail(new ConnectionError("failed", `Cannot speak with "${host}": ${textOf(error)}`, error));
    }
  });
}

/**
 * Resolves with what is `done`. The client is destroyed if it fails, is aborted, or loses its connection. `use` listens for
 * errors; that listener stays, since an error without one would end the process.
 */
function withClient<T>(
  { connection, signal }: Target,
  use: (client: Client, done: (value: T) => void, fail: (reason: unknown) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const done = (value: T) => {
      signal.removeEventListener("abort", abort);
      resolve(value);
    };
    const fail = (reason: unknown) => {
      signal.removeEventListener("abort", abort);
      reject(reason);
      client.destroy();
    };
    const abort = () => fail(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    client.on("close", () => fail(lost(connection)));
    use(client, done, fail);
  });
}

function confirmedHostKey({ settings }: BridgeConnection): string {
  const { host, hostKey } = settings.remote!;
  if (hostKey !== null) return hostKey;
  throw new ConnectionError(
    "host_key_unconfirmed",
    `The host key of "${host}" is not confirmed: run a check, compare what it shows, and set it as host_key`,
  );
}

async function reach({ dial, connection, limits, signal }: Target): Promise<Socket> {
  const { host, port } = connection.settings.remote!;
  const timeout = AbortSignal.timeout(limits.connectMs);
  try {
    return await dial(host, port, AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (timeout.aborted) throw timedOut(connection, limits.connectMs);
    if (error instanceof OutboundRefused) {
      throw new ConnectionError("refused_address", `Not called: ${error.message}`, error);
    }
    throw new ConnectionError("unreachable", `Cannot reach "${host}" at port ${port}: ${textOf(error)}`, error);
  }
}

/** Private keys that are decrypted already, which takes long on purpose. */
const opened = new WeakMap<SftpSecrets, ParsedKey>();

/** The private key first. The password also for servers that ask for it interactively. */
function methodsOf(username: string, secrets: SftpSecrets): AnyAuthMethod[] {
  const { password, privateKey } = secrets;
  const methods: AnyAuthMethod[] = [];
  if (privateKey !== undefined) {
    methods.push({ type: "publickey", username, key: openKey(secrets) });
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        // A server that asks for something else, or for more, gets empty answers.
        const isPassword = prompts.length === 1 && prompts[0]!.echo !== true;
        finish(isPassword ? [password] : prompts.map(() => ""));
      },
    });
  }
  if (methods.length > 0) return methods;
  throw new ConnectionError("secrets_required", "There is no password and no private key: set one of them");
}

function openKey(secrets: SftpSecrets): ParsedKey {
  const known = opened.get(secrets);
  if (known !== undefined) return known;
  try {
    const key = openPrivateKey(secrets.privateKey!, secrets.passphrase);
    opened.set(secrets, key);
    return key;
  } catch (error) {
    const why = textOf(error);
    throw new ConnectionError(
      "secrets_required",
      `The private key cannot be opened (${why}): set it and its passphrase`,
    );
  }
}

function connectionErrorOf(error: Error & { level?: string }, connection: BridgeConnection): ConnectionError {
  const { host, port, username } = connection.settings.remote!;
  if (error.message.startsWith("Error signing data with key: ")) {
    return new ConnectionError(
      "secrets_required",
      `The private key cannot sign: ${textOf(error)}; set one of Ed25519 or RSA`,
    );
  }
  if (error.level === "client-authentication" || /authentication failures/i.test(error.message)) {
    return new ConnectionError(
      "login_refused",
      `"${host}" does not let "${username}" in: check the user name and the secret`,
    );
  }
  if (error.level === "client-timeout") {
    return new ConnectionError("timed_out", `"${host}" does not answer: it took too long to log in`);
  }
  if (error.level === "client-socket" || error.message === "Connection lost before handshake") {
    return lost(connection, error);
  }
  return new ConnectionError("failed", `Cannot speak SSH with "${host}" at port ${port}: ${textOf(error)}`, error);
}

export function lost(connection: BridgeConnection, cause?: Error): ConnectionError {
  const why = cause === undefined ? "" : `: ${textOf(cause)}`;
  return new ConnectionError(
    "unreachable",
    `"${connection.settings.remote!.host}" broke the connection off${why}`,
    cause,
  );
}

/** Text before the first line of SSH, banners, or packets that were not requested. */
export function tooMuch(connection: BridgeConnection): ConnectionError {
  return new ConnectionError("failed", `"${connection.settings.remote!.host}" sends more than it was asked for`);
}

export function timedOut(connection: BridgeConnection, ms: number): ConnectionError {
  return new ConnectionError("timed_out", `"${connection.settings.remote!.host}" did not answer within ${ms / 1000} s`);
}

/** The error's message without control characters, cut to 200: a server may send anything. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\p{Cc}+/gu, " ").trim().slice(0, 200);
}
