import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { loadRegistry } from "../../src/runtime/third-party.ts";

const GOOD = `export default {
  name: "acme-payroll", version: "2.0.1", title: "Acme payroll", coverage: "full", takesDrops: false,
  settings: { safeParse: (value) => ({ success: true, data: value }) },
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
  assert.deepEqual([...registry.keys()], ["bamboohr", "csv-upload", "rest-import", "sftp-drop"]);
});

test("a connector written by others is there beside them", () =>
  withModules({ "payroll.mjs": GOOD }, async (base, names) => {
    const registry = await loadRegistry(names, base);
    assert.equal(registry.get("acme-payroll")?.title, "Acme payroll");
  }));

test("what is no connector is refused by its name and by what is wrong with it, all at once", () =>
  withModules({
    "empty.mjs": "export const connector = {};",
    "half.mjs": `export default { name: "Half done", version: "1", title: "Half", coverage: "some", takesDrops: true,
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
        /"coverage" should be "full" or "diff"; "settings" should be .*; "fetch" should be a function/,
      );
      assert.match(lines[2]!, /again\.mjs: there is already a connector "csv-upload"/);
      assert.match(lines[3]!, /broken\.mjs: it cannot be loaded \(no licence\)/);
      assert.match(lines[4]!, /absent\.mjs: it cannot be loaded/);
      return true;
    });
  }));
