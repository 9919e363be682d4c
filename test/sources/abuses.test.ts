/**
 * Connectors of strangers that do all the harm they can, in a hub that serves another organization meanwhile. Each fails
 * its own run, once, with a sentence that names what it did; the other organization reads, edits and imports on.
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { createTokenText } from "../../src/security/token.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { type Served, startCommand, startServing } from "../support/serve.ts";
import { within } from "../support/within.ts";

const KEY = "the-key-of-the-abused-source-777";
const CONNECTORS = ["ends", "loops", "memory", "reads", "pollutes", "floods", "rows", "hangs"];
const REFUSED = ["endless", "exits", "old-schema", "undeclared-secret", "magic", "loops"];
const pathOf = (name: string) => fileURLToPath(new URL(`../support/abuses/${name}.ts`, import.meta.url));
const SHORT_LIMITS = fileURLToPath(new URL("../support/short-limits.ts", import.meta.url));

interface Abuse {
  readonly connector: string;
  readonly does: string;
  /** What the run's error says; absent: it succeeds. */
  readonly says?: RegExp;
  /** Of the run's error; `connector_failed` unless given. */
  readonly code?: string;
  /** What came before is used. */
  readonly partial?: true;
}

const ABUSES: readonly Abuse[] = [
  {
    connector: "ends",
    does: "a throw in a timer",
    says: /^The connector "ends" did not catch TypeError \(ends\.ts:\d+\)$/,
  },
  { connector: "ends", does: "a promise that nobody catches", says: /did not catch RangeError \(ends\.ts:\d+\)$/ },
  { connector: "ends", does: "an exit", says: /ended by itself \(exit code 0\)$/ },
  { connector: "ends", does: "an exit as in Node", says: /threw TypeError \(ends\.ts:\d+\)$/ },
  { connector: "ends", does: "an exit in normalize", says: /ended by itself \(exit code 0\)$/ },
  { connector: "loops", does: "a loop in fetch", says: /did nothing for 90 s in "fetch"$/ },
  { connector: "loops", does: "a loop in normalize", says: /did nothing for 10 s in "normalize"$/ },
  {
    connector: "loops",
    does: "pages without end, and without a request",
    says: /10000 pages in a row with no new record/,
    partial: true,
  },
  { connector: "memory", does: "objects", says: /took more .*memory/ },
  { connector: "memory", does: "buffers", says: /took more than 512 MiB of memory$/ },
  { connector: "memory", does: "objects in normalize", says: /took more .*memory|did nothing for 10 s/ },
  { connector: "reads", does: "a file", says: /threw NotCapable \(reads\.ts:\d+\)$/ },
  { connector: "reads", does: "the environment", says: /threw NotCapable \(reads\.ts:\d+\)$/ },
  { connector: "reads", does: "the environment as in Node" },
  { connector: "reads", does: "another host past the hub", says: /threw Error/ },
  {
    connector: "reads",
    does: "another host through the hub",
    says: /"127\.0\.0\.1:9" is not one of the hosts that the connector may ask/,
    code: "source_misconfigured",
  },
  { connector: "reads", does: "its key in a row, an origin and the log" },
  { connector: "reads", does: "its key in a fault", says: /^Bearer …$/, code: "source_unreadable" },
  { connector: "floods", does: "lines of the log without end", says: /did nothing for 90 s in "fetch"$/ },
  { connector: "floods", does: "lines of the log past its context", says: /logged more than 10000 lines at once$/ },
  { connector: "floods", does: "standard error without end", says: /threw BrokenPipe \(floods\.ts:\d+\)$/ },
  { connector: "floods", does: "standard output without end", says: /wrote to standard output, which is the hub's$/ },
  {
    connector: "floods",
    does: "a huge row",
    says: /^Record 4 of the source is over its limit of 1 MiB$/,
    code: "too_large",
    partial: true,
  },
  { connector: "floods", does: "a huge page", says: /gave more than 16 MiB at once/ },
  { connector: "floods", does: "a hundred thousand tiny messages", says: /answered what it was not asked$/ },
  {
    connector: "floods",
    does: "a hundred thousand requests at once",
    says: /asked for more than 1000 things at once$/,
  },
  {
    connector: "floods",
    does: "a hundred thousand warnings",
    says: /asked for more than 1000 things at once$|did nothing/,
  },
  { connector: "rows", does: "every third row throws" },
];

/** Harm that is done before there is a run. */
const IN_SETTINGS = ["a loop in settings", "a loop in hosts", "a loop in auth"];

type Answered = { readonly status: number; readonly body: Record<string, unknown> };
type Call = (path: string, json?: object, method?: string) => Promise<Answered>;

interface World {
  readonly hub: Served;
  readonly host: string;
  /** An organization of its own, and how its admin asks. */
  organization(slug: string): Promise<Call>;
}

async function withHub(idleMs: number, work: (world: World) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-abuses-"));
  // It repeats the authorization that comes, as sources do in their faults.
  const source = createServer(({ headers }, response) => void response.end(headers.authorization));
  await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
  const token = createTokenText();
  const hub = await startServing(
    {
      MUSTER_DATA_DIR: join(dir, "data"),
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_CONNECTORS: CONNECTORS.map(pathOf).join(),
      MUSTER_ALLOW_HOSTS: "127.0.0.0/8",
      IDLE_MS: String(idleMs),
    },
    undefined,
    undefined,
    SHORT_LIMITS,
  );
  try {
    await work({
      hub,
      host: `127.0.0.1:${(source.address() as AddressInfo).port}`,
      async organization(slug) {
        const operator = caller(hub.url, token);
        assert.equal((await operator("/organizations", { slug, name: slug, timezone: "UTC" })).status, 201);
        const made = await caller(hub.url, token, slug)("/tokens", { name: "admin", scopes: ["admin"] });
        return caller(hub.url, made.body.token as string);
      },
    });
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await new Promise((resolve) => source.close(resolve));
    await rm(dir, { recursive: true, force: true });
  }
}

function caller(base: string, token: string, organization?: string): Call {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    ...(organization === undefined ? {} : { "muster-organization": organization }),
  };
  // Not the one that looks answers up in the document: it knows no error of a connector where settings are sent.
  return async (path, json, method = json === undefined ? "GET" : "POST") => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const waits = method === "GET" ? path.startsWith("/runs/") : path === "/users/import";
    const all = waits ? { ...headers, prefer: "wait=30" } : headers;
    const answer = await fetch(`${base}/v1${path}`, { method, body, headers: all });
    return { status: answer.status, body: await answer.json() };
  };
}

