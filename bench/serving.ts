/**
 * What the hub's other users feel while it imports: the clients ping, read and edit one organization's people over
 * HTTP, as a first import runs in another organization of the same process.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { MUSTER } from "./muster.ts";
import { measure, peakMbOf } from "./process.ts";

/** Milliseconds. */
export interface Answers {
  /** The longest that an answer to GET /healthz took, asked every 10 ms. */
  readonly stall: number;
  /** GET and PATCH of a user: 99 of 100 answers took no longer. */
  readonly read: number;
  readonly edit: number;
}

export interface Felt {
  /** With nothing else to do, and while somebody imports. */
  readonly idle: Answers;
  readonly busy: Answers;
  readonly importSeconds: number;
  readonly peakMb: number | null;
}

const PING_EVERY_MS = 10;
const READ_EVERY_MS = 25;
const EDIT_EVERY_MS = 100;
/** How long the hub is asked with nothing else to do. */
const IDLE_MS = 15_000;

/** Serves `dataDirectory`, which must hold people already, and imports `file` into a second organization. */
export async function importWhileServing(dataDirectory: string, file: string, people: number): Promise<Felt> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const log = openSync(`${dataDirectory}.log`, "w");
  const hub = spawn(MUSTER.program, [...MUSTER.args, "serve"], {
    env: { ...process.env, ...MUSTER.env, MUSTER_DATA_DIR: dataDirectory, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "ignore", log],
  });
  closeSync(log);
  const ended = new Promise((resolve) => hub.on("close", resolve));
  try {
    await untilHealthy(base);
    const token = readFileSync(join(dataDirectory, "first-token"), "utf8").trim();
    const call = (path: string, init: RequestInit = {}) => request(`${base}${path}`, token, init);
    await call("/v1/organizations", jsonBody("POST", { slug: "second", name: "Second", timezone: "UTC" }));
    const ids = await someUsers(call);

    const idle = await askWhile(call, ids, () => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
    let importSeconds = 0;
    const busy = await askWhile(call, ids, async () => {
      const started = performance.now();
      await importInto("second", file, people, base, token, call);
      importSeconds = (performance.now() - started) / 1000;
    });
    return { idle, busy, importSeconds, peakMb: peakMbOf(hub.pid) };
  } finally {
    hub.kill("SIGTERM");
    await ended;
  }
}

/** Pings, reads and edits for as long as `work` takes. */
async function askWhile(call: Call, ids: readonly string[], work: () => Promise<unknown>): Promise<Answers> {
  const pings = every(PING_EVERY_MS, () => call("/healthz"));
  const reads = every(READ_EVERY_MS, (turn) => call(`/v1/users/${ids[turn % ids.length]}`));
  const edits = every(
    EDIT_EVERY_MS,
    (turn) => call(`/v1/users/${ids[turn * 7 % ids.length]}`, jsonBody("PATCH", { title: `Edited ${Date.now()}` })),
  );
  await work();
  const [pinged, read, edited] = await Promise.all([pings.stop(), reads.stop(), edits.stop()]);
  return { stall: Math.max(...pinged), read: percentile(read, 0.99), edit: percentile(edited, 0.99) };
}

type Call = (path: string, init?: RequestInit) => Promise<Record<string, unknown>>;

/** Posts the file and waits until its run has ended; throws unless it created everybody. */
async function importInto(
  organization: string,
  file: string,
  people: number,
  base: string,
  token: string,
  call: Call,
): Promise<void> {
  const headers = { "Muster-Organization": organization };
  const url = `${base}/v1/connections/csv/drops?name=people.csv`;
  const program = join(import.meta.dirname!, "post.ts");
  const posted = await measure(process.execPath, ["run", "-A", program, url, token, organization, file]);
  let run = JSON.parse(posted.stdout).run as { id: string; status: string; counts: { created: number } | null };
  while (["queued", "planning", "applying"].includes(run.status)) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    run = await call(`/v1/runs/${run.id}`, { headers }) as typeof run;
  }
  if (run.status !== "succeeded" || run.counts?.created !== people) {
    throw new Error(`The run ended as ${run.status} with ${run.counts?.created} created, and should create ${people}`);
  }
}

/** Calls at a fixed pace whether or not earlier calls have been answered, so that a stall is felt by all it delays. */
export function every(
  intervalMs: number,
  call: (turn: number) => Promise<unknown>,
  /** What a call that failed counts as, in milliseconds; fails itself unless given. */
  lost: (error: unknown) => number = (error) => {
    throw error;
  },
): { stop(): Promise<number[]> } {
  const answers: Promise<number>[] = [];
  const timer = setInterval(() => {
    const asked = performance.now();
    const answer = call(answers.length).then(() => performance.now() - asked, lost);
    answer.catch(() => {}); // told by stop()
    answers.push(answer);
  }, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      return Promise.all(answers);
    },
  };
}

export async function request(url: string, token: string, init: RequestInit): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${token}`, ...init.headers as Record<string, string> };
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? "GET"} ${url} answered ${response.status}: ${text}`);
  return text.startsWith("{") ? JSON.parse(text) : {};
}

export function jsonBody(method: string, value: unknown): RequestInit {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) };
}

async function someUsers(call: Call): Promise<string[]> {
  const { data } = await call("/v1/users?limit=200");
  return (data as { id: string }[]).map((user) => user.id);
}

export async function untilHealthy(base: string, withinMs = 30_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!await fetch(`${base}/healthz`).then(async (answer) => (await answer.text(), answer.ok), () => false)) {
    if (performance.now() > giveUpAt) throw new Error(`The hub did not answer within ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
