/** A connector of a stranger in a hub: it does all that one of ours does, and what it does wrong is its own fault alone. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { loadRegistry } from "../../src/runtime/third-party.ts";
import type { Limits } from "../../src/runtime/sandbox/protocol.ts";
import { type Importing, importing, type Outcome } from "../support/imports.ts";
import { loopback } from "../support/receiver.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { type Source, startSource } from "../support/source.ts";

/** As a stranger writes it: types of his own, a schema of no library, no import of ours. `parts` replace some of it. */
const stranger = (parts: string) => `
interface Settings { readonly host: string }
const fields: Record<string, string> = { id: "source_id", mail: "email", first: "first_name", last: "last_name" };

const connector = {
  api: 1, name: "stranger", version: "1.0.0", title: "Stranger", input: "fetch", coverage: { users: "full" },
  key: "source_id", mapping: fields,
  settings: { "~standard": { version: 1, vendor: "own", validate(value: { host?: unknown }) {
    if (typeof value?.host === "string") return { value: { host: value.host } };
    return { issues: [{ message: "should be a host", path: ["host"] }] };
  } } },
  settingsJsonSchema: { type: "object", properties: { host: { type: "string", examples: ["127.0.0.1:1"] } }, required: ["host"] },
  secrets: { key: { title: "Key" } },
  auth: () => ({ kind: "bearer", token: { secret: "key" } }),
  hosts: ({ host }: Settings) => [host],
  async check(context: any) {
    const response = await context.fetch("http://" + context.settings.host + "/people");
    return { ok: response.ok, detail: "It answered " + response.status, found: {} };
  },
  async *fetch(context: any) {
    const from = context.checkpoint.resume ?? "/people";
    for (let path: string | null = from; path !== null;) {
      const response = await context.fetch("http://" + context.settings.host + path);
      const { people, next } = await response.json();
      yield { origin: path, records: people };
      path = next === null ? null : "/people?after=" + next;
      if (path !== null) await context.checkpoint.save(path);
    }
  },
  normalize(row: any, { fields }: any) {
    const record = Object.fromEntries(fields.flatMap((field: string, i: number) => field ? [[field, row.cells[i]]] : []));
    return { ...record, title: "From afar" };
  },
};
export default { ...connector, ${parts} };
`;

const PEOPLE = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "Lund" },
  { id: "3", mail: "cy@acme.test", first: "Cy", last: "Wang" },
];

interface World extends Importing {
  readonly source: Source;
  /** Fetches now; gives the run. */
  fetchNow(): Promise<Outcome>;
}

async function withStranger(
  parts: string,
  work: (world: World) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "muster-stranger-"));
  const source = await startSource([...PEOPLE]);
  try {
    await writeFile(join(folder, "stranger.ts"), stranger(parts));
    const registry = await loadRegistry(["./stranger.ts"], pathToFileURL(`${folder}/`).href, { limits });
    await importing(async (world) => {
      const { host, key } = source;
      await world.connect("afar", {
        connector: "stranger",
        settings: { host },
        schedule: null,
        ...(parts.includes('"drop"') ? {} : { secrets: { key } }),
      });
      await work({ ...world, source, fetchNow: () => world.sync("afar") });
    }, { registry, outbound: loopback });
  } finally {
    await source.close();
    await rm(folder, { recursive: true });
  }
}

test("a stranger's connector is fetched from, checked and normalized in a child, and its key stays in the hub", () =>
  withStranger("", async ({ ask, fetchNow, source, people }) => {
    const run = await fetchNow();
    assert.equal(run.status, "succeeded", JSON.stringify(run));
    assert.deepEqual((await people()).map(({ email, title }) => [email, title]), [
      ["ana@acme.test", "From afar"],
      ["bo@acme.test", "From afar"],
      ["cy@acme.test", "From afar"],
    ]);
    assert.ok(source.asked.length >= 2);
    assert.ok(source.shown.every((shown) => shown === `Bearer ${source.key}`));
    const again = await fetchNow();
    assert.equal(again.counts.unchanged, 3);
    assert.equal(again.changes.length, 0);
    const check = await (await ask("/v1/connections/afar/check", { method: "POST" })).json();
    assert.deepEqual([check.ok, check.detail], [true, "It answered 200"]);
  }));

test("settings that a stranger's connector refuses are refused with its words, and none of it runs in the hub", () =>
  withStranger("", async ({ ask }) => {
    const refused = await ask("/v1/connections/afar", { method: "PATCH", json: { settings: { host: 5 } } });
    assert.equal(refused.status, 400);
    const { errors } = await refused.json();
    assert.deepEqual(errors.map(({ pointer, detail }: Record<string, string>) => [pointer, detail]), [
      ["/settings/host", "should be a host"],
    ]);
    const { data } = await (await ask("/v1/connectors")).json();
    const shown = data.find(({ name }: { name: string }) => name === "stranger");
    assert.deepEqual([shown.origin, shown.problems, shown.key], ["added", [], "source_id"]);
    assert.deepEqual([shown.from, shown.isolated, shown.versions], ["./stranger.ts", true, ["1.0.0"]]);
    assert.match(shown.digest, /^[0-9a-f]{64}$/);
    const connection = await (await ask("/v1/connections/afar")).json();
    assert.deepEqual(
      [connection.installed, connection.connector_version, connection.connector_digest],
      [true, null, null],
      "what MUSTER_CONNECTORS names follows its file",
    );
  }));

