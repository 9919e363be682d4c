/** What the last runs made of somebody: by id, address or name, and also of somebody who is not in Muster. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { createApp } from "../../src/http/app.ts";
import { createReader } from "../../src/runtime/threads/reader.ts";
import { shareReads } from "../../src/runtime/threads/share-reads.ts";
import { createInFlight } from "../../src/security/in-flight.ts";
import { Fault } from "../../src/model/errors.ts";
import { IN_FLIGHT } from "../../src/model/limits.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import type { Reader } from "../../src/store/people/heavy-reads.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, DAY_MS, HEADER, HOUR_MS, type Importing, importing } from "../support/imports.ts";

interface Answer {
  code: string;
  sentence: string;
  next: string | null;
  connection: { id: string; slug: string | null; name: string | null } | null;
  run: string | null;
  file: string | null;
  line: number | null;
  at: string;
  user: string | null;
  issue: string | null;
}

interface Explanation {
  code: string;
  sentence: string;
  users: { id: string; name: string | null; employee_id: string | null; status: string }[];
  answers: Answer[];
}

async function explain({ ask }: Importing, q: string): Promise<Explanation> {
  const answer = await ask(`/v1/explain?q=${encodeURIComponent(q)}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return await answer.json();
}

const codes = ({ answers }: Explanation) => answers.map(({ code }) => code);
const ANA = "000123,ana@example.com,Ana,Silva";
const BO = "000124,bo@example.com,Bo,Berg";

test("whoever is in Muster is named, and what each run made of them, the latest first", () =>
  importing(async (world) => {
    const first = await world.import(csv(HEADER, BO, ANA), { name: "monday.csv" });
    world.later(HOUR_MS);
    const second = await world.import(csv(HEADER, BO, ANA.replace("Silva", "Silver")), { name: "tuesday.csv" });
    world.later(HOUR_MS);
    const third = await world.import(csv(HEADER, ANA.replace("Silva", "Silver"), BO.replace("Berg", "Berger")));
    for (const q of ["000123", "Ana@Example.com", (await world.person("000123")).id]) {
      const found = await explain(world, q);
      assert.deepEqual([found.code, found.users.length, codes(found)], ["found", 1, [
        "unchanged",
        "updated",
        "created",
      ]]);
      assert.equal(found.sentence, "Ana Silver (000123, ana@example.com) is active in Muster.");
      const [unchanged, updated, created] = found.answers;
      assert.deepEqual([unchanged!.run, unchanged!.file, unchanged!.next], [third.id, "people.csv", null]);
      assert.deepEqual([updated!.run, updated!.file, updated!.line], [second.id, "tuesday.csv", 3]);
      assert.match(updated!.sentence, /^Changed by row 3 of "tuesday\.csv" on .*: Last name\.$/);
      assert.deepEqual([created!.run, created!.file, created!.line], [first.id, "monday.csv", 3]);
      assert.deepEqual(created!.connection?.slug, "csv");
      assert.equal(created!.user, found.users[0]!.id);
    }
  }));

test("people are found by name, and several with one name are all shown", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, BO, "000125,as@example.com,Aná,Silva"));
    await fillSearchIndex(world.hub.db, { forMs: 60_000 });
    const several = await explain(world, "ana silva");
    assert.deepEqual([several.code, several.users.length], ["several", 2]);
    const one = await explain(world, "Bo Berg");
    assert.deepEqual([one.code, one.users[0]!.employee_id, codes(one)], ["found", "000124", ["created"]]);
  }));

test("a row that was refused is quoted with its file, line and reason, though nobody was made of it", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, BO, "000123,ana@,Ana,Silva"), { name: "tuesday.csv" });
    await fillSearchIndex(world.hub.db, { forMs: 60_000 });
    for (const q of ["000123", "Ana Silva", "ana@"]) {
      const { code, users, answers: [answer, ...more] } = await explain(world, q);
      assert.deepEqual([code, users, more], ["nobody", [], []]);
      assert.deepEqual([answer!.code, answer!.issue, answer!.line, answer!.file], [
        "row_refused",
        "email_invalid",
        3,
        "tuesday.csv",
      ]);
      assert.match(answer!.sentence, /^Row 3 of "tuesday\.csv", of .*, was refused: .*ana@/);
      assert.match(answer!.next!, /correct and upload again/);
      assert.deepEqual([answer!.run, answer!.user], [run.id, null]);
    }
  }));

test("a row whose manager has the id is not about the manager", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},manager_id`, `${ANA},`, "000130,cy@,Cy,Dahl,000123"));
    assert.deepEqual(codes(await explain(world, "000123")), ["created"]);
  }));

test("a warning of somebody's row is shown beside what the run did", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},phone`, `${ANA},call me`));
    const found = await explain(world, "000123");
    assert.deepEqual(codes(found).sort(), ["created", "row_warned"]);
    const warned = found.answers.find(({ code }) => code === "row_warned")!;
    assert.equal(warned.user, found.users[0]!.id);
    assert.match(warned.sentence, /was used, with a warning: /);
  }));

test("what waits for approval is shown with the reason why it is held, for new people, too", () =>
  importing(async (world) => {
    const people = (k: number) => crowd(60).map((row, i) => `${row},${i < k ? "no" : "yes"}`);
    await world.import(csv(`${HEADER},is_active`, ...people(0)));
    const held = await world.import(csv(`${HEADER},is_active`, ...people(6), `${ANA},yes`), { name: "held.csv" });
    assert.equal(held.status, "held");
    const leaving = await explain(world, "E0001");
    assert.deepEqual(codes(leaving), ["waiting_for_approval", "created"]);
    assert.match(leaving.answers[0]!.sentence, /it would deactivate the person\. It is held: 6 of the 61 people/);
    const joining = await explain(world, "ana@example.com");
    assert.deepEqual([joining.code, codes(joining)], ["nobody", ["waiting_for_approval"]]);
    assert.match(joining.answers[0]!.sentence, /^Row 62 of "held\.csv" waits for approval since .*: it would create/);
    assert.match(joining.answers[0]!.next!, /approves or cancels/);
    await world.post(`/v1/runs/${held.id}/cancel`);
    assert.deepEqual(codes(await explain(world, "ana@example.com")), ["run_cancelled"]);
  }));

test("somebody whose status is not imported is shown as filtered, and with which status", () =>
  importing(async (world) => {
    const header = `${HEADER},employment_status`;
    await world.set("csv", { policy: { only_statuses: ["Full-Time"] } });
    await world.import(csv(header, `${ANA},Full-Time`, `${BO},Full-Time`));
    world.later(HOUR_MS);
    await world.import(csv(header, `${ANA},Part-Time`, `${BO},Full-Time`), { name: "later.csv" });
    const found = await explain(world, "000123");
    assert.deepEqual(codes(found), ["deactivated_filtered", "created"]);
    assert.match(found.answers[0]!.sentence, /^Deactivated by row 2 of "later\.csv", because .*"Part-Time"/);
    assert.match(found.sentence, /is inactive in Muster/);
    world.later(HOUR_MS);
    await world.import(csv(header, `${ANA},Part-Time`, `${BO.replace("Berg", "Berger")},Full-Time`));
    assert.ok(codes(await explain(world, "000123")).includes("deactivated_filtered"));
  }));

test("somebody who is missing is shown as missing, and then as deactivated for it", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate" } });
    await world.import(csv(HEADER, ANA, BO, "000125,cy@example.com,Cy,Dahl"));
    world.later(HOUR_MS);
    await world.import(csv(HEADER, BO, "000125,cy@example.com,Cy,Dahl"));
    const missing = await explain(world, "000123");
    assert.deepEqual(codes(missing), ["missing", "created"]);
    assert.equal(missing.answers[0]!.at, new Date(world.hub.clock.ms).toISOString());
    world.later(13 * HOUR_MS);
    await world.import(csv(HEADER, BO, "000125,cy@example.com,Cy,Dahl"), { name: "third.csv" });
    const gone = await explain(world, "000123");
    assert.deepEqual(codes(gone), ["deactivated_missing", "created"]);
    assert.match(gone.answers[0]!.sentence, /^Deactivated by "third\.csv", because they are missing from it/);
  }));

test("a conflict names whom the row is in conflict with, and the ways out", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, ...crowd(20)));
    await world.import(csv(HEADER, "000123,zed@example.com,Zed,Young", ...crowd(20)));
    const found = await explain(world, "zed@example.com");
    assert.deepEqual([found.code, codes(found)], ["nobody", ["conflict"]]);
    assert.equal(found.answers[0]!.issue, "identity_conflict");
    assert.match(found.answers[0]!.sentence, /Ana Silva/);
    assert.deepEqual(codes(await explain(world, "000123")), ["conflict", "created"]);
  }));

test("a change by hand, and a file that could not be used, are shown", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA));
    world.later(HOUR_MS);
    await world.edit(await world.person("000123"), { title: "Boss" });
    world.later(HOUR_MS);
    await world.import(csv("first_name,last_name", "Ana,Silva"), { name: "wrong.csv" });
    const found = await explain(world, "000123");
    assert.deepEqual(codes(found), ["run_failed", "edited_by_hand", "created"]);
    assert.match(found.answers[0]!.sentence, /^"wrong\.csv", of .*, could not be used: /);
    assert.match(found.answers[1]!.sentence, /^Changed by hand on .*: Title\.$/);
    assert.equal(found.answers[1]!.connection, null);
  }));

test("another organization learns nothing, and a token needs to read both people and runs", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, "000130,cy@,Cy,Dahl"));
    await createOrganization(world.hub.db, { slug: "strangers", name: "Strangers", timezone: "UTC" }, 0);
    const { id } = await world.person("000123");
    const stranger = createAsk(world.hub, await createTestToken(world.hub, { organization: "strangers" }));
    for (const q of ["000123", "000130", "Ana Silva", id]) {
      const { code, users, answers } = await (await stranger(`/v1/explain?q=${q}`)).json();
      assert.deepEqual([code, users, answers], ["nobody", [], []]);
    }
    for (const scopes of [["runs:read"], ["users:read"], ["drops:write", "runs:read"]]) {
      const ask = createAsk(world.hub, await createTestToken(world.hub, { scopes: scopes as never }));
      assert.equal((await ask("/v1/explain?q=000123")).status, 403);
    }
    assert.equal((await world.ask("/v1/explain?q=%20")).status, 400);
  }));

test("so many explanations of one token at once are enough; the next one is told when to ask again", () =>
  importing(async (world) => {
    const inFlight = createInFlight();
    const token = await createTestToken(world.hub);
    const key = (await (await createAsk(world.hub, token)("/v1/tokens")).json()).data.at(-1).id;
    const holder = { key, organizationId: world.hub.organization.id };
    for (let i = 0; i < IN_FLIGHT.explanations.aToken; i++) assert.ok(inFlight.enter("explanations", holder).isIn);
    const app = createApp({ ...world.hub, inFlight });
    const refused = await app.request("/v1/explain?q=1", { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
    assert.equal((await refused.json()).code, "too_many_in_flight");
  }));

test("where nothing stored answers, the last files are read again: who is left out, skipped, or not in them", () =>
  importing(async (world) => {
    const header = `${HEADER},employment_status,is_active`;
    await world.set("csv", { policy: { only_statuses: ["Full-Time"] } });
    await world.import(
      csv(header, `${BO},Full-Time,yes`, `${ANA},Part-Time,yes`, "000125,cy@example.com,Cy,Dahl,Full-Time,no"),
      { name: "staff.csv" },
    );
    const filtered = await explain(world, "ANA@example.com");
    assert.deepEqual([filtered.code, codes(filtered)], ["nobody", ["filtered"]]);
    const [answer] = filtered.answers;
    assert.deepEqual([answer!.file, answer!.line, answer!.connection?.slug], ["staff.csv", 3, "csv"]);
    assert.match(answer!.sentence, /^Row 3 of "staff\.csv", of .*, was left out: .*"Part-Time"/);
    const skipped = await explain(world, "Cy Dahl");
    assert.deepEqual([codes(skipped), skipped.answers[0]!.line], [["skipped"], 4]);
    const absent = await explain(world, "nobody@example.com");
    assert.deepEqual(codes(absent), ["not_in_file"]);
    assert.match(absent.answers[0]!.sentence, /^"staff\.csv", of .*, has nobody with this/);
  }));

test("a row is left out by the columns that choose rows, too", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { only_rows: [{ column: "country", is: ["PT"] }] } });
    await world.import(csv(`${HEADER},country`, `${BO},PT`, `${ANA},DE`));
    assert.deepEqual(codes(await explain(world, "000123")), ["filtered"]);
  }));

test("a name without its accents is found in a file that has them, and the row's refusal with it", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, BO, "000131,zoe@,Zoë,Ångström"));
    const { answers } = await explain(world, "zoe angstrom");
    assert.deepEqual(answers.map(({ code, line }) => [code, line]), [["row_refused", 3]]);
  }));

test("somebody known is looked for in the last file of a source that sends only changes", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { coverage: "diff" } });
    await world.import(csv(HEADER, ANA, BO));
    world.later(HOUR_MS);
    await world.import(csv(HEADER, BO, ANA.replace("Silva", "Silva ")), { name: "again.csv" });
    const there = await explain(world, "000123");
    assert.deepEqual(there.answers.map(({ code, line }) => [code, line]), [["unchanged", 3], ["created", 2]]);
    world.later(HOUR_MS);
    await world.import(csv(HEADER, BO.replace("Berg", "Berger")), { name: "third.csv" });
    assert.deepEqual(codes(await explain(world, "000123")), ["not_in_file", "created"]);
  }));

test("files in other forms are read again as the run read them", () =>
  importing(async (world) => {
    await world.set("csv", { mapping: { "Personal-Nr": "employee_id" }, policy: { only_statuses: ["Full-Time"] } });
    await world.import(
      csv(
        "Personal-Nr;email;first_name;last_name;employment_status",
        "1;bo@example.com;Bo;Berg;Full-Time",
        "'0002;ana@example.com;Ana;Silva;Part-Time",
      ),
    );
    assert.deepEqual((await explain(world, "0002")).answers.map(({ code, line }) => [code, line]), [["filtered", 3]]);
    const person = {
      employee_id: "0003",
      email: "cy@example.com",
      first_name: "Cy",
      last_name: "Dahl",
      is_active: false,
    };
    await world.import(JSON.stringify([person]), { connection: "api", name: "people.json", type: "application/json" });
    const found = await explain(world, "0003");
    assert.deepEqual(found.answers.map(({ code, file }) => [code, file]), [
      ["skipped", "people.json"],
      ["not_in_file", "people.csv"],
    ]);
  }));

test("a file that is not kept any more, or not read to its end in the time, is named", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, BO), { name: "old.csv" });
    const late: Reader = {
      read: () => Promise.reject(new Fault("unavailable", "This took longer than 10 seconds")),
    };
    const app = createApp({ ...world.hub, dropReader: late });
    const token = await createTestToken(world.hub);
    const answer = await app.request("/v1/explain?q=000123", { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(codes(await answer.json()), ["drop_unfinished"]);
    await world.hub.db.write([world.hub.db.run(sql`delete from drop_chunks`)]);
    const gone = await explain(world, "000123");
    assert.deepEqual(codes(gone), ["drop_deleted"]);
    assert.match(gone.answers[0]!.sentence, /^"old\.csv", of .*, is not kept any more/);
  }));

test("beside requests, threads find the same", () =>
  importing(async (world) => {
    const { hub } = world, log = () => {};
    await world.import(csv(HEADER, BO, "000131,zoe@,Zoë,Ångström", ANA));
    const [[file]] = await hub.db.rows<[string]>(sql`select file from pragma_database_list where name = 'main'`) as [
      [string],
    ];
    const readers = [1, 2].map(() => createReader(`file:${file}`, { log, limits: { maxWaitMs: 300_000 } }));
    try {
      // An explanation does not wait long for a thread to start.
      for (const reader of readers) await reader.read("findRowsAt", { turn: 0 }, 0, 0, []);
      const app = createApp({ ...hub, reader: readers[0]!, dropReader: shareReads(readers[1]!) });
      const headers = { authorization: `Bearer ${await createTestToken(hub)}` };
      for (const q of ["000123", "zoe angstrom", "nobody"]) {
        const found = await (await app.request(`/v1/explain?q=${q}`, { headers })).json();
        assert.deepEqual(found, await explain(world, q));
      }
    } finally {
      for (const reader of readers) await reader.stop();
    }
  }));

test("who left, came back, and left on the day that was given, is shown so", () =>
  importing(async (world) => {
    const header = `${HEADER},is_active,deactivation_date`;
    await world.import(csv(header, `${ANA},yes,`, `${BO},yes,`, "000125,cy@example.com,Cy,Dahl,yes,"));
    for (const row of [`${ANA},no,`, `${ANA},yes,2026-03-04`]) {
      world.later(HOUR_MS);
      await world.import(csv(header, row, `${BO},yes,`, "000125,cy@example.com,Cy,Dahl,yes,"));
    }
    world.later(3 * DAY_MS);
    await world.tick();
    await world.carry();
    const found = await explain(world, "000123");
    assert.deepEqual(codes(found), ["deactivated_due", "reactivated", "deactivated", "created"]);
    assert.match(found.answers[0]!.sentence, /because their last day has come/);
    assert.match(found.answers[2]!.sentence, /^Deactivated by row 2 of "people\.csv", which says that they left on /);
  }));

test("a plan that a newer file has overtaken, and a file that only waits, are shown as such", () =>
  importing(async (world) => {
    const people = (k: number) => crowd(60).map((row, i) => `${row},${i < k ? "no" : "yes"}`);
    await world.import(csv(`${HEADER},is_active`, ...people(0)));
    world.later(HOUR_MS);
    await world.import(csv(`${HEADER},is_active`, ...people(6), `${ANA},yes`), { name: "held.csv" });
    world.later(HOUR_MS);
    await world.import(csv(`${HEADER},is_active`, ...people(0), `${ANA},yes`), { name: "held.csv" });
    assert.deepEqual(codes(await explain(world, "000123")), ["created", "run_superseded"]);
    world.later(HOUR_MS);
    const rows = people(0).slice(0, 2);
    await world.import(csv(`${HEADER},is_active`, ...rows), { name: "part.csv", mode: "plan", coverage: "diff" });
    const [waits] = (await explain(world, "E0001")).answers;
    assert.deepEqual([waits!.code, waits!.file, waits!.line], ["in_file", "part.csv", 2]);
    await world.hub.db.write([world.hub.db.run(sql`update runs set encrypted = 1`)]);
    assert.equal((await explain(world, "E0001")).answers[0]!.code, "drop_unread");
  }));
