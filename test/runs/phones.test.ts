/** Phones as the key and as a field: spellings of one number, with a country and without, and links of before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { csv, type Importing, importing, type Outcome, said } from "../support/imports.ts";

const HEADER = "First name,Last name,Mobile phone";
const ANA = "Ana,Novak,+371 2012 3456";
const BO = "Bo,Lind,+371 2012 3457";

/** A connection whose key is the phone. */
async function team(work: (world: Importing, send: (...lines: string[]) => Promise<Outcome>) => Promise<void>) {
  await importing(async (world) => {
    await world.connect("team", { preset: "connecteam" });
    await work(world, (...lines) => world.import(csv(HEADER, ...lines), { connection: "team" }));
  });
}

async function setCountry(world: Importing, country: string | null): Promise<void> {
  const answer = await world.ask("/v1/organization", { method: "PATCH", json: { phone_country: country } });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).phone_country, country);
}

async function keysOf(world: Importing): Promise<string[]> {
  return (await world.people()).flatMap(({ sources }) => sources.map(({ source_key }) => source_key)).sort();
}

/** As a hub of before this version has stored it. */
async function storeLink(world: Importing, from: string, to: string): Promise<void> {
  await world.hub.db.write([world.hub.db.orm.run(sql`update links set source_key = ${to}, digest = null,
    canonical = null where source_key = ${from}`) as never]);
}

test("00 is a +: another spelling of a known number is the same person, and no change", () =>
  team(async (world, send) => {
    await send(ANA, BO);
    const run = await send("Ana,Novak,0037120123456", "Bo,Lind,00 371 / 2012-3457");
    assert.deepEqual([said(run), run.counts.unchanged, run.changes.length], [[], 2, 0]);
    assert.deepEqual(await keysOf(world), ["37120123456", "37120123457"]);
    assert.equal((await world.people())[0]!.mobile_phone, "+371 2012 3456");
  }));

test("a national number that may be somebody's international one is refused, naming both, until a country is set", () =>
  team(async (world, send) => {
    await send(ANA, BO);
    const run = await send("Bo,Lind,20123457", "Cy,Ora,2012 9999");
    assert.deepEqual([said(run), run.counts.created], [["2 identity_conflict"], 1]);
    const { field, value, message, suggestion } = run.issues[0]!;
    assert.deepEqual([field, value], ["mobile_phone", "20123457"]);
    assert.match(
      message,
      /^Cannot apply "20123457": it may be the number of .*Lind.* \("\+371 2012 3457"\), which is written with the country's code$/,
    );
    assert.match(suggestion, /phone_country/);
    assert.equal((await world.people()).length, 3);

    await setCountry(world, "LV");
    const again = await send("Bo,Lind,20123457", "Ana,Novak,37120123456");
    assert.deepEqual([said(again), again.counts.unchanged, again.counts.created], [[], 2, 0]);
  }));

