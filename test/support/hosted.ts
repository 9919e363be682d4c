/** A hosted SFTP server on a folder of its own, with a hub that takes files as the real one does, and its clients. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Client, ConnectConfig, SFTPWrapper } from "ssh2";
import type {
  BridgeConnection,
  BridgeHub,
  LogInAttempt,
  SeenFile,
  Trouble,
  WholeFile,
} from "../../src/bridge/contract.ts";
import type { SftpSettings } from "../../src/model/sftp.ts";
import { keptName } from "../../src/bridge/places.ts";
import { createHostedServer, type HostedExtras } from "../../src/bridge/hosted/server.ts";
import { ssh2 } from "../../src/bridge/ssh2.ts";

export interface Taken {
  readonly connection: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of small files. */
  readonly text: string;
}

export interface TestServer {
  readonly dir: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly server: Awaited<ReturnType<typeof createHostedServer>>;
  readonly taken: Taken[];
  readonly seen: Map<string, readonly SeenFile[]>;
  readonly health: (Trouble | null)[];
  readonly attempts: LogInAttempt[];
  readonly lines: { event: string; details: Record<string, unknown> }[];
  /** The connections that the bridge holds; say `server.changed()` afterwards. */
  connections: BridgeConnection[];
  /** What handing over waits for, or fails with. */
  gate: (file: WholeFile) => Promise<void>;
  /** Resolves with the first of what was taken that the condition is true for. */
  takes(condition: (taken: Taken) => boolean): Promise<Taken>;
  /** Stops the server, and leaves the folder. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export const PASSWORD = "k7m2p-9qrst-wxyz2-34567";

export function hostedConnection(id: string, settings: Partial<SftpSettings> = {}): BridgeConnection {
  return {
    id,
    organization: "org_1",
    slug: id,
    name: id,
    mode: "hosted",
    paused: false,
    version: 1,
    settings: {
      folder: "/incoming",
      patterns: ["*"],
      when: { kind: "at_once" },
      after: "move",
      remote: null,
      ...settings,
    },
    secrets: {},
  };
}

/** Users are called as their connections are; `keys` are the public keys that anybody may come with. */
export async function startHosted(
  { connections = [hostedConnection("con_a"), hostedConnection("con_b")], keys = [], dir: given, limits, openFile }:
    & { connections?: BridgeConnection[]; keys?: string[]; dir?: string }
    & HostedExtras = {},
): Promise<TestServer> {
  const dir = given ?? mkdtempSync(join(tmpdir(), "muster-sftp-"));
  const taken: Taken[] = [];
  const waiting: { condition: (taken: Taken) => boolean; resolve: (taken: Taken) => void }[] = [];
  const test = {
    connections,
    gate: () => Promise.resolve(),
    seen: new Map<string, readonly SeenFile[]>(),
    health: [] as (Trouble | null)[],
    attempts: [] as LogInAttempt[],
    lines: [] as TestServer["lines"],
  };
  /** The same object, whole in the end. */
  const result = test as unknown as TestServer;
  const hub: BridgeHub = {
    connections: () => result.connections,
    async handOver(connection, file, signal) {
      await result.gate(file);
      signal.throwIfAborted();
      const hash = createHash("sha256");
      let bytes = 0, text = "";
      for await (const chunk of file.open() as unknown as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes < 100_000) text += new TextDecoder().decode(chunk);
      }
      const one = { connection: connection.id, name: file.name, bytes, sha256: hash.digest("hex"), text };
      const repeated = taken.some(({ name, sha256 }) => name === file.name && sha256 === one.sha256);
      taken.push(one);
      for (const { condition, resolve } of waiting) if (condition(one)) resolve(one);
      return {
        drop: "drp_1",
        run: "run_1",
        repeated,
        keptAs: keptName(file.name, Date.UTC(2026, 2, 2, 8) + taken.length * 1000),
        settle: () => Promise.resolve(),
      };
    },
    reportListing: (connection, files) => Promise.resolve(void test.seen.set(connection.id, files)),
    isAlreadyTaken: (connection, file) =>
      Promise.resolve(
        taken.some((one) => one.connection === connection.id && one.name === file.name && one.bytes === file.bytes),
      ),
    reportHealth: (_, trouble) => void test.health.push(trouble),
  };
  const server = await createHostedServer({
    dir,
    host: "127.0.0.1",
    port: 0,
    hub,
    now: Date.now,
    log: (event, details = {}) => void test.lines.push({ event, details }),
    logIn(attempt) {
      test.attempts.push(attempt);
      const known = attempt.password === PASSWORD ||
        (attempt.publicKey !== undefined && keys.includes(attempt.publicKey));
      return Promise.resolve(
        known && result.connections.some(({ id }) => id === attempt.username)
          ? { connection: attempt.username, proof: attempt.publicKey ?? "password" }
          : null,
      );
    },
  }, { limits: { settleMs: 50, failureMs: 10, mostFailureMs: 100, retryMs: 100, ...limits }, openFile });
  let stopped: Promise<void> | null = null;
  return Object.assign(result, {
    dir,
    server,
    port: server.port,
    fingerprint: server.fingerprint,
    taken,
    takes(condition: (taken: Taken) => boolean): Promise<Taken> {
      const found = taken.find(condition);
      return found !== undefined
        ? Promise.resolve(found)
        : new Promise<Taken>((resolve) => waiting.push({ condition, resolve }));
    },
    stop: () => stopped ??= server.close(),
    async close() {
      await result.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  });
}

// --- clients ---

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

export function run(
  command: string,
  args: string[],
  { input, env, killAfterMs = 60_000 }: { input?: string; env?: Record<string, string>; killAfterMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } as Record<string, string>, detached: true });
    let out = "";
    child.stdout.on("data", (chunk) => out += chunk);
    child.stderr.on("data", (chunk) => out += chunk);
    child.on("error", reject);
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, out });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

