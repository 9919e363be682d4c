/** What an author of a connector does at the command line, without a hub. */
import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";
import { startSource } from "../support/source.ts";
import { withTerminal } from "../support/terminal.ts";

const PAGED = fileURLToPath(new URL("../support/source.ts", import.meta.url));

test(
  "a connector is checked, and all that is wrong with one is shown",
  { skip: onlyInCheckOnDeno },
  () =>
    withTerminal(async ({ run, dir }) => {
      const good = await run("connector", "check", PAGED);
      assert.equal(good.code, 0, good.err);
      assert.match(good.out, /^name +paged$/m);
      await writeFile(join(dir, "connector.ts"), `export default { api: 1, name: "Bad Name", version: "1" };\n`);
      const bad = await run("connector", "check", dir);
      assert.equal(bad.code, 2);
      assert.match(bad.err, /"name" should be.*"version" should be.*"fetch" should be/);
      await mkdir(join(dir, "empty"));
      assert.match((await run("connector", "check", join(dir, "empty"))).err, /should have a file connector.ts/);
    }),
);

test("a new connector is not made over what is there, nor with a name that no hub takes", () =>
  withTerminal(async ({ run, dir }) => {
    for (const name of ["Acme", "acme_people", "a".repeat(65)]) {
      const refused = await run("connector", "new", join(dir, name));
      assert.equal(refused.code, 2);
      assert.match(refused.err, /should be lower-case words joined by "-"/);
    }
    await mkdir(join(dir, "acme"));
    await writeFile(join(dir, "acme", "notes.txt"), "mine");
    assert.match((await run("connector", "new", join(dir, "acme"))).err, /not empty: name another folder/);
    assert.deepEqual(await readdir(join(dir, "acme")), ["notes.txt"]);
  }));

test(
  "the tests of its folder decide about a check",
  { skip: onlyInCheckOnDeno },
  () =>
    withTerminal(async ({ run, env, dir }) => {
      env.PATH = process.env.PATH ?? "";
      await writeFile(join(dir, "connector.ts"), `export { default } from ${JSON.stringify(PAGED)};\n`);
      for (const [code, words] of [[0, /Its tests pass/], [2, /Its tests fail/]] as const) {
        await writeFile(join(dir, "package.json"), JSON.stringify({ scripts: { test: `exit ${code}` } }));
        const checked = await run("connector", "check", dir);
        assert.equal(checked.code, code, checked.err);
        assert.match(checked.out, words);
      }
    }),
);

test(
  "a dry run prints people and issues, and makes no data directory",
  { skip: onlyInCheckOnDeno },
  () =>
    withTerminal(async ({ run, env }) => {
      const source = await startSource([
        { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" },
        { id: "2", mail: "no address", first: "Bo", last: "Lund" },
      ]);
      try {
        env.MUSTER_SECRET_API_KEY = source.key;
        const settings = JSON.stringify({ host: source.host });
        const args = ["connector", "run", PAGED, "--dry-run", "--settings", settings];
        const refused = await run(...args);
        assert.equal(refused.code, 2);
        assert.match(refused.out, /MUSTER_ALLOW_HOSTS|private network|http:\/\//);
        const { code, out, err } = await run(...args, "--allow-host", "127.0.0.1");
        assert.equal(code, 1, out + err);
        assert.match(out, /^create user .*ana@acme\.test/m);
        assert.match(out, /email_invalid/);
        assert.ok(!out.includes(source.key));
        const json = await run(...args, "--allow-host", "127.0.0.1", "--json", "--limit", "1");
        assert.equal(JSON.parse(json.out).counts.read, 1);
        await assert.rejects(stat(env.MUSTER_DATA_DIR!));
      } finally {
        await source.close();
      }
    }),
);

test(
  "a connector that takes files is tried with one",
  { skip: onlyInCheckOnDeno },
  () =>
    withTerminal(async ({ run, dir }) => {
      const connector = join(dir, "files.ts"), file = join(dir, "people.csv");
      await writeFile(
        connector,
        `export default { api: 1, name: "files", version: "1.0.0", title: "Files", input: "drop", coverage: { users: "full" },
          settings: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value: value ?? {} }) } },
          settingsJsonSchema: { type: "object" }, fetch: (context) => context.readDrop() };`,
      );
      await writeFile(file, "employee_id,email,first_name,last_name\n1,ana@acme.test,Ana,Sol\n2,no address,Bo,Lund\n");
      const { code, out, err } = await run("connector", "run", connector, "--dry-run", "--file", file);
      assert.equal(code, 1, out + err);
      assert.match(out, /^create user +1 +.*ana@acme\.test/m);
      assert.match(out, /email_invalid +3 /);
      assert.match(out, /^2 read, 1 would be created, 1 refused$/m);
      const args = ["connector", "run", connector, "--dry-run"];
      assert.match((await run(...args)).err, /takes files: name one with --file/);
      assert.match((await run(...args, "--file", join(dir, "none.csv"))).err, /Cannot read .*none\.csv/);
      assert.match((await run(...args, "--file", file, "--limit", "1")).err, /a file is read whole/);
      assert.match(
        (await run("connector", "run", PAGED, "--dry-run", "--file", file)).err,
        /fetches, and takes no --file/,
      );
      assert.match((await run("connector", "record", connector)).err, /takes files: there is no source to record/);
    }),
);

test(
  "options that do not fit are refused by their names",
  { skip: onlyInCheck },
  () =>
    withTerminal(async ({ run }) => {
      assert.match((await run("connector", "run", PAGED)).err, /add --dry-run/);
      assert.match((await run("connector", "run", PAGED, "--dry-run", "--settings", "{")).err, /--settings is no JSON/);
      assert.match((await run("connector", "run", PAGED, "--dry-run", "--entity", "x")).err, /users or departments/);
      const { err } = await run("connector", "run", PAGED, "--dry-run", "--secret", "the-very-value");
      assert.match(err, /it has api_key, client_secret/);
      assert.ok(!err.includes("the-very-value"));
    }),
);
