/**
 * Hostile callers, one to a process: `deno run -A bench/hostile.ts NAME TARGET`, where TARGET is a JSON object (Target
 * below). Prints `attacking` once it is at full strength and goes on until it is ended, or for ten minutes.
 *
 * Each is bounded: it holds a fixed number of connections or requests and begins another only when one has ended. They
 * come from addresses of their own in 127.0.0.0/8, as strangers do. For loopback alone.
 */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import process from "node:process";
import type { Client, SFTPWrapper } from "ssh2";
import { ssh2 } from "../src/bridge/ssh2.ts";

export interface Target {
  readonly port: number;
  readonly sftpPort: number;
  /** Of the organization that the hostile callers belong to; no other's. */
  readonly token: string;
  /** A run that stays in the queue. */
  readonly run: string;
  readonly sftp: { readonly username: string; readonly password: string };
  /** Tells processes of the same attack apart. */
  readonly share: number;
}

/** Before an attacker that was refused tries again. */
const PAUSE_MS = 200;
const GIVE_UP_MS = 600_000;
const MIB = 1024 * 1024;

/** Each gives what it does over and over in one of its places, and how many places it has. */
interface Attack {
  readonly places: number;
  /** Comes to its end when the place is free again. */
  act(target: Target, place: number): Promise<unknown>;
}

const ATTACKS = {
  "silent connections": { places: 10_000, act: (target, place) => hold(target, place, "") },
  "half heads": {
    places: 2_000,
    act: (target, place) => hold(target, place, "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-Half: ", "a", 5_000),
  },
  "slow bodies": {
    places: 3_000,
    act: (target, place) =>
      hold(target, place, head(target, "POST", "/v1/connections/csv/drops?name=slow.csv", 100 * MIB), "a", 1_000),
  },
  "slow readers": {
    places: 1_000,
    // As many answers as a connection takes before anybody has read one.
    act: (target, place) => hold(target, place, head(target, "GET", "/v1/users?limit=200").repeat(8), "", 0, false),
  },
  "waits": {
    places: 3_000,
    act: (target, place) => ask(target, place, "GET", `/v1/runs/${target.run}`, { prefer: "wait=60" }),
  },
  "streams": { places: 1_000, act: (target, place) => ask(target, place, "GET", `/v1/runs/${target.run}/events`) },
  "tiny runs": {
    places: 8,
    act: (target, place) =>
      ask(target, place, "POST", "/v1/connections/csv/drops?name=tiny.csv", { type: "text/csv" }, tinyFile()),
  },
  "wide searches": { places: 8, act: (target, place) => ask(target, place, "GET", "/v1/users?limit=200&q=a") },
  "deep and wide JSON": {
    places: 8,
    act: (target, place) =>
      ask(
        target,
        place,
        "POST",
        "/v1/users/import",
        { type: "application/json" },
        place % 2 === 0 ? wideJson() : deepJson(),
      ),
  },
  "wrong passwords over SSH": { places: 90, act: guess },
  "open handles over SFTP": { places: 4, act: writeAndRemove },
} satisfies Record<string, Attack>;

export type AttackName = keyof typeof ATTACKS;
export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];

async function attack(name: AttackName, target: Target): Promise<void> {
  const { places, act }: Attack = ATTACKS[name];
  // Without it a process whose sockets do not read would end.
  setTimeout(() => process.exit(0), GIVE_UP_MS);
  for (let place = 0; place < places; place++) {
    void again(() => act(target, place));
    // Thousands in one turn would only wait for one another here.
    if (place % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log("attacking");
}

async function again(act: () => Promise<unknown>): Promise<never> {
  for (;;) {
    // Whatever the hub does about it, a hostile caller comes back.
    await act().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** One of two hundred addresses, others for each process. */
function addressOf(target: Target, place: number): string {
  return `127.0.${1 + target.share}.${2 + place % 200}`;
}

/** Opens a connection, writes `first`, then `more` every so often, and holds it until the hub ends it. */
function hold(target: Target, place: number, first: string, more = "", everyMs = 0, reads = true): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", port: target.port, localAddress: addressOf(target, place) });
    let timer: ReturnType<typeof setInterval> | undefined;
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      resolve();
    });
    socket.on("connect", () => {
      if (first !== "") socket.write(first);
      if (everyMs > 0) timer = setInterval(() => socket.write(more), everyMs);
      if (reads) socket.resume();
    });
  });
}

function head(target: Target, method: string, path: string, bytes?: number): string {
  const length = bytes === undefined ? "" : `Content-Type: text/csv\r\nContent-Length: ${bytes}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${target.token}\r\n${length}\r\n`;
}

/** Sends a request and reads its answer to the end. */
function ask(
  target: Target,
  place: number,
  method: string,
  path: string,
  { prefer, type }: { prefer?: string; type?: string } = {},
  body = "",
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { Authorization: `Bearer ${target.token}` };
    if (prefer !== undefined) headers.Prefer = prefer;
    if (type !== undefined) headers["Content-Type"] = type;
    const localAddress = addressOf(target, place);
    const asked = request({ host: "127.0.0.1", port: target.port, localAddress, method, path, headers }, (answer) => {
      answer.resume().on("end", resolve).on("error", reject);
    });
    asked.on("error", reject).end(body);
  });
}

let files = 0;

/** Another one each time: what was sent before is skipped. */
function tinyFile(): string {
  return `employee_id,email,first_name,last_name\nT${++files},t${files}@example.com,Tiny,Run\n`;
}

function wideJson(): string {
  return `{${Array.from({ length: 70_000 }, (_, n) => `"k${n}":1`).join()}}`;
}

function deepJson(): string {
  return `{"users":${"[".repeat(300_000)}${"]".repeat(300_000)}}`;
}

/** A log-in with a password that nobody has. */
function guess(target: Target, place: number): Promise<void> {
  return new Promise((resolve) => {
    const client: Client = new ssh2.Client();
    client.on("error", () => {}).on("close", () => resolve());
    client.connect({
      sock: connect({ host: "127.0.0.1", port: target.sftpPort, localAddress: `127.0.9.${2 + place % 5}` }),
      username: target.sftp.username,
      password: randomBytes(9).toString("base64url"),
      readyTimeout: 60_000,
    });
  });
}

/** Opens files, fills and removes each, and keeps all of them open for as long as the hub lets it. */
function writeAndRemove(target: Target, place: number): Promise<void> {
  return new Promise((resolve) => {
    const client: Client = new ssh2.Client();
    client.on("error", () => {}).on("close", () => resolve());
    client.on("ready", () =>
      client.sftp((error, sftp) => {
        if (error) client.end();
        else void fillUntilRefused(sftp, place).catch(() => client.end());
      }));
    client.connect({ host: "127.0.0.1", port: target.sftpPort, ...target.sftp, readyTimeout: 60_000 });
  });
}

async function fillUntilRefused(sftp: SFTPWrapper, place: number): Promise<never> {
  const block = randomBytes(32 * 1024);
  for (let file = 0;; file++) {
    const path = `incoming/${place}-${file}.part`;
    const handle = await settled<Buffer>((done) => sftp.open(path, "w", done));
    for (let at = 0; at < 4 * MIB; at += block.length) {
      await settled((done) => sftp.write(handle, block, 0, block.length, at, done));
    }
    await settled((done) => sftp.unlink(path, done));
  }
}

function settled<T = void>(begin: (done: (error?: Error | null, value?: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => begin((error, value) => error ? reject(error) : resolve(value as T)));
}

if (import.meta.main) {
  const [name, target] = process.argv.slice(2);
  await attack(name as AttackName, JSON.parse(target!) as Target);
}
