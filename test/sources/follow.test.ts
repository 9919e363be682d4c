/**
 * Connections of Muster's own connectors, which are pinned to no version: a hub that starts with a later version of a
 * connector migrates their settings as an upgrade does.
 */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { test } from "node:test";
import { z } from "zod";
import type { FetchContext } from "../../src/connector.ts";
import type { Registry } from "../../src/hub.ts";
import { encodeId } from "../../src/model/id.ts";
import { followConnectors } from "../../src/sources/follow.ts";
import { type Fetching, fetching, PEOPLE, type Written } from "../support/fetching.ts";
import { createAsk, createTestToken } from "../support/hub.ts";

/** What the connector is given, in the order of its reads. */
const reading = (seen: unknown[]) =>
  async function* ({ settings, checkpoint }: FetchContext<never>) {
    seen.push([settings, checkpoint.last]);
    yield { origin: "all", records: PEOPLE };
    await checkpoint.save({ since: 1 });
  };

const first = (seen: unknown[]): Written => ({
  settings: z.strictObject({ host: z.string() }) as never,
  secrets: { token: { title: "Token" } },
  auth: () => ({ kind: "bearer", token: { secret: "token" } }),
  fetch: reading(seen),
});

/** "host" is "address" in this version, and "token" is "api_key". */
const SECOND = {
  version: "2.0.0",
  settings: z.strictObject({ address: z.string() }),
  secrets: { api_key: { title: "API key" } },
  auth: () => ({ kind: "bearer", token: { secret: "api_key" } }),
  hosts: ({ address }: { address: string }) => [address],
  migrateSettings: ({ version, value }: { version: string; value: { host: string } }) => {
    if (version !== "1.0.0") throw new TypeError(`${version} of ana@acme.test`);
    return { settings: { address: value.host.toLowerCase() }, secrets: { token: "api_key" } };
  },
  migrateState: ({ version, value }: { version: string; value: object }) => ({ ...value, from: version }),
} as unknown as Written;

const INPUT = { settings: { host: "HR.example.com" }, secrets: { token: "a secret text" } };

async function connections({ ask }: Pick<Fetching, "ask">) {
  const { data } = await (await ask("/v1/connections")).json();
  return Object.fromEntries(data.map((each: { slug: string }) => [each.slug, each]));
}

const settingsOf = async ({ hub }: Fetching, slug: string) =>
  (await hub.db.rows<[string | null]>(sql`select settings_of from connections where slug = ${slug}`)).flat();

const upgradesIn = async ({ ask }: Fetching) =>
  (await (await ask("/v1/audit?action=connection.upgraded")).json()).data.map((
    { actor }: { actor: { kind: string } },
  ) => actor.kind);

test("a later version of an own connector gets settings, secrets and state of the earlier one, when the hub starts", () => {
  const seen: unknown[] = [];
  return fetching(first(seen), async (world) => {
    const { hub, fetchNow, write } = world;
    assert.equal((await fetchNow())[0]!.status, "succeeded");
    assert.deepEqual(await settingsOf(world, "hr"), ["1.0.0"]);
    const before = await connections(world);
    write(SECOND);
    await followConnectors(hub);
    const after = await connections(world);
    assert.deepEqual(after.hr.settings, { address: "hr.example.com" });
    assert.deepEqual([after.hr.secrets.api_key.set, after.hr.secrets.token, after.hr.secrets_required], [
      true,
      undefined,
      [],
    ]);
    assert.deepEqual([after.csv, after.api], [before.csv, before.api], "others are as they were");
    assert.deepEqual(
      [after.hr.connector_version, after.hr.upgrade_available],
      [null, null],
      "it is still pinned to none",
    );
    assert.deepEqual(await upgradesIn(world), ["hub"]);
    const [run] = await fetchNow();
    assert.deepEqual([run!.status, run!.counts.unchanged], ["succeeded", 3], JSON.stringify(run!.error));
    assert.deepEqual(seen, [
      [{ host: "HR.example.com" }, null],
      [{ address: "hr.example.com" }, { since: 1, from: "1.0.0" }],
    ]);
    assert.ok(hub.lines.every(({ details }) => !JSON.stringify(details).includes("a secret text")));
    const settled = await connections(world);
    await followConnectors(hub);
    assert.deepEqual(await connections(world), settled, "once is enough");
  }, INPUT);
});