interface Neighbor {
  /** Comes back when it has been answered, and a run of its own has ended, since it was asked. */
  goesOn(): Promise<void>;
  stop(): Promise<void>;
}

/** Reads, edits and imports somebody again and again; fails with the first answer that is not as it should be. */
async function neighborIn(ask: Call): Promise<Neighbor> {
  let turns = 0, isOver = false;
  const turn = async () => {
    const n = ++turns;
    const user = { employee_id: `N${n}`, email: `n${n}@example.com`, first_name: "New", last_name: "Comer" };
    const imported = await ask("/users/import", { users: [user] });
    const { run } = imported.body as { run: { status: string } };
    assert.equal(run.status, "succeeded", JSON.stringify(imported));
    const { body: { data } } = await ask("/users?limit=1");
    const { id } = (data as { id: string }[])[0]!;
    assert.equal((await ask(`/users/${id}`)).status, 200);
    assert.equal((await ask(`/users/${id}`, { title: `Edited ${n}` }, "PATCH")).status, 200);
  };
  await turn();
  const all = (async () => {
    while (!isOver) await turn();
  })();
  all.catch(() => {});
  return {
    async goesOn() {
      const after = turns;
      while (turns <= after) await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 20))]);
    },
    async stop() {
      isOver = true;
      await all;
    },
  };
}

let connections = 0;

/** Gives the connection's slug. */
async function connect(ask: Call, { connector, does }: Abuse, host: string): Promise<Answered & { slug: string }> {
  const slug = `c${++connections}`;
  const json = { connector, name: does, slug, settings: { host, does }, secrets: { key: KEY }, schedule: null };
  return { slug, ...await ask("/connections", json) };
}

async function begin(ask: Call, abuse: Abuse, host: string): Promise<string> {
  const { slug, status, body } = await connect(ask, abuse, host);
  assert.equal(status, 201, `${abuse.does}: ${JSON.stringify(body)}`);
  const { body: { run } } = await ask(`/connections/${slug}/runs`, {});
  return (run as { id: string }).id;
}

