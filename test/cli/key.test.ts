import assert from "node:assert/strict";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { createMasterKeyText, masterKeyId } from "../../src/security/secrets.ts";
import { withTerminal } from "../support/terminal.ts";

const ORG = ["org", "create", "--slug"] as const;

test("a first start makes a master key that its owner alone can read, and later ones use it", () =>
  withTerminal(async ({ env, run }) => {
    const file = join(env.MUSTER_DATA_DIR!, "master-key");
    assert.equal((await run(...ORG, "acme")).code, 0);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const text = await readFile(file, "utf8");
    assert.equal((await run(...ORG, "other")).code, 0);
    assert.equal(await readFile(file, "utf8"), text);
  }));

test("first starts at once end up with one key", () =>
  withTerminal(async ({ run }) => {
    const ends = await Promise.all([1, 2, 3].map((i) => run(...ORG, `acme${i}`)));
    assert.deepEqual(ends.map(({ code, err }) => [code, err]), ends.map(() => [0, ""]));
  }));

test("a start with another key is refused by name, and so is one without the file", () =>
  withTerminal(async ({ env, run }) => {
    const [ours, other] = [createMasterKeyText(), createMasterKeyText()];
    env.MUSTER_MASTER_KEY = ours;
    assert.equal((await run(...ORG, "acme")).code, 0);
    env.MUSTER_MASTER_KEY = other;
    const refused = await run(...ORG, "other");
    assert.equal(refused.code, 2);
    assert.match(
      refused.err,
      new RegExp(
        `^MUSTER_MASTER_KEY is the key "${await masterKeyId(other)}": it should be ` +
          `the key "${await masterKeyId(ours)}"`,
      ),
    );
    assert.doesNotMatch(refused.err, new RegExp(`${ours}|${other}`));
    delete env.MUSTER_MASTER_KEY;
    const absent = await run(...ORG, "other");
    assert.match(absent.err, /^The file \S+master-key is missing: it should contain the master key/);
    await assert.rejects(stat(join(env.MUSTER_DATA_DIR!, "master-key")));
    await writeFile(join(env.MUSTER_DATA_DIR!, "master-key"), "not a key\n");
    assert.match(
      (await run(...ORG, "other")).err,
      /^The file \S+master-key contains no master key: it should be 32 bytes/,
    );
  }));

test("a rotation puts another key in the file's first place, and one that was killed goes on", () =>
  withTerminal(async ({ env, run }) => {
    const file = join(env.MUSTER_DATA_DIR!, "master-key");
    await run(...ORG, "acme");
    const [first] = (await readFile(file, "utf8")).split("\n");
    const rotated = await run("key", "rotate");
    assert.equal(rotated.code, 0, rotated.err);
    const [second, earlier] = (await readFile(file, "utf8")).split("\n");
    assert.notEqual(second, first);
    assert.equal(earlier, first);
    assert.match(rotated.out, new RegExp(`"${await masterKeyId(second!)}" now`));

    // Killed when the file had the new key and the database did not yet.
    const third = createMasterKeyText();
    await writeFile(file, `${third}\n${second}\n`);
    assert.equal((await run("key", "rotate")).code, 0);
    assert.deepEqual((await readFile(file, "utf8")).trim().split("\n"), [third, second]);
    assert.equal((await run(...ORG, "other")).code, 0);
    await rm(file);
    await mkdir(file);
    assert.equal((await run(...ORG, "third")).code, 2);
  }));

test("a key from the environment gives way to another one that comes with it", () =>
  withTerminal(async ({ env, run }) => {
    const [ours, other] = [createMasterKeyText(), createMasterKeyText()];
    env.MUSTER_MASTER_KEY = ours;
    await run(...ORG, "acme");
    assert.match((await run("key", "rotate")).err, /^MUSTER_MASTER_KEY_PREVIOUS is not set/);
    Object.assign(env, { MUSTER_MASTER_KEY: other, MUSTER_MASTER_KEY_PREVIOUS: ours });
    assert.equal((await run("key", "rotate")).code, 0);
    delete env.MUSTER_MASTER_KEY_PREVIOUS;
    assert.equal((await run(...ORG, "second")).code, 0);
    env.MUSTER_MASTER_KEY = ours;
    assert.equal((await run(...ORG, "third")).code, 2);
  }));
