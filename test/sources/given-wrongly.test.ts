/** What a connector gives that is no record and no result of a check is its own fault, in the same words wherever it runs. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Installed, Registry } from "../../src/hub.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { loadRegistry } from "../../src/runtime/third-party.ts";
import { type Importing, importing } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

/** Gives in place of a record what the row names, and of a check what the settings name. */
const CODE = `
const GIVEN = {
  null: () => null, nothing: () => {}, promise: () => Promise.resolve({}), text: () => "Ana Sol", list: () => ["Ana Sol"],
  number: () => 5, "promise of nothing": () => Promise.resolve(), "promise of null": () => Promise.resolve(null),
  "no detail": () => ({ ok: true, found: {} }), "no ok": () => ({ detail: "All is well", found: {} }),
};
export default {
  api: 1, name: "written", version: "1.0.0", title: "Written", input: "fetch", coverage: { users: "full" }, key: "source_id",
  mapping: { id: "source_id" },
  settings: { "~standard": { version: 1, vendor: "own", validate(value) {
    return value === null || typeof value !== "object" ? { issues: [{ message: "should be an object" }] } : { value };
  } } },
  settingsJsonSchema: { type: "object", properties: { check: { type: "string" } } },
  check: ({ settings }) => GIVEN[settings.check](),
  async *fetch() {
    yield { origin: "all", records: ["null", "nothing", "promise", "text", "list", "number"].map((id) => ({ id })) };
  },
  normalize: ({ cells }) => GIVEN[cells[0]](),
};`;

const NO_RESULT = 'The connector "Written" gave no result of its check';

/** A hub with the connector in its own process, and one with it in a child. */
async function inBoth(work: (world: Importing, where: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "muster-written-"));
  try {
    await writeFile(join(folder, "written.mjs"), CODE);
    const base = pathToFileURL(`${folder}/`).href;
    const own: Installed = (await import(`${base}written.mjs`)).default;
    const registries: [string, Registry][] = [
      ["its own process", new Map([...createRegistry(), ["written", own]])],
      ["a child", await loadRegistry(["./written.mjs"], base)],
    ];
    for (const [where, registry] of registries) {
      await importing(async (world) => {
        await world.connect("hr", { connector: "written", settings: { check: "null" }, schedule: null });
        await work(world, where);
      }, { registry });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a row for which normalize gives nothing, a promise, a text or a list is refused in the same words everywhere", () =>
  inBoth(async ({ sync, hub }, where) => {
    const { issues, counts } = await sync("hr");
    assert.equal(counts.failed, 6, where);
    const gave = ["nothing", "nothing", "a promise", "a text", "a list", "no object"];
    assert.deepEqual(
      issues.map(({ code, message }) => [code, message]),
      gave.map((what) => [
        "connector_row_failed",
        `The connector "Written" could not read this row: it gives ${what} instead of a record`,
      ]),
      where,
    );
    assert.doesNotMatch(JSON.stringify([issues, hub.lines]), /Ana Sol/);
  }));

test("a check that gives null, a promise of nothing, a text, a list or half a result is the connector's fault", {
  skip: onlyInCheckOnDeno,
}, () =>
  inBoth(async ({ ask, set }, where) => {
    for (
      const check of ["null", "nothing", "promise of nothing", "promise of null", "text", "list", "no detail", "no ok"]
    ) {
      await set("hr", { settings: { check } });
      const answer = await (await ask("/v1/connections/hr/check", { method: "POST" })).json();
      assert.deepEqual([answer.ok, answer.code, answer.found], [false, "connector_failed", {}], `${check} in ${where}`);
      assert.equal(answer.detail.replace(/ \(written\.mjs:\d+\)$/, ""), NO_RESULT, `${check} in ${where}`);
    }
  }));
