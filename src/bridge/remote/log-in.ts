/**
 * An SSH connection to a remote server, logged in: its host key compared with the pinned one before anything secret is
 * sent, and modern algorithms alone.
 */
import type { Socket } from "node:net";
import type { Algorithms, AnyAuthMethod, Client, ParsedKey, ServerHostKeyAlgorithm } from "ssh2";
import { OutboundRefused } from "../../security/outbound.ts";
import { fingerprintOf } from "../../security/sftp-login.ts";
import { CIPHERS, COMPRESSION, CURVES, MACS } from "../algorithms.ts";
import type { BridgeConnection, Dial, SftpSecrets } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import { Troubled } from "../trouble.ts";
import type { Limits } from "./limits.ts";
import { openPrivateKey } from "./private-key.ts";

/** The one that is asked for first shows itself at a check. */
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

export interface LoggedIn {
  readonly client: Client;
  readonly socket: Socket;
  /** `SHA256:…` of the key that the server showed. */
  readonly hostKey: string;
}

/** The server's host key, and nothing else: no log-in is tried. Fails with Troubled. */
export async function readHostKey(
  dial: Dial,
  connection: BridgeConnection,
  limits: Limits,
  signal: AbortSignal,
): Promise<string> {
  const socket = await reach(dial, connection, limits, signal);
  return await new Promise((done, fail) => {
    const client = new ssh2.Client();
    const end = (settle: () => void) => {
      settle();
      client.removeAllListeners("close");
      client.destroy();
    };
    const abort = () => end(() => fail(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    client.on("error", (error) => end(() => fail(troubledBy(error, connection))));
    client.on("close", () => end(() => fail(lost(connection))));
    client.connect({
      sock: socket,
      username: connection.settings.remote!.username,
      authHandler: [],
      readyTimeout: limits.logInMs,
      algorithms: ALGORITHMS,
      hostVerifier: (key: Buffer) => {
        signal.removeEventListener("abort", abort);
        end(() => done(fingerprintOf(key)));
        return false;
      },
    });
  });
}

/**
 * A server may have a key of each kind, of which the one that was confirmed need not be the one that is asked for first:
 * then it is asked for the others. Fails with Troubled, and then nothing is left open.
 */
export async function logIn(
  dial: Dial,
  connection: BridgeConnection,
  limits: Limits,
  signal: AbortSignal,
): Promise<LoggedIn> {
  let kinds = HOST_KEY_KINDS, other: OtherHostKey | null = null;
  for (;;) {
    try {
      return await logInWith(kinds, dial, connection, limits, signal);
    } catch (error) {
      if (error instanceof OtherHostKey) {
        other ??= error;
        kinds = kinds.filter((kind) => kindOf(kind) !== kindOf(error.kind));
        if (kinds.length > 0) continue;
      }
      // It has no key of the kinds that were left.
      const isOut = other !== null && !signal.aborted && /no matching host key/i.test(textOf(error));
      throw error instanceof OtherHostKey || isOut ? other : error;
    }
  }
}

/** The server shows another key than the confirmed one, and nothing was sent. */
class OtherHostKey extends Troubled {
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

/** Keys of RSA sign in more ways than one. */
function kindOf(name: string): string {
  return name.includes("rsa") ? "rsa" : name;
}

async function logInWith(
  kinds: typeof HOST_KEY_KINDS,
  dial: Dial,
  connection: BridgeConnection,
  limits: Limits,
  signal: AbortSignal,
): Promise<LoggedIn> {
  const { host, username, hostKey: pinned } = connection.settings.remote!;
  if (pinned === null) {
    throw new Troubled(
      "host_key_unconfirmed",
      `The host key of "${host}" is not confirmed: run a check, compare what it shows, and set it as host_key`,
    );
  }
  const methods = methodsOf(username, connection.secrets);
  const socket = await reach(dial, connection, limits, signal);
  let shown: Uint8Array = new Uint8Array();
  return await new Promise((done, fail) => {
    const client = new ssh2.Client();
    const breakOff = (reason: unknown) => {
      signal.removeEventListener("abort", abort);
      fail(reason);
      client.destroy();
    };
    const abort = () => breakOff(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    // Errors go on being listened for: one that nobody hears ends the process.
    client.on("error", (error) => {
      const isOther = shown.length > 0 && fingerprintOf(shown) !== pinned;
      breakOff(isOther ? new OtherHostKey(connection, shown) : troubledBy(error, connection));
    });
    client.on("close", () => breakOff(lost(connection)));
    client.on("ready", () => {
      socket.off("data", count);
      signal.removeEventListener("abort", abort);
      done({ client, socket, hostKey: pinned });
    });
    let bytes = 0;
    const count = (data: Uint8Array) => {
      bytes += data.length;
      if (bytes > limits.logInBytes) breakOff(tooMuch(connection));
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
      // Behind the client's own listener, so that nothing is read before it listens.
      socket.on("data", count);
    } catch (error) {
      breakOff(new Troubled("failed", `Cannot speak with "${host}": ${textOf(error)}`, error));
    }
  });
}

async function reach(dial: Dial, connection: BridgeConnection, limits: Limits, signal: AbortSignal): Promise<Socket> {
  const { host, port } = connection.settings.remote!;
  const timeout = AbortSignal.timeout(limits.connectMs);
  try {
    return await dial(host, port, AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (timeout.aborted) throw timedOut(connection, limits.connectMs);
    if (error instanceof OutboundRefused) throw new Troubled("refused_address", `Not called: ${error.message}`, error);
    throw new Troubled("unreachable", `Cannot reach "${host}" at port ${port}: ${textOf(error)}`, error);
  }
}

/** Keys that were opened already: opening one with a passphrase takes long on purpose. */
const opened = new WeakMap<SftpSecrets, ParsedKey>();

/** The private key first; the password also for servers that ask for it in a dialogue. */
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
        // A server that asks for something else, or for more, gets nothing.
        const isPassword = prompts.length === 1 && prompts[0]!.echo !== true;
        finish(isPassword ? [password] : prompts.map(() => ""));
      },
    });
  }
  if (methods.length > 0) return methods;
  throw new Troubled("secrets_required", "There is no password and no private key: set one of them");
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
    throw new Troubled("secrets_required", `The private key cannot be opened (${why}): set it and its passphrase`);
  }
}

