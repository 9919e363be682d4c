import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { openDatabase } from "../../src/runtime/database.ts";
import { findTokenByHash } from "../../src/store/tokens.ts";
import { hashToken, isTokenText } from "../../src/security/token.ts";
import { withTerminal } from "../support/terminal.ts";

test("--help and --version answer without touching anything", () =>
  withTerminal(async ({ run, env }) => {
    const help = await run("import", "--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /muster import FILE/);
    assert.match((await run("--version")).out, /^\d+\.\d+\.\d+\n$/);
    await assert.rejects(stat(env.MUSTER_DATA_DIR!));
  }));

test("what is no command, or no option of one, is refused by its name", () =>
  withTerminal(async ({ run }) => {
    assert.deepEqual(await run("exprot"), {
      code: 2,
      out: "",
      err: 'There is no command "exprot"; see muster --help\n',
    });
    const option = await run("connectors", "--yaml");
    assert.equal(option.code, 2);
    assert.match(option.err, /--yaml/);
    assert.equal((await run()).code, 2);
  }));

test("a data directory that cannot be made is said, without where in the code", () =>
  withTerminal(async ({ run, env, dir }) => {
    await writeFile(join(dir, "taken"), "");
    env.MUSTER_DATA_DIR = join(dir, "taken");
    const { code, err } = await run("org", "create", "--slug", "acme");
    assert.equal(code, 2);
    assert.match(err, /^The data directory .*taken cannot be made\nBecause: EEXIST/);
    assert.doesNotMatch(err, / at /);
  }));

test("every problem in the settings is said, and nothing is done", () =>
  withTerminal(async ({ run, env }) => {
    Object.assign(env, { PORT: "many", MUSTER_RETAIN_DAYS: "0", MUSTER_DATADIR: "x" });
    const { code, err } = await run("org", "create", "--slug", "acme");
    assert.equal(code, 2);
    assert.match(err, /^MUSTER_DATADIR is not a setting of Muster: did you mean MUSTER_DATA_DIR\?$/m);
    assert.match(err, /^PORT is "many": it should be a whole number from 0 to 65535$/m);
    assert.match(err, /^MUSTER_RETAIN_DAYS is "0": it should be a whole number from 1 to 3650$/m);
    await assert.rejects(stat(env.MUSTER_DATA_DIR!));
  }));

test("connectors are listed by name, version and title", () =>
  withTerminal(async ({ run }) => {
    const { code, out } = await run("connectors");
    assert.equal(code, 0);
    assert.match(
      out,
      /^bamboohr +1\.0\.0 +users full +BambooHR\ncsv-upload +1\.0\.0 +users full, departments full +File upload\nrest-import .* REST import\nscim .* SCIM 2\.0\nsftp-drop .* SFTP drop\n$/,
    );
    const names = JSON.parse((await run("connectors", "--json")).out).map((row: { name: string }) => row.name);
    assert.deepEqual(names, ["bamboohr", "csv-upload", "rest-import", "scim", "sftp-drop"]);
  }));

test("an organization is made once, and its token opens what it says", () =>
  withTerminal(async ({ run, env }) => {
    const made = await run(
      "org",
      "create",
      "--slug",
      "acme",
      "--name",
      "Acme",
      "--timezone",
      "Europe/Berlin",
      "--json",
    );
    assert.equal(made.code, 0, made.err);
    const organization = JSON.parse(made.out);
    assert.match(organization.id, /^org_/);
    assert.equal(organization.timezone, "Europe/Berlin");
    assert.equal((await stat(env.MUSTER_DATA_DIR!)).mode & 0o777, 0o700);

    const again = await run("org", "create", "--slug", "acme", "--name", "Acme");
    assert.equal(again.code, 2);
    assert.match(again.err, /There is already an organization "acme"/);

    const { code, out, err } = await run(
      ...["token", "create", "--scopes", "runs:read,drops:write", "--organization", "acme", "--name", "Nightly"],
    );
    assert.equal(code, 0, err);
    assert.ok(isTokenText(out.trim()));
    const { db } = await openDatabase({ url: `file:${env.MUSTER_DATA_DIR}/muster.db`, authToken: null, role: "alone" });
    const token = (await findTokenByHash(db, hashToken(out.trim())))!;
    db.close();
    assert.deepEqual(token.scopes, ["runs:read", "drops:write"]);
    assert.equal(token.name, "Nightly");
    const days = (token.expiresAt! - Date.now()) / 86_400_000;
    assert.ok(days > 89 && days <= 90);
  }));

test("a token's scopes, organization and expiry are checked before it is made", () =>
  withTerminal(async ({ run }) => {
    assert.match((await run("token", "create")).err, /^--scopes is missing: it should be some of users:read/);
    assert.match((await run("token", "create", "--scopes", "runs:red")).err, /^There is no scope "runs:red"/);
    const far = await run("token", "create", "--scopes", "admin", "--expires-in-days", "4000");
    assert.match(far.err, /^--expires-in-days is "4000": it should be a number from 1 to 3650, or never/);
    const nobody = await run("token", "create", "--scopes", "admin", "--organization", "nobody");
    assert.equal(nobody.code, 2);
    assert.match(nobody.err, /^There is no organization "nobody"/);
  }));

test("audit verify walks the chain of every organization, and fails where it is broken", async () => {
  await withTerminal(async ({ run, env }) => {
    await run("org", "create", "--slug", "acme");
    await run("token", "create", "--scopes", "users:read", "--organization", "acme");
    const whole = await run("audit", "verify");
    assert.equal(whole.code, 0, whole.err);
    assert.match(
      whole.out,
      /^default: 2 entries hold, up to 2:[0-9a-f]{64}\nacme: 2 entries hold, up to 2:[0-9a-f]{64}\n$/,
    );
    const [, known] = /^acme: .* up to (\S+)$/m.exec(whole.out)!;
    assert.equal((await run("audit", "verify", "--organization", "acme", "--known", known!)).code, 0);
    assert.equal((await run("audit", "verify", "--known", known!)).code, 2);

    const database = new DatabaseSync(`${env.MUSTER_DATA_DIR}/muster.db`);
    database.exec("drop trigger audit_entries_stay; update audit_entries set actor_id = 'x' where seq = 2");
    database.close();
    const broken = await run("audit", "verify", "--json");
    assert.equal(broken.code, 2);
    const found = JSON.parse(broken.out) as { organization: string; rows: number; broken: { seq: number } | null }[];
    assert.deepEqual(found.map(({ organization, rows, broken }) => [organization, rows, broken?.seq]), [
      ["default", 1, 2],
      ["acme", 1, 2],
    ]);
  });
});
