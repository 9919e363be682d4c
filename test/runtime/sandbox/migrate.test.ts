/** What a version makes of settings and state of an earlier one, in its child; and an upgrade between two of them. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Installed, Registry } from "../../../src/hub.ts";
import { migrateSettings, migrateState } from "../../../src/runs/migrate.ts";
import { createRegistry } from "../../../src/runtime/registry.ts";
import { bundleConnector } from "../../../src/runtime/sandbox/bundle.ts";
import { findDeno } from "../../../src/runtime/sandbox/deno-program.ts";
import { loadIsolated } from "../../../src/runtime/sandbox/isolated.ts";
import { onlyInCheckOnDeno } from "../../support/rounds.ts";
import { importing } from "../../support/imports.ts";
import { pin } from "../../support/upgrading.ts";

const text = (version: string, setting: string, rest: string) => `
export default {
  api: 1, name: "written", version: "${version}", title: "Written", input: "drop", coverage: { users: "full" }, key: "email",
  settings: { "~standard": { version: 1, vendor: "own", validate(value) {
    if (typeof value?.${setting} === "string") return { value };
    return { issues: [{ message: "should be there", path: ["${setting}"] }] };
  } } },
  settingsJsonSchema: { type: "object", properties: { ${setting}: { type: "string" } } },
  async *fetch(context) { yield* context.readDrop(); },
  ${rest}
};`;

const ONE = text("1.0.0", "host", "");
const TWO = text(
  "2.0.0",
  "address",
  `normalize(row, { fields }) {
     const record = Object.fromEntries(fields.flatMap((field, i) => field ? [[field, row.cells[i]]] : []));
     return record.title === "Eng." ? { ...record, title: "Engineer" } : record;
   },
   migrateSettings: ({ value }) => ({ settings: { address: value.host.toLowerCase() } }),
   migrateState: ({ version, value }) => value.loops ? (() => { for (;;); })() : ({ ...value, version }),`,
);

async function withBoth(work: (one: Installed, two: Installed) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "muster-migrate-"));
  try {
    const load = async (name: string, code: string) => {
      await writeFile(join(folder, name), code);
      const limits = { callMs: 2_000 };
      return await loadIsolated(await bundleConnector(`./${name}`, folder), { deno: findDeno()!, limits });
    };
    await work(await load("one.js", ONE), await load("two.js", TWO));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("settings and state are migrated in the child, and one that never ends there costs the state, not the hub", {
  skip: onlyInCheckOnDeno,
}, () =>
  withBoth(async (_, two) => {
    const migrated = await migrateSettings(two, { version: "1.0.0", value: { host: "HR" } });
    assert.deepEqual(migrated, { settings: { address: "hr" }, secrets: {} });
    await assert.rejects(migrateSettings(two, { version: "1.0.0", value: {} }), { code: "connector_failed" });
    const state = (version: string | null, value: unknown) => migrateState(two, { version, value });
    assert.deepEqual(await state("1.0.0", { since: 1 }), { since: 1, version: "1.0.0" });
    assert.deepEqual(await state("2.0.0", { since: 1 }), { since: 1 }, "of the same version");
    assert.equal(await state("2.1.0", { since: 1 }), null, "of a later version");
    assert.equal(await state(null, { since: 1 }), null, "of an unknown one");
    assert.equal(await state("1.0.0", { loops: true }), null);
  }));

test(
  "an upgrade between two versions that run in children shows whom it changes, and changes them with the next input",
  { skip: onlyInCheckOnDeno },
  () =>
    withBoth(async (one, two) => {
      const pinned = new Map([["d1", one], ["d2", two]]);
      const registry: Registry = Object.assign(new Map<string, Installed>([...createRegistry(), ["written", one]]), {
        added: new Set(["written"]),
        pinned,
      });
      await importing(async (world) => {
        await world.connect("hr", { connector: "written", settings: { host: "HR" } });
        await pin(world, "hr");
        const row = (i: number) => `p${i}@acme.test,Ana,Sol,${i === 2 ? "Eng." : "Lead"}\n`;
        const file = `email,first_name,last_name,title\n${[1, 2, 3].map(row).join("")}`;
        await world.import(file, { connection: "hr" });
        const { body } = await world.post("/v1/connections/hr/upgrade", { mode: "plan", to: "2.0.0" });
        await world.carry();
        const shown = (run: { changes: readonly { subject: object; fields: object }[] }) =>
          run.changes.map(({ subject, fields }) => [(subject as { email: string }).email, fields]);
        const expected = [["p2@acme.test", { title: { before: "Eng.", after: "Engineer" } }]];
        assert.deepEqual(shown(await world.run(body.run.id)), expected);
        const applied = await world.post("/v1/connections/hr/upgrade", {
          mode: "apply",
          to: "2.0.0",
          run: body.run.id,
        });
        assert.equal(applied.status, 200, JSON.stringify(applied.body));
        assert.deepEqual(applied.body.settings, { address: "hr" });
        assert.deepEqual(shown(await world.import(file, { connection: "hr" })), expected);
      }, { registry });
    }),
);
