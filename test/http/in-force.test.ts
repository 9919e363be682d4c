import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeId } from "../../src/model/id.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";

interface Value {
  readonly value: unknown;
  readonly from: string;
}
type Values = Readonly<Record<string, Value>>;

interface InForce {
  readonly settings: Values;
  readonly folder: Value | null;
  readonly when: Value | null;
  readonly key: Value;
  readonly policy: Values;
  readonly limits: Readonly<Record<string, Values>>;
}

async function inForce({ ask }: Importing, slug: string): Promise<InForce> {
  const answer = await ask(`/v1/connections/${slug}`);
  assert.equal(answer.status, 200);
  return (await answer.json()).in_force;
}

const ANA = encodeId("usr", 7);

const value = (value: unknown, from: string): Value => ({ value, from });

test("a connection shows what is in force and where it comes from: nothing is set", () =>
  importing(async (world) => {
    const { settings, folder, when, key, policy, limits } = await inForce(world, "csv");
    assert.deepEqual(settings.delimiter, value("auto", "default"));
    assert.deepEqual(settings.phone_country, value(null, "default"));
    assert.deepEqual([folder, when], [null, null], "it is handed its input");
    assert.deepEqual(key, value(null, "default"), "the first input decides");
    assert.deepEqual(policy.coverage, value("full", "connector"));
    assert.deepEqual(policy.missing, value("keep", "default"));
    assert.deepEqual(policy.priority, value(0, "default"));
    assert.deepEqual(limits.deactivate, {
      percent: value(5, "default"),
      floor: value(5, "default"),
      cap: value(500, "default"),
      enabled: value(true, "default"),
    });
  }));

test("each layer shows as what it is: organization, preset, connection", () =>
  importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { phone_country: "LV" } });
    await world.connect("phones", { preset: "connecteam", settings: { delimiter: ";" } });
    const before = await inForce(world, "phones");
    assert.deepEqual(before.key, value("mobile_phone", "preset"));
    assert.deepEqual(before.policy.coverage, value("diff", "preset"));
    assert.deepEqual(before.policy.empty_cells, value("keep", "preset"));
    assert.deepEqual(before.policy.missing, value("keep", "default"));
    assert.deepEqual(before.settings.delimiter, value(";", "connection"));
    assert.deepEqual(before.settings.phone_country, value("LV", "organization"));
    await world.set("phones", {
      settings: { phone_country: "GB" },
      key: "email",
      policy: { coverage: "full", priority: 3, protected: [ANA], only_statuses: ["Staff"] },
      limits: { deactivate: { percent: 10 } },
    });
    const after = await inForce(world, "phones");
    assert.deepEqual(after.key, value("email", "connection"));
    assert.deepEqual(after.policy.coverage, value("full", "connection"));
    assert.deepEqual(after.policy.priority, value(3, "connection"));
    assert.deepEqual(after.policy.protected, value([ANA], "connection"));
    assert.deepEqual(after.policy.only_statuses, value(["Staff"], "connection"));
    assert.deepEqual(after.settings.phone_country, value("GB", "connection"));
    assert.deepEqual(after.settings.delimiter, value("auto", "default"));
    assert.deepEqual(after.limits.deactivate!.percent, value(10, "connection"));
    assert.deepEqual(after.limits.deactivate!.floor, value(5, "default"));
  }));

test("a run goes by what the connection shows, also where a preset meets a connector that brings only changes", () =>
  importing(async (world) => {
    await world.connect("phones", { preset: "connecteam" });
    await world.connect("pushed", { connector: "rest-import", preset: "ops-com", key: "email" });
    for (const [slug, coverage, from] of [["phones", "diff", "preset"], ["pushed", "diff", "connector"]] as const) {
      const { policy } = await inForce(world, slug);
      assert.deepEqual(policy.coverage, value(coverage, from));
      const run = await world.import(csv(`${HEADER},mobile_phone`, "1,ana@acme.test,Ana,Lopez,+37120000001"), {
        connection: slug,
      });
      assert.deepEqual([run.status, run.coverage], ["succeeded", coverage], slug);
    }
  }));

test("of a connection over SFTP it shows the folder and the time, which its preset or the connection sets", () =>
  importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { timezone: "Europe/Riga" } });
    const at = async (slug: string, input: object) => {
      await world.connect(slug, { connector: "sftp-drop", ...input });
      const { folder, when } = await inForce(world, slug);
      return [folder, when];
    };
    assert.deepEqual(await at("plain", {}), [value("/incoming", "default"), value("at_once", "default")]);
    assert.deepEqual(await at("daily", { preset: "connecteam" }), [
      value("/Uploads", "preset"),
      value({ daily_at: "06:00", time_zone: "Europe/Riga" }, "preset"),
    ]);
    assert.deepEqual(await at("often", { preset: "ops-com", settings: { folder: "hr/" } }), [
      value("/hr", "connection"),
      value({ every_minutes: 5 }, "preset"),
    ]);
    assert.deepEqual(await at("own", { preset: "connecteam", settings: { every_minutes: 30 } }), [
      value("/Uploads", "preset"),
      value({ every_minutes: 30 }, "connection"),
    ]);
  }));

test("of a source that is fetched it shows the schedule: its connector's, or its own", () =>
  importing(async (world) => {
    await world.connect("bamboo", { connector: "bamboohr", settings: { subdomain: "acme" } });
    const before = await inForce(world, "bamboo");
    assert.deepEqual(before.when, value({ cron: "0 3 * * *", timezone: "America/Los_Angeles" }, "connector"));
    assert.deepEqual(before.key, value("source_id", "connector"));
    await world.set("bamboo", { schedule: { cron: "0 5 * * *" } });
    assert.deepEqual(
      (await inForce(world, "bamboo")).when,
      value({ cron: "0 5 * * *", timezone: "UTC" }, "connection"),
    );
    await world.set("bamboo", { schedule: null });
    assert.deepEqual((await inForce(world, "bamboo")).when, value(null, "connection"));
  }, { registry: createRegistry() }));

test("where the connector is not installed any more, it shows what is stored", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { delimiter: ";" } });
    const token = await createTestToken(world.hub);
    const ask = createAsk({ ...world.hub, registry: new Map() }, token);
    const { settings, when, policy } = (await (await ask("/v1/connections/csv")).json()).in_force as InForce;
    assert.deepEqual(settings.delimiter, value(";", "connection"));
    assert.deepEqual([when, policy.coverage], [null, value("full", "default")]);
  }));

test("lists of connections leave it out", () =>
  importing(async ({ ask }) => {
    const { data } = await (await ask("/v1/connections")).json();
    assert.ok(data.length > 0 && data.every((each: object) => !("in_force" in each)));
  }));
