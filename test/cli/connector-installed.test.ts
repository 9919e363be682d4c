/** Connectors that the operator adds to the data directory: shown, kept, listed, used, missed and removed. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";
import { packed } from "../support/packed.ts";
import { type TestTerminal, withTerminal } from "../support/terminal.ts";

/** As a stranger ships it. `more` replaces some of it. */
const connector = (version: string, more = "") => `
const { title } = { title: "Acme payroll" };
export default {
  api: 1, name: "acme-payroll", version: "${version}", title, input: "fetch", coverage: { users: "full" },
  settings: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value: value ?? {} }) } },
  settingsJsonSchema: { type: "object" },
  secrets: { key: { title: "API key" } }, auth: () => ({ kind: "bearer", token: { secret: "key" } }),
  hosts: () => ["api.example.com"], homepage: "https://example.com/payroll",
  notes: [{ field: "title", text: "Left out where the key may not see it" }, { text: "Ask for a key\\u001b[2J first" }],
  async *fetch() {}, ${more}
};`;

async function fileOf({ dir }: TestTerminal, name: string, code: string): Promise<string> {
  const path = join(dir, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, code);
  return path;
}

const answering = (answers: (string | null)[]) => ({ ask: () => Promise.resolve(answers.shift() ?? null) });

test("a connector is shown and asked about before it is added, and kept for its owner only", {
  skip: onlyInCheckOnDeno,
}, () =>
  withTerminal(async (terminal) => {
    const { run, runWith, env } = terminal;
    const file = await fileOf(terminal, "payroll.mjs", connector("1.0.0"));
    const unasked = await run("connector", "add", file);
    assert.deepEqual([unasked.code, unasked.err], [
      2,
      "Nobody can be asked here: look at what is shown, and give --yes\n",
    ]);
    for (
      const shown of [
        'Acme payroll: "acme-payroll" 1.0.0, from payroll.mjs',
        "hosts    api.example.com",
        "secrets  key (API key)",
        "note     title: Left out",
        "homepage https://example.com/payroll",
      ]
    ) assert.ok(unasked.out.includes(shown), unasked.out);
    assert.ok(!unasked.out.includes("\u001b"), "a note cannot move the cursor");
    const refused = await runWith(answering(["no"]), "connector", "add", file);
    assert.deepEqual([refused.code, refused.err], [2, "Nothing was added\n"]);
    assert.equal((await run("connector", "list")).out, "No connectors have been added\n");

    const added = await runWith(answering(["yes"]), "connector", "add", file);
    assert.equal(added.code, 0, added.err);
    assert.match(added.out, /^Added "acme-payroll" 1\.0\.0\. A hub that runs has it after a restart$/m);
    const folder = join(env.MUSTER_DATA_DIR!, "connectors", "acme-payroll", "1.0.0");
    assert.deepEqual((await readdir(folder)).sort(), ["connector.js", "connector.js.map", "manifest.json"]);
    assert.deepEqual(await readdir(join(env.MUSTER_DATA_DIR!, "connectors")), ["acme-payroll"]);
    if (process.platform !== "win32") {
      assert.equal((await stat(folder)).mode & 0o077, 0);
      assert.equal((await stat(join(folder, "connector.js"))).mode & 0o077, 0);
    }
    assert.ok(
      !(await readFile(join(folder, "manifest.json"), "utf8")).includes(terminal.dir),
      "no path of the machine",
    );

    const again = await run("connector", "add", file);
    assert.deepEqual([again.code, again.err], [0, ""]);
    assert.match(again.out, /is there already, with the same code: nothing was changed/);
    await writeFile(file, connector("1.0.0", "normalize: () => ({})"));
    const other = await run("connector", "add", file, "--yes");
    assert.equal(other.code, 2);
    assert.match(other.err, /this version is there with other code; raise the version/);
    assert.match((await run("connectors")).out, /^acme-payroll +1\.0\.0 +users full/m);
  }));