test("a row that a stranger's connector cannot normalize is an issue of that row, and the others are applied", () =>
  withStranger(
    `normalize(row: any, context: any) { if (row.cells.includes("2")) row.no.where; return connector.normalize(row, context); }`,
    async ({ fetchNow, people }) => {
      const run = await fetchNow();
      assert.deepEqual(run.issues.map(({ code }) => code), ["connector_row_failed"]);
      assert.deepEqual((await people()).map(({ email }) => email), ["ana@acme.test", "cy@acme.test"]);
    },
  ));

test("a stranger's connector takes drops, which the hub reads and the child normalizes; an absent cell stays absent", () =>
  withStranger(
    `input: "drop", key: "email", mapping: {}, secrets: undefined, auth: undefined, hosts: undefined, check: undefined,
     async *fetch(context: any) { yield* context.readDrop(); },
     normalize(row: any, { fields }: any) { const given = connector.normalize(row, { fields });
       return { ...given, title: "lacks " + String(Object.keys(given).filter((name) => given[name] === undefined)) }; },`,
    async ({ import: send, people }) => {
      const ana = { email: "ana@acme.test", first_name: "Ana", last_name: "Sol", location: "Porto" };
      const bo = { email: "bo@acme.test", first_name: "Bo", last_name: "Lund" };
      const run = await send(JSON.stringify([ana, bo]), {
        connection: "afar",
        coverage: "diff",
        name: "people.json",
        type: "application/json",
      });
      assert.equal(run.status, "succeeded", JSON.stringify(run.issues));
      assert.deepEqual((await people()).map(({ title }) => title), ["lacks", "lacks location"]);
    },
  ));

/** What each does, and what its run says. */
const ABUSES: readonly (readonly [string, string, RegExp])[] = [
  [
    "throws where nobody catches",
    "async *fetch() { setTimeout(() => { throw new TypeError('Ana') }); await new Promise(() => {}); }",
    /did not catch TypeError \(stranger\.ts:\d+\)/,
  ],
  ["exits", "async *fetch() { (globalThis as any).Deno.exit(0); }", /ended by itself \(exit code 0\)/],
  ["loops", "async *fetch() { for (;;); }", /did nothing for 1 s in "fetch"/],
  ["loops in a row", "normalize() { for (;;); }", /did nothing for 1 s in "normalize"/],
  [
    "asks another host",
    "async *fetch(context: any) { await context.fetch('https://elsewhere.example.com/'); }",
    /"elsewhere.example.com" is not one of the hosts/,
  ],
  ["asks past the hub", "async *fetch() { await fetch('https://elsewhere.example.com/'); }", /threw Error/],
  [
    "reads a file",
    "async *fetch() { await (globalThis as any).Deno.readTextFile('/etc/hostname'); }",
    /threw NotCapable/,
  ],
  ["yields what is no page", "async *fetch() { yield 5; }", /yielded what is no page.* \(stranger\.ts:\d+\)/],
  [
    "has an origin that is a number",
    "async *fetch() { yield { origin: 5, records: [] }; }",
    /no page.* \(stranger\.ts:\d+\)/,
  ],
  ["has no generator", "async fetch() { return []; }", /should be an async generator \(stranger\.ts:\d+\)/],
  [
    "yields a circle",
    "async *fetch() { const a: any = {}; a.a = a; yield { origin: null, records: [a] }; }",
    /is no JSON.* \(stranger\.ts:\d+\)/,
  ],
  [
    "yields a BigInt",
    "async *fetch() { yield { origin: null, records: [{ id: 1n }] }; }",
    /is no JSON.* \(stranger\.ts:\d+\)/,
  ],
];

for (const [what, parts, expected] of ABUSES) {
  test(`a stranger's connector that ${what} fails its own run, once, and the hub goes on`, {
    skip: what === "exits" || what.startsWith("throws") ? false : onlyInCheck,
  }, () =>
    withStranger(parts, async ({ fetchNow, people, import: send }) => {
      const run = await fetchNow();
      assert.equal(run.status, "failed");
      assert.match(run.error!.message, expected);
      assert.doesNotMatch(run.error!.message, /Ana/);
      assert.equal((await people()).length, 0);
      const other = await send("employee_id,email,first_name,last_name\n9,di@acme.test,Di,Orr\n");
      assert.equal(other.status, "succeeded");
    }, { idleMs: 1_000, callMs: 1_000 }));
}
