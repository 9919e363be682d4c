/** OpenSSH's server as others run it: with a folder, host keys and a user of its own, on loopback, ended with the test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { without } from "./programs.ts";
import { onlyInCheck } from "./rounds.ts";

const SSHD = "/usr/sbin/sshd";

/** Why what needs OpenSSH's server is skipped; false: it is not. Such tests take long and are the check's. */
export const noSshd = onlyInCheck || without(SSHD, "openssh-server") ||
  without("/usr/bin/ssh-keygen", "openssh-client");

export interface SshServer {
  readonly port: number;
  readonly username: string;
  /** What the server serves, by its path on this machine. Its user sees the machine's whole tree. */
  readonly folder: string;
  /** OpenSSH's private key that it lets in. */
  readonly privateKey: string;
  readonly passphrase: string;
  /** `SHA256:…` of its host key, as ssh-keygen shows it. */
  readonly hostKey: string;
  /** Ends it with every session. */
  stop(): Promise<void>;
}

/** What a connection to it is made with, where `sftp.example.com` leads to it. */
export function asRemote(server: SshServer, folder: string) {
  const { username, hostKey, privateKey, passphrase } = server;
  return {
    settings: { mode: "remote", host: "sftp.example.com", username, folder, host_key: hostKey },
    secrets: { private_key: privateKey, passphrase },
  };
}

export interface SshServerOptions {
  /** Behind `internal-sftp`, such as `-R`. */
  readonly sftp?: string;
  readonly config?: readonly string[];
  /** Put before the server's own command. */
  readonly before?: string;
  /** Kinds of further keys that it has. */
  readonly moreHostKeys?: readonly string[];
  /** Another server's folder of keys and files, to be gone on with. */
  readonly home?: string;
  readonly port?: number;
  readonly hostKeyType?: string;
  /** Makes the user one with this password, in a copy of the machine's list that only this server sees. */
  readonly password?: string;
}

export async function startSshServer(t: TestContext, options: SshServerOptions = {}): Promise<SshServer> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), "muster-sshd-"));
  const at = (name: string) => join(home, name);
  const hostKeyName = `host-${options.hostKeyType ?? "ed25519"}`;
  const passphrase = "correct horse";
  makeKey(at(hostKeyName), "", options.hostKeyType ?? "ed25519");
  for (const kind of options.moreHostKeys ?? []) makeKey(at(`host-${kind}`), "", kind);
  makeKey(at("user"), passphrase, "ed25519");
  mkdirSync(at("files/incoming"), { recursive: true });
  writeFileSync(at("authorized"), readFileSync(at("user.pub")), { mode: 0o600 });
  // Where sshd drops its rights to; it starts without only when it is not root.
  if (process.getuid!() === 0) mkdirSync("/run/sshd", { recursive: true });
  const port = options.port ?? await freePort();
  const config = at(`sshd-${port}.config`);
  writeFileSync(
    config,
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${at(hostKeyName)}`,
      ...(options.moreHostKeys ?? []).map((kind) => `HostKey ${at(`host-${kind}`)}`),
      "PidFile none",
      `AuthorizedKeysFile ${at("authorized")}`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      `PasswordAuthentication ${options.password === undefined ? "no" : "yes"}`,
      "MaxStartups 1000",
      "LogLevel ERROR",
      ...(options.config ?? []),
      `Subsystem sftp internal-sftp ${options.sftp ?? ""}`,
      "",
    ].join("\n"),
  );
  let command = `${options.before ?? ""} exec ${SSHD} -D -e -f ${config}`;
  if (options.password !== undefined) {
    command = `unshare -m sh -c '${shadowed(at("shadow"), options.password)} ${command}'`;
  }
  const child = spawn("/bin/sh", ["-c", command], { stdio: "ignore", detached: true });
  const stop = () => stopGroup(child);
  t.after(async () => {
    await stop();
    rmSync(home, { recursive: true, force: true });
  });
  await listening(port);
  const [, blob] = readFileSync(at(`${hostKeyName}.pub`), "utf8").split(" ");
  return {
    port,
    username: userInfo().username,
    folder: at("files"),
    privateKey: readFileSync(at("user"), "utf8"),
    passphrase,
    hostKey: `SHA256:${createHash("sha256").update(blob!, "base64").digest("base64").replace(/=+$/, "")}`,
    stop,
  };
}

function makeKey(path: string, passphrase: string, type: string): void {
  if (existsSync(path)) return;
  execFileSync("/usr/bin/ssh-keygen", ["-q", "-a", "1", "-t", type, "-N", passphrase, "-C", "test", "-f", path]);
}

/** A list of passwords laid over the machine's own, for one process and its children. Needs root. */
function shadowed(path: string, password: string): string {
  const { username } = userInfo();
  const hash = execFileSync("/usr/bin/openssl", ["passwd", "-6", password], { encoding: "utf8" }).trim();
  writeFileSync(path, `${username}:${hash}:19000:0:99999:7:::\nsshd:!:19000::::::\n`, { mode: 0o600 });
  return `mount --bind ${path} /etc/shadow &&`;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import("node:net");
  for (let tries = 0; tries < 200; tries++) {
    const isThere = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => done(true)).on("error", () => done(false));
      socket.on("data", () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error("sshd does not listen");
}

/** Sessions are children of the server's, of its own group. */
async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  await ended;
}