test(
  "a packed package, its folder and the installed package are the same connector",
  { skip: onlyInCheck },
  () =>
    withTerminal(async (terminal) => {
      const { run, runAt, dir } = terminal;
      const manifest = (more: object) => JSON.stringify({ name: "@acme/payroll", version: "2.1.0", ...more });
      const files = { "package.json": manifest({ exports: "./src/main.ts" }), "src/main.ts": connector("2.1.0") };
      await writeFile(join(dir, "payroll.tgz"), packed(files));
      for (const [name, code] of Object.entries(files)) {
        await fileOf(terminal, `folder/${name}`, code);
        await fileOf(terminal, `app/node_modules/@acme/payroll/${name}`, code);
      }
      const first = await run("connector", "add", join(dir, "payroll.tgz"), "--yes");
      assert.equal(first.code, 0, first.err);
      assert.match(first.out, /from @acme\/payroll@2\.1\.0/);
      assert.match((await run("connector", "add", join(dir, "folder"))).out, /with the same code/);
      assert.match(
        (await runAt(join(dir, "app"), "connector", "add", "@acme/payroll@2.1.0")).out,
        /with the same code/,
      );

      const wrong = await runAt(join(dir, "app"), "connector", "add", "@acme/payroll@2.2.0");
      assert.match(wrong.err, /installed here is @acme\/payroll@2\.1\.0, not @acme\/payroll@2\.2\.0/);
      assert.match((await runAt(join(dir, "app"), "connector", "add", "@acme/payroll")).err, /Name the version, too/);
      assert.match(
        (await run("connector", "add", "@acme/other@1.0.0")).err,
        /Muster fetches nothing: install the package/,
      );
      assert.match(
        (await run("connector", "add", "https://example.com/x.tgz")).err,
        /Muster fetches nothing: download/,
      );

      const thiefs = { "package.json": manifest({ name: "thief", main: "main.ts" }), "main.ts": connector("2.2.0") };
      await writeFile(join(dir, "thief.tgz"), packed(thiefs));
      const thief = await run("connector", "add", join(dir, "thief.tgz"), "--yes");
      assert.match(thief.err, /is from another package, @acme\/payroll@2\.1\.0; remove that first/);
    }),
);

test("a package cannot bring what is outside of its folder, and has to bring what it imports", () =>
  withTerminal(async (terminal) => {
    const { run, dir } = terminal;
    const secret = await fileOf(terminal, "secret.json", `{"key":"of the operator"}`);
    const pack = async (code: string) => {
      const manifest = JSON.stringify({ name: "acme", version: "1.0.0", main: "main.js" });
      await writeFile(join(dir, "acme.tgz"), packed({ "package.json": manifest, "main.js": code }));
      return await run("connector", "add", join(dir, "acme.tgz"), "--yes");
    };
    const taken = await pack(`import all from ${JSON.stringify(secret)}; ${connector("1.0.0", "key: all,")}`);
    assert.equal(taken.code, 2);
    assert.match(taken.err, /it imports ".*secret\.json", which is outside of its folder/);
    const lacking = await pack(`import "no-such-library"; ${connector("1.0.0")}`);
    assert.match(lacking.err, /Could not resolve "no-such-library" \(main\.js:1\)\nA packed package has to bring all/);
  }));

test("a name of Muster's own or of MUSTER_CONNECTORS, and what is no connector, are refused in words", {
  skip: onlyInCheck,
}, () =>
  withTerminal(async (terminal) => {
    const { run, env } = terminal;
    const named = (name: string) => connector("1.0.0", `name: "${name}",`);
    const refused = async (code: string) => {
      const { code: exit, err } = await run("connector", "add", await fileOf(terminal, "a.mjs", code), "--yes");
      assert.equal(exit, 2);
      return err;
    };
    assert.match(await refused(named("csv-upload")), /Muster has a connector of its own with this name/);
    assert.match(
      await refused("export const a = 1;"),
      /a\.mjs: its default export should be what defineConnector gives/,
    );
    assert.match(await refused(connector("1.0.0/../..")), /"version" should be a version like "1\.0\.0"/);
    assert.match(await refused(connector("1.0.0", "homepage: 'javascript:x',")), /"homepage" should be an address/);
    assert.match(
      await refused(connector("1.0.0", "notes: [{ field: 'shoe', text: 'x' }],")),
      /"notes" should be a list/,
    );
    assert.match(await refused("export default {"), /a\.mjs:1/);
    env.MUSTER_CONNECTORS = await fileOf(terminal, "dev.mjs", connector("1.0.0"));
    assert.match(await refused(connector("1.1.0")), /MUSTER_CONNECTORS names a connector with this name/);
  }));