const QUIET = ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-F", "none"];

export interface LogsInWith {
  readonly key?: string;
  readonly password?: string;
  readonly options?: string[];
}

/** OpenSSH's client in batch mode: it stops at the first command that fails, and its code says so. */
export function sftp({ port }: { port: number }, user: string, commands: string[], how: LogsInWith = {}): Promise<Ran> {
  return withOpenSsh(how, (options, env, dir) => {
    const batch = join(dir, "batch");
    writeFileSync(batch, commands.map((line) => `${line}\n`).join(""));
    // `-b` alone would also forbid to be asked for a password.
    return run("sftp", [...options, "-P", String(port), "-oBatchMode=no", "-b", batch, `${user}@127.0.0.1`], { env });
  });
}

/** OpenSSH's scp. A path that begins with `:` is the server's. */
export function scp(
  { port }: { port: number },
  user: string,
  [from, to]: readonly [string, string],
  how: LogsInWith = {},
): Promise<Ran> {
  const place = (path: string) => path.startsWith(":") ? `${user}@127.0.0.1${path}` : path;
  return withOpenSsh(
    how,
    (options, env) => run("scp", [...options, "-P", String(port), place(from), place(to)], { env }),
  );
}

async function withOpenSsh(
  { key, password, options = [] }: LogsInWith,
  work: (options: string[], env: Record<string, string>, dir: string) => Promise<Ran>,
): Promise<Ran> {
  const dir = mkdtempSync(join(tmpdir(), "muster-sftp-client-"));
  try {
    const ask = join(dir, "ask");
    writeFileSync(ask, `#!/bin/sh\nprintf '%s\\n' '${password ?? ""}'\n`);
    chmodSync(ask, 0o700);
    const how = key !== undefined
      ? ["-i", key, "-oIdentitiesOnly=yes", "-oPreferredAuthentications=publickey"]
      : ["-oPreferredAuthentications=password", "-oPubkeyAuthentication=no", "-oNumberOfPasswordPrompts=1"];
    const env = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" };
    return await work([...QUIET, ...how, ...options], env, dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export async function lftp(
  { port }: { port: number },
  user: string,
  commands: string[],
  { key, password = "" }: { key?: string; password?: string } = {},
): Promise<Ran> {
  const program = ["ssh", "-a", "-x", ...QUIET, ...(key === undefined ? [] : ["-i", key, "-oIdentitiesOnly=yes"])].join(
    " ",
  );
  const script = [
    "set net:timeout 10; set net:max-retries 1; set net:persist-retries 0; set cmd:fail-exit yes; set xfer:log no",
    `set sftp:connect-program "${program}"`,
    `open -u ${user},${password} sftp://127.0.0.1:${port}`,
    ...commands,
  ].join("\n");
  const home = mkdtempSync(join(tmpdir(), "muster-lftp-"));
  try {
    return await run("lftp", ["--norc", "-c", script], { env: { HOME: home, LFTP_HOME: home, LC_ALL: "C.UTF-8" } });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** `options`: beside what says where the server is, which `:sftp:` stands for. */
export async function rclone(
  { port }: { port: number },
  user: string,
  options: readonly string[],
  { password = "" }: { password?: string } = {},
): Promise<Ran> {
  const hidden = (await run("rclone", ["obscure", password])).out.trim();
  const server = ["--sftp-host", "127.0.0.1", "--sftp-port", String(port), "--sftp-user", user, "--sftp-pass", hidden];
  const bounds = ["--config", "/dev/null", "--retries", "1", "--low-level-retries", "1", "--contimeout", "10s"];
  return await run("rclone", [...options, ...server, ...bounds]);
}

/** A client of the library's own, for what other clients would not do. */
export async function connect(
  { port }: { port: number },
  username: string,
  config: ConnectConfig = {},
): Promise<{ client: Client; sftp: SFTPWrapper; lost: Promise<never> }> {
  const client = new ssh2.Client();
  // From the beginning: a connection may be gone before whoever asked for it has it, and then answers nothing.
  const lost = new Promise<never>((_, reject) => client.once("close", () => reject(new Error("lost"))));
  lost.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve).on("error", reject).once("close", () => reject(new Error("sent away"))).once(
      "connect",
      () => client.setNoDelay(true),
    );
    client.connect({ host: "127.0.0.1", port, username, password: PASSWORD, readyTimeout: 20_000, ...config });
  });
  const channel = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, sftp) => error ? reject(error) : resolve(sftp))
  );
  return { client, sftp: channel, lost };
}

/** A callback of the library's client as a promise. */
export function done<T = void>(
  // deno-lint-ignore no-explicit-any
  work: (callback: (error: Error | null | undefined, ...values: any[]) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => work((error, value) => error ? reject(error) : resolve(value as T)));
}