interface Run {
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

async function ended(ask: Call, id: string): Promise<Run> {
  for (;;) {
    const run = (await ask(`/runs/${id}`)).body as unknown as Run;
    if (!["queued", "planning", "applying"].includes(run.status)) return run;
  }
}

/** What is wrong about how it ended; null: nothing. */
function judge({ does, says, code = "connector_failed", partial }: Abuse, { status, error }: Run): string | null {
  const given = `${does}: ${status} ${error?.code} ${error?.message}`;
  if (says === undefined) return status === "succeeded" || status === "partial" ? null : given;
  const isRight = status === (partial ? "partial" : "failed") && error?.code === code && says.test(error.message);
  return isRight ? null : given;
}

test(
  "whatever a stranger's connector does, its run fails once, and the organization beside it goes on",
  { skip: onlyInCheckOnDeno },
  () =>
    withHub(90_000, async ({ hub, host, organization }) => {
      const ask = await organization("abuser");
      const neighbor = await neighborIn(await organization("neighbor"));
      const runs: { readonly abuse: Abuse; readonly id: string }[] = [];
      for (const abuse of ABUSES) runs.push({ abuse, id: await begin(ask, abuse, host) });
      const problems: string[] = [];
      for (const { abuse, id } of runs) {
        await neighbor.goesOn();
        const problem = judge(abuse, await ended(ask, id));
        if (problem !== null) problems.push(problem);
      }
      for (const does of IN_SETTINGS) {
        const { status, body } = await connect(ask, { connector: "loops", does }, host);
        if (status !== 500 || !/did nothing for 3 s in/.test(String(body.detail))) {
          problems.push(`${does}: ${status} ${JSON.stringify(body)}`);
        }
        await neighbor.goesOn();
      }
      // What it has replaced is gone with its child, for others and for itself.
      await ended(ask, await begin(ask, { connector: "pollutes", does: "prototypes" }, host));
      const untouched = await ended(ask, await begin(ask, { connector: "pollutes", does: "no harm" }, host));
      assert.equal(untouched.status, "succeeded", JSON.stringify(untouched));
      const { slug } = await connect(ask, { connector: "loops", does: "no harm" }, host);
      const { body: checked } = await ask(`/connections/${slug}/check`, {});
      if (checked.code !== "connector_failed" || !/did nothing for 3 s in "check"/.test(String(checked.detail))) {
        problems.push(`a loop in check: ${JSON.stringify(checked)}`);
      }
      assert.deepEqual(problems, []);
      const { body: listed } = await ask("/runs?limit=200");
      assert.equal((listed.data as unknown[]).length, ABUSES.length + 2, "no run was begun again");
      assert.doesNotMatch(JSON.stringify(listed), new RegExp(`${KEY}|Ana Lund`));
      assert.doesNotMatch(hub.said().err, new RegExp(`${KEY}|Ana Lund`));
      await neighbor.stop();
      await noChildIsLeft(hub);
    }),
);

/** In each of the hub's two threads one waits for a connector. */
const WAITING = 2;

async function noChildIsLeft(hub: Served): Promise<void> {
  const ofHub = new RegExp(`^muster-connector-.*\\.${hub.process.pid}-`);
  const left = async () => (await readdir(tmpdir())).filter((name) => ofHub.test(name)).length;
  // One that normalizes is kept for two seconds.
  for (const end = Date.now() + 20_000; await left() > WAITING;) {
    assert.ok(Date.now() < end, "a child is left");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test(
  "four connections that hang keep the fifth of their organization from nothing, nor the other organization",
  { skip: onlyInCheckOnDeno },
  () =>
    withHub(300_000, async ({ hub, host, organization }) => {
      const ask = await organization("hanging"), neighbor = await neighborIn(await organization("neighbor"));
      const hanging: string[] = [];
      for (let n = 0; n < 4; n++) hanging.push(await begin(ask, { connector: "hangs", does: "hangs" }, host));
      const fifth = await begin(ask, { connector: "hangs", does: "no harm" }, host);
      assert.equal((await ended(ask, fifth)).status, "succeeded");
      const open = (await ask(`/runs/${hanging[3]}`)).body;
      assert.equal(open.status, "queued", "it was the fifth that waited for the others");
      await neighbor.goesOn();
      for (const id of hanging) {
        assert.equal((await ask(`/runs/${id}/cancel`, {})).status, 200);
        assert.equal((await ended(ask, id)).status, "cancelled");
      }
      await noChildIsLeft(hub);
      await neighbor.stop();
    }),
);

test(
  "a connector that cannot be loaded is refused with the reason, and with it the start; none is waited for without end",
  { skip: onlyInCheckOnDeno },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-abuses-"));
    try {
      const command = startCommand(["serve"], {
        PORT: "0",
        MUSTER_DATA_DIR: dir,
        MUSTER_CONNECTORS: REFUSED.map((name) => pathOf(`refused/${name}`)).join(),
      });
      let said = "";
      command.stderr!.on("data", (data) => said += data);
      const code = await within(120_000, new Promise((resolve) => command.on("close", resolve)), () => {
        command.kill("SIGKILL");
        return new Error(`It did not end: ${said}`);
      });
      assert.notEqual(code, 0);
      for (
        const expected of [
          /endless\.ts: .*did not load within 10 s/,
          /exits\.ts: .*ended by itself \(exit code 0\)/,
          /old-schema\.ts: .*"settings" should be a schema/,
          /undeclared-secret\.ts: .*names the secret "other", which is not among its "secrets"/,
          /magic\.ts: .*"mapping\.id" should be a field of the hub.*/,
          /magic\.ts: .*"authKinds" should be a list of some of/,
          /loops\.ts: .*did nothing for 10 s in/,
        ]
      ) assert.match(said, expected);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
);
