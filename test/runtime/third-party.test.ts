import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";
import { loadRegistry } from "../../src/runtime/third-party.ts";

const GOOD = `export default {
  name: "acme-payroll", version: "2.0.1", title: "Acme payroll", api: 1, coverage: { users: "full" }, input: "fetch",
  settings: { "~standard": { version: 1, vendor: "none", validate: (value) => ({ value: value ?? {} }) } },
  settingsJsonSchema: { type: "object" },
  async *fetch() {}, normalize: () => ({}),
};`;

async function withModules(
  modules: Record<string, string>,
  work: (base: string, names: string[]) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  try {
    for (const [name, code] of Object.entries(modules)) await writeFile(join(dir, name), code);
    await work(pathToFileURL(`${dir}/`).href, Object.keys(modules).map((name) => `./${name}`));
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("Muster's own connectors are there without being named", async () => {
  const registry = await loadRegistry([], "file:///");
  assert.deepEqual([...registry.keys()], ["bamboohr", "csv-upload", "rest-import", "scim", "sftp-drop"]);
});

test("a connector written by others is there beside them", () =>
  withModules({ "payroll.mjs": GOOD }, async (base, names) => {
    const registry = await loadRegistry(names, base);
    assert.equal(registry.get("acme-payroll")?.title, "Acme payroll");
  }));

test("what is no connector is refused by its name and by what is wrong with it, all at once", () =>
  withModules({
    "empty.mjs": "export const connector = {};",
    "half.mjs":
      `export default { name: "Half done", version: "1", title: "Half", api: 1, coverage: { users: "some" }, input: "drop",
      settings: {}, normalize() {} };`,
    "again.mjs": GOOD.replace("acme-payroll", "csv-upload"),
    "broken.mjs": "throw new Error('no licence');",
  }, async (base, names) => {
    await assert.rejects(loadRegistry([...names, "./absent.mjs"], base), (error: Error) => {
      const lines = error.message.split("\n");
      assert.equal(lines.length, 5);
      assert.equal(
        lines[0],
        "Cannot use the connector ./empty.mjs: its default export should be what defineConnector gives",
      );
      assert.match(
        lines[1]!,
        /half\.mjs: "name" should be lower-case words joined by "-"; "version" should be a version/,
      );
      assert.match(
        lines[1]!,
        /"coverage" should be like .*; "fetch" should be a function; "settings" should be a schema/,
      );
      assert.match(lines[2]!, /again\.mjs: there is already a connector "csv-upload"/);
      assert.match(lines[3]!, /broken\.mjs: The connector did not catch Error \(broken\.mjs:1\)/);
      assert.match(lines[4]!, /absent\.mjs: Could not resolve "\.\/absent\.mjs"/);
      return true;
    });
  }));

/** The good connector with some of it replaced. */
const like = (more: string) => GOOD.replace("};", `${more} };`);
const STANDARD = (validate: string) =>
  like(`settings: { "~standard": { version: 1, vendor: "none", validate: ${validate} } },`);

/** What is wrong with each module, by its name; a module that is right is absent. */
async function refusals(modules: Record<string, string>): Promise<Record<string, string>> {
  let message = "";
  await withModules(
    modules,
    (base, names) => loadRegistry(names, base).then(() => {}, (error) => void (message = error.message)),
  );
  return Object.fromEntries(
    message.split("\n").filter((line) => line !== "").map((line) => {
      const [, name, why] = /^Cannot use the connector \.\/([\w-]+)\.mjs: (.*)$/.exec(line)!;
      return [name, why];
    }),
  );
}

test("a connector that would fail for its users later is refused when it is loaded, with the reason", {
  skip: onlyInCheck,
}, async () => {
  const secret = `secrets: { api_key: { title: "Key" } }, authKinds: ["bearer"],`;
  const found = await refusals({
    "v0.mjs": like("api: 0,"),
    "schema.mjs": like("settings: { safeParse: () => ({ success: true }) },"),
    "throws.mjs": STANDARD("() => { throw new TypeError('Ana') }"),
    "late.mjs": STANDARD("async (value) => ({ value })"),
    "silent.mjs": STANDARD("() => 5"),
    "text.mjs": STANDARD("() => ({ value: 'text' })"),
    "unnamed.mjs": like("settingsJsonSchema: undefined,"),
    "list.mjs": like(`settingsJsonSchema: { type: "array" },`),
    "secret.mjs": like(`${secret} auth: () => ({ kind: "bearer", token: { secret: "apikey" } }),`),
    "magic.mjs": like(`authKinds: ["magic"],`),
    "wand.mjs": like(`auth: () => ({ kind: "wand" }),`),
    "hosts.mjs": like(`hosts: () => { throw new Error("Ana") },`),
    "field.mjs": like(`mapping: { id: "source_id", shoe: "shoe_size", none: null },`),
    "entity.mjs": like(`coverage: { groups: "full" },`),
  });
  assert.match(found.v0!, /^"api" should be 1,/);
  assert.match(found.schema!, /^"settings" should be a schema of a library that implements Standard Schema/);
  assert.equal(found.throws, 'The connector "Acme payroll" threw TypeError in "settings" (throws.mjs:6)');
  assert.match(found.late!, /gives a promise; it should validate at once/);
  assert.match(found.silent!, /gives no result/);
  assert.match(found.text!, /gives settings that are no object/);
  assert.match(found.unnamed!, /has no JSON Schema; give one as settingsJsonSchema/);
  assert.match(found.list!, /should describe an object/);
  assert.match(found.secret!, /"auth" names the secret "apikey", which is not among its "secrets"/);
  assert.match(found.magic!, /"authKinds" should be a list of some of none, basic/);
  assert.match(found.wand!, /"auth" gives the kind "wand"/);
  assert.match(found.hosts!, /The connector "Acme payroll" threw Error in "hosts" \(hosts\.mjs:/);
  assert.equal(found.field, '"mapping.shoe" should be a field of the hub or null, and is "shoe_size"');
  assert.match(found.entity!, /"coverage" should be like/);
  assert.doesNotMatch(JSON.stringify(found), /Ana/, "what a connector throws may quote a person");
});

test("a schema of any library is as good as one of ours, with its JSON Schema from the library or the connector", () =>
  withModules({
    "own.mjs": GOOD,
    "standard.mjs": GOOD.replace("acme-payroll", "acme-wages").replace('settingsJsonSchema: { type: "object" },', "")
      .replace("vendor:", 'jsonSchema: { input: () => ({ type: "object", properties: {} }) }, vendor:'),
    "bare.mjs": GOOD.replace("acme-payroll", "acme-bare").replace("normalize: () => ({}),", ""),
  }, async (base, names) => {
    const registry = await loadRegistry(names, base);
    assert.deepEqual([...registry.added!], ["acme-payroll", "acme-wages", "acme-bare"]);
  }));

test("a module that never ends loading, or that exits, is refused by its name within its limit", {
  skip: onlyInCheckOnDeno,
}, () =>
  withModules({
    "endless.mjs": "for (;;);",
    "waits.mjs": `await new Promise((resolve) => setInterval(resolve, 1e9)); ${GOOD}`,
    "exits.mjs": `Deno.exit(0); ${GOOD}`,
  }, async (base, names) => {
    await assert.rejects(loadRegistry(names, base, { limits: { loadMs: 1_500 } }), ({ message }: Error) => {
      const lines = message.split("\n");
      assert.equal(lines.length, 3, message);
      for (const [i, name] of names.entries()) assert.ok(lines[i]!.startsWith(`Cannot use the connector ${name}: `));
      return true;
    });
  }));