test("connections of every organization are migrated, also those from before versions of settings were kept", () =>
  fetching(first([]), async (world) => {
    const { hub, ask, write } = world;
    const operator = createAsk(hub, await createTestToken(hub, { scopes: ["operator"] }));
    await operator("/v1/organizations", { json: { slug: "acme", name: "Acme", timezone: "UTC" } });
    const theirs = createAsk(hub, await createTestToken(hub, { organization: "acme" }));
    const made = await theirs("/v1/connections", {
      json: { connector: "written", name: "hr", schedule: null, ...INPUT },
    });
    assert.equal(made.status, 201);
    await hub.db.write([hub.db.run(sql`update connections set settings_of = null where organization_id = 1`)]);
    write(SECOND);
    await followConnectors(hub);
    for (const each of [ask, theirs]) {
      assert.deepEqual((await connections({ ask: each })).hr.settings, { address: "hr.example.com" });
    }
    assert.deepEqual(await settingsOf(world, "hr"), ["2.0.0", "2.0.0"]);
  }, INPUT));

test("a version that migrates no settings takes them as they are, and changes nothing of the connection", () =>
  fetching(first([]), async (world) => {
    const before = await connections(world);
    world.write({ version: "1.1.0" });
    await followConnectors(world.hub);
    assert.deepEqual(await connections(world), before);
    assert.deepEqual(await settingsOf(world, "hr"), ["1.1.0"]);
    assert.deepEqual(await upgradesIn(world), []);
  }, INPUT));

test("settings that cannot be migrated are left and logged without their words, keep no other back, and an admin corrects them", () =>
  fetching(first([]), async (world) => {
    const { hub, write, connect, set } = world;
    await connect("beside", { connector: "written", schedule: null, ...INPUT });
    await hub.db.write([hub.db.run(sql`update connections set settings_of = '0.9.0' where slug = 'hr'`)]);
    write(SECOND);
    await followConnectors(hub);
    const after = await connections(world);
    assert.deepEqual([after.hr.settings, after.hr.secrets.token.set], [INPUT.settings, true]);
    assert.deepEqual(after.beside.settings, { address: "hr.example.com" });
    const line = hub.lines.find(({ event }) => event === "settings.behind");
    assert.deepEqual(line?.details, {
      organization_id: encodeId("org", 1),
      connection_id: after.hr.id,
      connector: "written",
      from: "0.9.0",
      to: "2.0.0",
      why: "connector_failed",
    });
    await set("hr", { settings: { address: "hr.example.com" } });
    const corrected = await connections(world);
    await followConnectors(hub);
    assert.deepEqual(await connections(world), corrected);
  }, INPUT));

test("a hub with an earlier version of the connector leaves settings of the later one alone", () =>
  fetching(first([]), async (world) => {
    await world.hub.db.write([world.hub.db.run(sql`update connections set settings_of = '3.0.0' where slug = 'hr'`)]);
    world.write(SECOND);
    const before = await connections(world);
    await followConnectors(world.hub);
    assert.deepEqual(await connections(world), before);
    assert.deepEqual(await settingsOf(world, "hr"), ["3.0.0"]);
  }, INPUT));

test("settings of an unknown version of a connector that the operator names are taken for those of its present one", () =>
  fetching(first([]), async (world) => {
    const { hub, write } = world;
    await hub.db.write([hub.db.run(sql`update connections set settings_of = null where slug = 'hr'`)]);
    write(SECOND);
    const registry: Registry = Object.assign(new Map(hub.registry), { added: new Set(["written"]) });
    await followConnectors({ ...hub, registry });
    assert.deepEqual((await connections(world)).hr.settings, INPUT.settings);
    assert.deepEqual(await settingsOf(world, "hr"), ["2.0.0"]);
  }, INPUT));

test("a connection that somebody changes meanwhile gets both: their change, and the settings of the version", () =>
  fetching(first([]), async (world) => {
    const { hub, write, set } = world;
    write(SECOND);
    let writes = 0;
    const batch: typeof hub.db.write = async (statements) => {
      if (writes++ === 0) await set("hr", { name: "Renamed" });
      return await hub.db.write(statements);
    };
    const registry: Registry = new Map([["written", hub.registry.get("written")!]]);
    await followConnectors({ ...hub, registry, db: { ...hub.db, write: batch } });
    const { hr } = await connections(world);
    assert.deepEqual([hr.name, hr.settings], ["Renamed", { address: "hr.example.com" }]);
  }, INPUT));