test("connections are pinned to the version that was newest; removing it is refused while they are", () =>
  withTerminal(async (terminal) => {
    const { run, env } = terminal;
    const add = async (version: string) =>
      assert.equal(
        (await run("connector", "add", await fileOf(terminal, "p.mjs", connector(version)), "--yes")).code,
        0,
      );
    await add("1.9.0");
    await add("1.10.0");
    const { pinned, newest, versions } = await terminal.withHub(async ({ registry, db }) => {
      const { pinOf } = await import("../../src/hub.ts");
      const { createConnection } = await import("../../src/store/connections/connections.ts");
      const newest = registry.get("acme-payroll")!;
      const common = { connector: "acme-payroll", preset: null, settings: {}, key: null, mapping: {} } as const;
      const pinned = await createConnection(
        db,
        1,
        { ...common, ...pinOf(registry, newest), slug: "payroll", name: "Payroll", policy: {}, limits: {} },
        Date.now(),
      );
      return { pinned, newest: newest.version, versions: [...registry.pinned!.values()].map(({ version }) => version) };
    });
    assert.deepEqual([pinned.connectorVersion, newest, versions], ["1.10.0", "1.10.0", ["1.9.0", "1.10.0"]]);
    const rows = JSON.parse((await run("connector", "list", "--json")).out);
    assert.deepEqual(
      rows.map((row: Record<string, unknown>) => [row.version, row.from, row.connections, row.organizations]),
      [["1.9.0", "p.mjs", 0, 0], ["1.10.0", "p.mjs", 1, 1]],
    );
    const refused = await run("connector", "remove", "acme-payroll");
    assert.deepEqual([refused.code, refused.out], [2, ""]);
    assert.match(refused.err, /"acme-payroll" is used by default\/payroll\. With --force/);
    assert.match((await run("connector", "remove", "acme-payroll@1.9.0")).out, /Removed "acme-payroll" 1\.9\.0/);
    const forced = await run("connector", "remove", "acme-payroll", "--force");
    assert.deepEqual([forced.code, forced.err], [0, "In error from the hub's next start on: default/payroll\n"]);
    assert.deepEqual(await readdir(join(env.MUSTER_DATA_DIR!, "connectors")), []);
    assert.equal((await run("connector", "remove", "acme-payroll")).code, 2);
  }));

test(
  "a folder whose code was altered is refused by name, and spoils no other",
  { skip: onlyInCheck },
  () =>
    withTerminal(async (terminal) => {
      const { run, env } = terminal;
      for (const version of ["1.0.0", "1.1.0"]) {
        await run("connector", "add", await fileOf(terminal, "p.mjs", connector(version)), "--yes");
      }
      const code = join(env.MUSTER_DATA_DIR!, "connectors", "acme-payroll", "1.1.0", "connector.js");
      await writeFile(code, `${await readFile(code, "utf8")}\n// altered`);
      const { out } = await run("connector", "list");
      assert.match(out, /^acme-payroll +1\.1\.0 .* cannot be used: its connector\.js is not what was added/m);
      assert.match((await run("connectors")).out, /^acme-payroll +1\.0\.0/m);
      const again = await run("connector", "add", await fileOf(terminal, "p.mjs", connector("1.1.0")), "--yes");
      assert.match(again.err, /cannot be used; first: muster connector remove acme-payroll@1\.1\.0/);
      assert.equal((await run("connector", "remove", "acme-payroll@1.1.0")).code, 0);
    }),
);