test("so is an international number where the national one came first", () =>
  team(async (_, send) => {
    await send("Bo,Lind,020123457");
    const run = await send("Bo,Lind,0037120123457");
    assert.deepEqual([said(run), run.counts.created], [["2 identity_conflict"], 0]);
    assert.match(run.issues[0]!.message, /Lind.*\("020123457"\), which is written without the country's code$/);
    assert.deepEqual((await send("Bo,Lind,020123457", "Cy,Ora,020129999")).counts.unchanged, 1);
  }));

test("both spellings in one file of new people are refused, each naming the other's line, in any order", () =>
  team(async (world, send) => {
    for (const lines of [[BO, "Bo,Lind,20123457", ANA], [ANA, "Bo,Lind,20123457", BO]]) {
      const run = await send(...lines);
      assert.equal(run.issues.length, 2);
      for (const { line, code, message } of run.issues) {
        const other = run.issues.find((issue) => issue.line !== line)!;
        assert.equal(code, "identity_conflict");
        assert.ok(message.includes(`line ${other.line}`), message);
      }
    }
    assert.deepEqual(await keysOf(world), ["37120123456"]);
  }));

test("so are a new person and a known one who has had no phone so far", () =>
  team(async (world) => {
    const send = (...lines: string[]) =>
      world.import(csv("First name,Last name,Email,Mobile phone", ...lines), { connection: "team" });
    await world.import(csv("email,first_name,last_name", "bo@acme.test,Bo,Lind"));
    const run = await send("Bo,Lind,bo@acme.test,+371 2012 3457", "Bo,Lind,,20123457");
    assert.deepEqual([said(run), run.counts.created], [["2 identity_conflict", "3 identity_conflict"], 0]);
    const alone = await send("Bo,Lind,bo@acme.test,+371 2012 3457");
    assert.deepEqual([said(alone), alone.counts.updated], [[], 1]);
  }));

test("the person whose number it may be is not missing", () =>
  team(async (world, send) => {
    await world.set("team", {
      policy: { coverage: "full", missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 },
      limits: { deactivate: { percent: 100, floor: 100 } },
    });
    await send(ANA, BO);
    const run = await send(ANA, "Bo,Lind,20123457");
    assert.deepEqual([said(run), run.counts.deactivated, run.counts.missing], [["3 identity_conflict"], 0, 0]);
  }));

test("links that a hub of before has stored go on matching, and get the present form", () =>
  team(async (world, send) => {
    await send("Ana,Novak,+371 2012 3456", "Bo,Lind,0037120123457", "Cy,Ora,+49 (0)30 1234567", "Di,Pek,555 0100 x7");
    assert.deepEqual(await keysOf(world), ["37120123456", "37120123457", "49301234567", "5550100x7"]);
    await storeLink(world, "37120123457", "0037120123457");
    await storeLink(world, "49301234567", "490301234567");
    const lines = [
      "Ana,Novak,+371 20123456",
      "Bo,Lind,0037120123457",
      "Cy,Ora,+49 (0)30 1234567",
      "Di,Pek,555 0100 x7",
    ];
    const run = await send(...lines);
    assert.deepEqual([said(run), run.counts.unchanged, run.changes.length], [[], 4, 0]);
    assert.equal((await world.people()).length, 4);
    assert.deepEqual(await keysOf(world), ["37120123456", "37120123457", "49301234567", "5550100x7"]);
    assert.deepEqual((await send(...lines, "Ed,Quin,5550101")).counts.created, 1);
  }));

for (const place of ["organization", "connection"] as const) {
  test(`a country that is set on the ${place} changes keys, and the links move along`, () =>
    team(async (world, send) => {
      const lines = ["Ana,Novak,2012 3456", "Bo,Lind,20123457", "Cy,Ora,+49 30 1234567"];
      await send(...lines);
      // Whose phone is kept as it was edited by hand is found by the link alone.
      await world.edit((await world.people())[1]!, { mobile_phone: "+1 555 010 0199" });
      await world.set("team", { policy: { manual_edits: "keep" } });
      if (place === "organization") await setCountry(world, "LV");
      else await world.set("team", { settings: { phone_country: "LV" } });
      const run = await send("Ana,Novak,+371 2012 3456", "Bo,Lind,20123457", "Cy,Ora,0049 30 1234567");
      assert.deepEqual([said(run), run.counts.created], [["3 field_kept"], 0]);
      assert.deepEqual(await keysOf(world), ["37120123456", "37120123457", "49301234567"]);

      // A wrong country is corrected in the same way.
      if (place === "organization") await setCountry(world, "EE");
      else await world.set("team", { settings: { phone_country: "EE" } });
      const moved = await send("Ana,Novak,2012 3456");
      assert.deepEqual([said(moved), moved.counts.created], [[], 0]);
      assert.equal((await world.people()).length, 3);
    }));
}

test("the connection's country is used before the organization's", () =>
  team(async (world, send) => {
    await setCountry(world, "DE");
    await world.set("team", { settings: { phone_country: "LV" } });
    await send("Ana,Novak,2012 3456");
    assert.deepEqual(await keysOf(world), ["37120123456"]);
  }));

test("a manager is named by the key in any spelling", () =>
  team(async (world) => {
    await setCountry(world, "LV");
    await world.set("team", { mapping: { Boss: "manager_key" } });
    const send = (...lines: string[]) => world.import(csv(`${HEADER},Boss`, ...lines), { connection: "team" });
    await send(`${ANA},`);
    await storeLink(world, "37120123456", "20123456");
    const run = await send("Bo,Lind,20123457,0037120123456");
    assert.deepEqual(said(run), []);
    const people = await world.people();
    const ana = people.find((person) => person.first_name === "Ana")!;
    assert.equal(people.find((person) => person.first_name === "Bo")!.manager?.id, ana.id);
  }));

test("a phone that is no key is unchanged by another spelling, and changed by another number or extension", () =>
  importing(async (world) => {
    await setCountry(world, "DE");
    const send = (phone: string) =>
      world.import(csv("employee_id,email,first_name,last_name,phone", `1,ana@acme.test,Ana,Novak,${phone}`));
    await send("030/1234567");
    for (const same of ["+49 (0)30 1234567", "tel:+49301234567", "0049 30 / 123-45-67"]) {
      assert.deepEqual((await send(same)).changes, [], same);
    }
    assert.equal((await world.person("1")).phone, "030/1234567");
    assert.equal((await send("030/1234567 ext. 7")).counts.updated, 1);
    assert.equal((await send("030/1234567 #7")).counts.unchanged, 1);
    assert.equal((await send("030/1234568")).counts.updated, 1);
  }));

test("a country that does not exist is refused by name", () =>
  importing(async (world) => {
    for (const country of ["UK", "lv", "Latvia", ""]) {
      const organization = await world.ask("/v1/organization", { method: "PATCH", json: { phone_country: country } });
      assert.equal(organization.status, 400);
      assert.match(await organization.text(), /like GB or LV/);
      const connection = await world.ask("/v1/connections/csv", {
        method: "PATCH",
        json: { settings: { phone_country: country } },
      });
      assert.equal(connection.status, 400);
      assert.match(await connection.text(), /like GB or LV/);
    }
  }));

test("an address that has gone to somebody new, with another phone, does not make its former owner that person", () =>
  team(async (world) => {
    const send = (...lines: string[]) =>
      world.import(csv("First name,Last name,Email,Mobile phone", ...lines), { connection: "team" });
    await send("Ana,Novak,info@acme.test,+371 2012 3456");
    const run = await send("Zoe,Quill,info@acme.test,+371 2012 9999");
    assert.deepEqual([said(run), run.changes], [["2 identity_conflict"], []]);
    const { id } = (await world.people())[0]!;
    // Somebody new: the row found the old record by the address, so that is what it gives up.
    const { data } = await (await world.ask(`/v1/runs/${run.id}/issues`)).json();
    const released = await world.post(`/v1/users/${id}/release`, { run: run.id, issue: data[0].id });
    assert.equal(released.status, 200);
    const again = await send("Zoe,Quill,info@acme.test,+371 2012 9999");
    assert.deepEqual([said(again), again.counts.created], [[], 1]);
    assert.deepEqual((await world.people()).map(({ first_name }) => first_name).sort(), ["Ana", "Zoe"]);
  }));

test("a phone that two people share shows of none of them who a row is about, whichever connection it comes from", () =>
  importing(async (world) => {
    await world.connect("second");
    const header = "employee_id,first_name,last_name,mobile_phone", desk = "+371 2012 3456";
    await world.import(csv(`${header},email`, `1,Ana,Novak,${desk},ana@acme.test`, `2,Bo,Lind,${desk},bo@acme.test`));
    const run = await world.import(csv(header, `1,Zoe,Quill,${desk}`), { connection: "second" });
    assert.deepEqual([said(run), run.changes], [["2 identity_conflict"], []]);
  }));

test("somebody new with the number of a person who gets another one, under a new phone, in any order of rows", async () => {
  const header = "employee_id,email,first_name,last_name,mobile_phone";
  const ana = "3,ana@acme.test,Ana,Novak,+371 2012 3495", bo = "2,bo@acme.test,Bo,Lind,+371 2012 3403";
  for (const rows of [[ana, bo], [bo, ana]]) {
    await importing(async (world) => {
      await world.connect("team", { key: "mobile_phone" });
      const send = (...lines: string[]) => world.import(csv(header, ...lines), { connection: "team" });
      await send("2,ana@acme.test,Ana,Novak,+371 2012 3402");
      const before = (await world.people())[0]!.id;
      const run = await send(...rows);
      assert.deepEqual([said(run), run.counts.created, run.counts.updated], [[], 1, 1]);
      assert.deepEqual([(await world.person("3")).id, (await world.person("2")).email], [before, "bo@acme.test"]);
    });
  }
});

const BY_PHONE = { key: "mobile_phone", limits: { identity: { enabled: false } } };
const WIDE = "employee_id,email,first_name,last_name,mobile_phone";

test("the number of somebody who is absent is not the new one of another, and stays theirs", () =>
  importing(async (world) => {
    await world.connect("team", BY_PHONE);
    const send = (...lines: string[]) =>
      world.import(csv("email,first_name,last_name,mobile_phone", ...lines), { connection: "team" });
    await send("ana@acme.test,Ana,Novak,+371 2012 3456", "bo@acme.test,Bo,Lind,+371 2012 3457");
    const run = await send("ana@acme.test,Ana,Novak,+371 2012 3457");
    assert.deepEqual([said(run), run.changes], [["2 identity_conflict"], []]);
    assert.match(run.issues[0]!.message, /Bo Lind/);
    const bo = await world.person("bo@acme.test");
    assert.deepEqual(bo.sources.map(({ source_key }) => source_key), ["37120123457"]);
  }));

test("the number of somebody active with another employee_id makes nobody new, and who has it is not missing", () =>
  importing(async (world) => {
    await world.connect("team", { ...BY_PHONE, policy: { missing: "deactivate", missing_after_runs: 1 } });
    await world.import(csv(WIDE, "1,ana@acme.test,Ana,Novak,+371 2012 3456"));
    const run = await world.import(csv(WIDE, "2,bo@acme.test,Bo,Lind,+371 2012 3456"), { connection: "team" });
    assert.deepEqual([said(run), run.changes], [["2 identity_conflict"], []]);
    assert.match(run.issues[0]!.message, /Ana Novak .*another employee_id/);
    // Without its zeros it is the same person's, which comes first.
    await world.import(csv(WIDE, "007,cy@acme.test,Cy,Ora,+371 2012 3457"), { coverage: "diff" });
    const lost = await world.import(csv(WIDE, "7,cy@acme.test,Cy,Ora,+371 2012 3457"), { connection: "team" });
    assert.deepEqual(said(lost), ["2 zeros_lost"]);
  }));

test("two rows that say that one person has left are no duplicates, whichever number each has", () =>
  importing(async (world) => {
    await world.connect("team", BY_PHONE);
    const send = (...lines: string[]) => world.import(csv(`${WIDE},is_active`, ...lines), { connection: "team" });
    await send("1,ana@acme.test,Ana,Novak,+371 2012 3456,yes");
    const run = await send("1,ana@acme.test,Ana,Novak,+371 2012 3456,no", "1,a2@acme.test,Ana,Berg,+371 2012 3457,no");
    assert.deepEqual([said(run), run.counts.deactivated], [["3 identity_conflict"], 1]);
    assert.equal((await world.person("1")).status, "inactive");
  }));