function troubledBy(error: Error & { level?: string }, connection: BridgeConnection): Troubled {
  const { host, port, username } = connection.settings.remote!;
  if (error.message.startsWith("Error signing data with key: ")) {
    return new Troubled("secrets_required", `The private key cannot sign: ${textOf(error)}; set one of Ed25519 or RSA`);
  }
  if (error.level === "client-authentication" || /authentication failures/i.test(error.message)) {
    return new Troubled("login_refused", `"${host}" does not let "${username}" in: check the user name and the secret`);
  }
  if (error.level === "client-timeout") {
    return new Troubled("timed_out", `"${host}" does not answer: it took too long to log in`);
  }
  if (error.level === "client-socket" || error.message === "Connection lost before handshake") {
    return lost(connection, error);
  }
  return new Troubled("failed", `Cannot speak SSH with "${host}" at port ${port}: ${textOf(error)}`, error);
}

export function lost(connection: BridgeConnection, cause?: Error): Troubled {
  const why = cause === undefined ? "" : `: ${textOf(cause)}`;
  return new Troubled("unreachable", `"${connection.settings.remote!.host}" broke the connection off${why}`, cause);
}

/** Words before the first line of SSH, banners, or packets that nobody asked for. */
export function tooMuch(connection: BridgeConnection): Troubled {
  return new Troubled("failed", `"${connection.settings.remote!.host}" sends more than it was asked for`);
}

export function timedOut(connection: BridgeConnection, ms: number): Troubled {
  return new Troubled("timed_out", `"${connection.settings.remote!.host}" did not answer within ${ms / 1000} s`);
}

/** The first line, cut: a server may send what it likes. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\p{Cc}+/gu, " ").trim().slice(0, 200);
}
