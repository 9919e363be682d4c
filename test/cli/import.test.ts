import assert from "node:assert/strict";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { decrypt, readMessage, readPrivateKey } from "openpgp";
import { HUB } from "../../src/model/audit.ts";
import { createKeyPair } from "../../src/security/pgp.ts";
import { findConnectionOf } from "../../src/store/connections/connections.ts";
import { findOrganizationNamed } from "../../src/store/organizations.ts";
import { createPgpKey, retirePgpKey } from "../../src/store/connections/pgp-keys.ts";
import { drawProgress } from "../../src/cli/progress.ts";
import { withTerminal } from "../support/terminal.ts";
import { readAll, textRow, workbookOf } from "../support/workbook-parts.ts";

const HEADER = "employee_id,email,first_name,last_name\n";
const person = (n: number, email = `person${n}@example.com`) => `${n},${email},Person,Number${n}\n`;
const people = (count: number) => Array.from({ length: count }, (_, i) => person(1001 + i)).join("");

test("a good file is imported, and the same people again are unchanged", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, HEADER + people(20));
    const first = await run("import", file);
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^Imported people\.csv \(run_\w{11}\)\n20 rows read: 20 created$/m);
    assert.match(first.err, /^Storing the file$/m);
    await assert.rejects(stat(`${file}.failures.csv`));

    await writeFile(file, HEADER + people(20).split("\n").reverse().filter((line) => line !== "").join("\n") + "\n");
    const second = await run("import", file);
    assert.equal(second.code, 0, second.err);
    assert.match(second.out, /20 rows read: 20 unchanged/);
  }));

test("rows in error come back beside the file, and can be corrected there and imported", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    const report = `${file}.failures.csv`;
    await writeFile(file, HEADER + people(3) + person(1004, "ana@"));
    const first = await run("import", file);
    assert.equal(first.code, 1, first.err);
    assert.match(first.out, /4 rows read: 3 created, 1 failed/);
    assert.ok(first.out.includes(`What to correct is in ${report}`), first.out);
    const text = await readFile(report, "utf8");
    assert.match(text, /^\ufeffemployee_id,email,first_name,last_name,_severity,/);
    assert.match(text, /1004,ana@,Person,Number1004,error,email_invalid,email,/);

    const corrected = join(dir, "corrected.csv");
    await writeFile(report, text.replace("ana@,", "ana@example.com,"));
    await rename(report, corrected);
    const second = await run("import", corrected, "--json");
    assert.equal(second.code, 0, second.err);
    const view = JSON.parse(second.out);
    assert.equal(view.counts.created, 1);
    assert.equal(view.coverage, "diff");
  }));

test("a workbook's report is a workbook; what is wrong with the whole file is printed", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.xlsx"), header = ["employee_id", "email", "first_name", "last_name", "shoe"];
    const sheets = { Staff: textRow(...header) + textRow("1", "ana@", "Ana", "Silva", "38") };
    await writeFile(file, workbookOf({ sheets }));
    const { code, out } = await run("import", file);
    assert.equal(code, 2, out);
    assert.match(out, /^Warning: Unknown header "shoe": its column is not processed\. Remove the column/m);
    assert.ok(out.includes(`What to correct is in ${file}.failures.xlsx`), out);
    assert.equal(readAll(await readFile(`${file}.failures.xlsx`))[1]![2], "ana@");
    const plain = join(dir, "plain.csv");
    await writeFile(plain, "employee_id,email,first_name,last_name,shoe\n2,bo@example.com,Bo,Berg,40\n");
    const warned = await run("import", plain);
    assert.equal(warned.code, 0, warned.out);
    assert.match(warned.out, /^Warning: Unknown header "shoe"/m);
    await assert.rejects(stat(`${plain}.failures.csv`), "there is no row to correct");
  }));

test("--dry-run plans and applies nothing", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, HEADER + people(5));
    const planned = await run("import", file, "--dry-run");
    assert.equal(planned.code, 0, planned.err);
    assert.match(planned.out, /^Planned people\.csv; nothing is applied/m);
    assert.match(planned.out, /5 rows read: 5 created/);
    assert.match(planned.out, /approve with \{"plan_hash": "\w+"\}/);
    const applied = await run("import", file, "--json");
    assert.equal(JSON.parse(applied.out).counts.created, 5, "nobody was there before");
  }));

