/**
 * `deno run -A bench/fairness.ts [--people 200000] [--file 1000000] [--seconds 15] [--only "waits,streams"]`: what one
 * organization feels while callers of another one, or strangers, or their connectors, do their worst.
 *
 * One `serve` for all of them. The hostile callers (hostile.ts) come one after the other, each as processes of its own;
 * meanwhile the other organization reads people, edits them and imports one row again and again, at a fixed pace. The
 * hub's memory is its highest during each attack. Prints a table to stdout and what it is doing to stderr.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { writePeople } from "./files.ts";
import { HARM_NAMES, HARMFUL, isHarm, startHarm } from "./harmful-connectors.ts";
import { ATTACK_NAMES, type AttackName, type Target } from "./hostile.ts";
import { MUSTER } from "./muster.ts";
import { peakMbOf } from "./process.ts";
import { every, freePort, jsonBody, percentile, request, untilHealthy } from "./serving.ts";
import { fairnessTable, type Suffered } from "./table.ts";

/** A hostile caller of this bench alone: its work is one file. */
const BIG_FILE = "a million-row file";
const NAMES = [...ATTACK_NAMES.slice(0, 9), BIG_FILE, ...ATTACK_NAMES.slice(9), ...HARM_NAMES] as const;
/** Processes of an attack that takes more connections than one process may have. */
const PROCESSES: Partial<Record<string, number>> = { "silent connections": 2 };

const READ_EVERY_MS = 25, EDIT_EVERY_MS = 100, IMPORT_EVERY_MS = 1_000;
/** How long an attack may take to come to its full strength, and the hub to be itself again after it. */
const STRENGTH_MS = 60_000, REST_MS = 5_000;
/** What is refused, or never answered, took longer than anything. */
const LOST = (error: unknown) => {
  say(`refused, or lost: ${error}`);
  return Infinity;
};
/** The people of the organization that others attack. */
const OURS = 2_000;

const { values: flags } = parseArgs({
  options: {
    people: { type: "string", default: "200000" },
    file: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "15" },
    only: { type: "string", default: NAMES.join() },
  },
});
const only = new Set(flags.only.split(","));
const unknown = [...only].filter((name) => !(NAMES as readonly string[]).includes(name));
if (unknown.length > 0) throw new Error(`Cannot use "${unknown[0]}" in --only: it should be of ${NAMES.join(", ")}`);
const seconds = Number(flags.seconds);

mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const data = mkdtempSync(join(import.meta.dirname!, "data", "fairness-"));
const children: ChildProcess[] = [];
try {
  await compare();
} finally {
  for (const child of children.reverse()) await ended(child, "SIGKILL");
  rmSync(data, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const hub = await startHub();
  say(`importing ${OURS} people of ours and ${flags.people} of theirs`);
  const ours = await hub.organization("ours", writePeople(join(data, "ours"), "sorted", OURS));
  const theirs = await hub.organization("theirs", writePeople(join(data, "theirs"), "sorted", Number(flags.people)));
  const target = { port: hub.port, sftpPort: hub.sftpPort, token: theirs, ...await hub.prey(theirs) };
  const caller = await createCaller(hub.base, ours);
  say("asking with nothing else to do");
  const idle = await caller.ask(seconds * 1000, hub);
  const suffered: Suffered[] = [];
  for (const name of NAMES) {
    if (!only.has(name)) continue;
    say(name);
    const stop = name === BIG_FILE
      ? await hub.bigFile(theirs)
      : isHarm(name)
      ? await startHarm(hub.call, theirs, name)
      : await startAttack(name, target);
    const answers = await caller.ask(seconds * 1000, hub);
    await stop();
    if (hub.child.exitCode !== null || hub.child.signalCode !== null) throw new Error(`The hub ended under: ${name}`);
    await untilHealthy(hub.base);
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    suffered.push({ name, by: name === BIG_FILE ? "file" : isHarm(name) ? "connector" : "caller", answers });
    console.error(fairnessTable(idle, suffered.slice(-1)));
  }
  console.log(fairnessTable(idle, suffered));
}

interface BenchHub {
  readonly child: ChildProcess;
  readonly base: string;
  readonly port: number;
  readonly sftpPort: number;
  readonly call: Call;
  /** Makes it, with these people, and gives a token that is its admin. */
  organization(slug: string, file: string): Promise<string>;
  prey(token: string): Promise<{ run: string; sftp: Target["sftp"] }>;
  /** Begins to import the file, and comes back with what ends it. */
  bigFile(token: string): Promise<() => Promise<void>>;
}

async function startHub(): Promise<BenchHub> {
  const port = await freePort(), sftpPort = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const log = openSync(`${data}/log`, "w");
  const child = spawn(MUSTER.program, [...MUSTER.args, "serve"], {
    env: {
      ...process.env,
      ...MUSTER.env,
      MUSTER_DATA_DIR: join(data, "hub"),
      HOST: "127.0.0.1",
      PORT: String(port),
      MUSTER_SFTP_PORT: String(sftpPort),
      MUSTER_CONNECTORS: HARMFUL,
    },
    stdio: ["ignore", "ignore", log],
  });
  closeSync(log);
  children.push(child);
  // It makes modules of the harmful connectors first.
  await untilHealthy(base, 120_000);
  const operator = readFileSync(join(data, "hub", "first-token"), "utf8").trim();
  const call = (token: string, path: string, init: RequestInit = {}) => request(`${base}${path}`, token, init);
  return {
    child,
    base,
    port,
    sftpPort,
    call,
    async organization(slug, file) {
      const headers = { "Muster-Organization": slug };
      await call(operator, "/v1/organizations", jsonBody("POST", { slug, name: slug, timezone: "UTC" }));
      const asked = jsonBody("POST", { name: "bench", scopes: ["admin"] });
      const made = await call(operator, "/v1/tokens", { ...asked, headers: { ...asked.headers, ...headers } });
      await importFile(call, made.token as string, file);
      return made.token as string;
    },
    async prey(token) {
      await call(token, "/v1/connections", jsonBody("POST", { connector: "sftp-drop", name: "Drops", slug: "drops" }));
      const login = await call(token, "/v1/connections/drops/sftp-login", jsonBody("POST", { method: "password" }));
      // A paused connection keeps its runs in the queue, so that waiting for one takes as long as the hub lets it.
      await call(
        token,
        "/v1/connections",
        jsonBody("POST", { connector: "csv-upload", name: "Paused", slug: "paused" }),
      );
      await call(token, "/v1/connections/paused/pause", { method: "POST" });
      const waiting = await drop(call, token, tinyFileIn(data), "", "paused");
      return { run: waiting, sftp: { username: login.username as string, password: login.password as string } };
    },
    async bigFile(token) {
      const file = writePeople(join(data, "big"), "changed", Number(flags.file));
      const run = await drop(call, token, file, "");
      return async () => {
        await call(token, `/v1/runs/${run}/cancel`, { method: "POST" }).catch(() => {});
        await untilAtRest(call, token, run);
      };
    },
  };
}

type Call = (token: string, path: string, init?: RequestInit) => Promise<Record<string, unknown>>;

async function importFile(call: Call, token: string, file: string): Promise<void> {
  const status = await untilAtRest(call, token, await drop(call, token, file, ""));
  if (status !== "succeeded") throw new Error(`The run ended as ${status}, and should have succeeded`);
}

async function drop(call: Call, token: string, file: string, more: string, connection = "csv"): Promise<string> {
  const { run } = await call(token, `/v1/connections/${connection}/drops?name=people.csv${more}`, {
    method: "POST",
    headers: { "Content-Type": "text/csv" },
    body: readFileSync(file),
  });
  return (run as { id: string }).id;
}

async function untilAtRest(call: Call, token: string, id: string): Promise<string> {
  for (;;) {
    const { status } = await call(token, `/v1/runs/${id}`) as { status: string };
    if (!["queued", "planning", "applying"].includes(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function tinyFileIn(folder: string): string {
  const file = join(folder, "tiny.csv");
  writeFileSync(file, "employee_id,email,first_name,last_name\nW1,w1@example.com,Waits,Long\n");
  return file;
}

/** Starts the hostile caller and comes back, once it is at full strength, with what ends it. */
async function startAttack(name: AttackName, target: Omit<Target, "share">): Promise<() => Promise<void>> {
  const attackers = Array.from({ length: PROCESSES[name] ?? 1 }, (_, share) => {
    const program = join(import.meta.dirname!, "hostile.ts");
    // Strangers have machines of their own: what they do takes no time of the hub's and the caller's processors.
    const child = spawn(
      "nice",
      ["-n", "19", process.execPath, "run", "-A", "--no-check", program, name, JSON.stringify({ ...target, share })],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    children.push(child);
    return child;
  });
  const strong = Promise.all(attackers.map((child) => new Promise((resolve) => child.stdout!.once("data", resolve))));
  await Promise.race([strong, new Promise((resolve) => setTimeout(resolve, STRENGTH_MS))]);
  return async () => {
    for (const child of attackers) await ended(child, "SIGKILL");
  };
}

async function ended(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("close", resolve));
  child.kill(signal);
  await over;
}

interface Caller {
  ask(ms: number, hub: BenchHub): Promise<Suffered["answers"]>;
}

/** The organization that does no harm. */
async function createCaller(base: string, token: string): Promise<Caller> {
  const call = (path: string, init: RequestInit = {}) => request(`${base}${path}`, token, init);
  const ids = ((await call("/v1/users?limit=200")).data as { id: string }[]).map(({ id }) => id);
  let times = 0;
  const importOne = () => {
    const n = ++times;
    const user = { employee_id: `N${n}`, email: `n${n}@example.com`, first_name: "New", last_name: "Comer" };
    const asked = jsonBody("POST", { users: [user] });
    return call("/v1/users/import", { ...asked, headers: { ...asked.headers, Prefer: "wait=60" } }).then((answer) => {
      const { status } = answer.run as { status: string };
      if (status !== "succeeded") throw new Error(`The import of one row is ${status} after a minute`);
    });
  };
  return {
    async ask(ms, hub) {
      forgetPeak(hub.child);
      const reads = every(READ_EVERY_MS, (turn) => call(`/v1/users/${ids[turn % ids.length]}`), LOST);
      const edits = every(
        EDIT_EVERY_MS,
        (turn) => call(`/v1/users/${ids[turn * 7 % ids.length]}`, jsonBody("PATCH", { title: `Edited ${Date.now()}` })),
        LOST,
      );
      const imports = every(IMPORT_EVERY_MS, importOne, LOST);
      await new Promise((resolve) => setTimeout(resolve, ms));
      const [read, edit, imported] = await Promise.all([reads.stop(), edits.stop(), imports.stop()]);
      return {
        read: percentile(read, 0.99),
        edit: percentile(edit, 0.99),
        imported: percentile(imported, 0.99),
        peakMb: peakMbOf(hub.child.pid),
      };
    },
  };
}

/** The kernel's high-water mark begins anew (proc(5), clear_refs). */
function forgetPeak(child: ChildProcess): void {
  try {
    writeFileSync(`/proc/${child.pid}/clear_refs`, "5");
  } catch {
    // Without /proc there is no figure for memory.
  }
}

function say(what: string): void {
  console.error(`${new Date().toISOString()} ${what}`);
}