test("the report of a connection that uses PGP is written encrypted for the customer, or not at all", () =>
  withTerminal(async ({ run, dir, withHub }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, HEADER + people(1) + person(1002, "ana@"));
    const { privateKey, ...facts } = await createKeyPair("ecc", "HR", Date.now());
    const key = await withHub(async ({ db, now }) => {
      const { id } = (await findOrganizationNamed(db, "default"))!;
      const connection = (await findConnectionOf(db, id, "csv-upload"))!;
      return await createPgpKey(db, connection, { id: 1, owner: "customer", privateKey: null, ...facts }, now(), HUB);
    });
    const first = await run("import", file);
    assert.ok(first.out.includes(`What to correct is in ${file}.failures.csv.pgp: decrypt it`), first.out);
    const { data } = await decrypt({
      message: await readMessage({ binaryMessage: await readFile(`${file}.failures.csv.pgp`) }),
      decryptionKeys: await readPrivateKey({ armoredKey: privateKey }),
    });
    assert.match(data as string, /1002,ana@,/);
    await assert.rejects(stat(`${file}.failures.csv`));
    await withHub(({ db, now }) => retirePgpKey(db, key as Exclude<typeof key, string | null>, now(), HUB));
    await writeFile(file, HEADER + people(1) + person(1003, "bo@"));
    const second = await run("import", file);
    assert.match(second.out, /^What to correct is in \/v1\/runs\/run_\w{11}\/failures\.csv of the hub/m);
    await assert.rejects(stat(`${file}.failures.csv`));
  }));

test("a plan that looks like an accident is held, and the guard is named", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, "employee_id,email,first_name,last_name,is_active\n" + people(40).replaceAll("\n", ",yes\n"));
    assert.equal((await run("import", file)).code, 0);
    await writeFile(file, "employee_id,email,first_name,last_name,is_active\n" + people(40).replaceAll("\n", ",no\n"));
    const { code, out } = await run("import", file);
    assert.equal(code, 3, out);
    assert.match(out, /^Held people\.csv; nothing is applied/m);
    assert.match(out, /^The guard "deactivate" counts 40: at most \d+ of 40$/m);
    const [, held] = /\/v1\/runs\/(run_\w{11})\/approve/.exec(out)!;
    // Another file waits behind it, and does not take its place.
    const other = join(dir, "other.csv");
    await writeFile(other, HEADER + person(9001, "nia@acme.test") + person(9002, "ola@acme.test"));
    const waiting = await run("import", other);
    assert.equal(waiting.code, 3, waiting.out);
    assert.ok(waiting.out.includes(held!), waiting.out);
  }));

test("a file that cannot be read fails as a whole, with its reason", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, "first_name,last_name\nAna,Silva\n");
    const { code, out } = await run("import", file);
    assert.equal(code, 2, out);
    assert.match(out, /^Cannot import people\.csv: /m);
    assert.doesNotMatch(out, /What to correct/, "there are no rows to correct");
    await assert.rejects(stat(`${file}.failures.csv`));
    const absent = await run("import", join(dir, "absent.csv"));
    assert.equal(absent.code, 2);
    assert.match(absent.err, /^Cannot read .*absent\.csv\nBecause: /);
    assert.match((await run("import")).err, /^FILE is missing/);
    assert.match(
      (await run("import", file, "--preset", "oracle")).err,
      /^--preset is "oracle": it should be one of custom/,
    );
    assert.match((await run("import", file, "--connection", "hr")).err, /^There is no connection "hr"/);
  }));

test("a report that cannot be written is said after what the run came to", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, HEADER + people(1) + person(1002, "ana@"));
    await mkdir(`${file}.failures.csv`);
    const { code, out, err } = await run("import", file);
    assert.equal(code, 2);
    assert.match(out, /^2 rows read: 1 created, 1 failed$/m);
    assert.match(
      err,
      /^Cannot write .*people\.csv\.failures\.csv; the hub has it as \/v1\/runs\/run_\w{11}\/failures\.csv$/m,
    );
    await assert.rejects(stat(`${file}.failures.csv.part`));
  }));

test("--preset makes a connection of its own at its first use", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, "unique_id,first_name,last_name\nu-1,Ana,Silva\n");
    const { code, out, err } = await run("import", file, "--preset", "ops-com", "--json");
    assert.equal(code, 0, err);
    const view = JSON.parse(out);
    assert.equal(view.connection.slug, "ops-com");
    assert.equal(view.counts.created, 1);
    assert.match((await run("import", file, "--connection", "csv", "--preset", "ops-com")).err, /has no preset, not/);
  }));

test("what a file covers is said, or its connection's usual, as over the API", () =>
  withTerminal(async ({ run, dir }) => {
    const file = join(dir, "people.csv");
    await writeFile(file, "First name,Last name,Mobile phone\nAna,Silva,+351555010101\n");
    const covers = async (...options: string[]) => JSON.parse((await run("import", file, "--json", ...options)).out);
    const first = await covers("--preset", "connecteam");
    assert.deepEqual([first.coverage, first.counts.created], ["diff", 1]);
    assert.equal((await covers("--preset", "connecteam", "--coverage", "full")).coverage, "full");
    await writeFile(file, HEADER + people(2));
    assert.equal((await covers()).coverage, "full");
    assert.equal((await covers("--connection", "api", "--dry-run")).coverage, "diff");
  }));

test("progress is drawn as a bar, as far as the total is known", () => {
  assert.equal(
    drawProgress({ phase: "reading", done: 1000, total: 3000 }),
    "Reading  ████████░░░░░░░░░░░░░░░░  33 %  1,000 of 3,000",
  );
  assert.equal(drawProgress({ phase: "reading", done: 1000, total: null }), "Reading  1,000");
});
