import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, said } from "../support/imports.ts";
import { insertUser } from "../support/people.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";

test("a user without a link is taken by employee_id, and linked, which alone is no change", () =>
  importing(async (world) => {
    await insertUser(world.hub, { employeeId: "1", email: "ana@acme.test" });
    const run = await world.import(csv(HEADER, ANA));
    assert.deepEqual([run.counts.unchanged, run.changes.length], [1, 0]);
    assert.deepEqual((await world.person("1")).sources.map(({ source_key }) => source_key), ["1"]);
  }));

test("by employee_id a new email is taken when the names are the same, and disputed when they are not", () =>
  importing(async (world) => {
    await insertUser(world.hub, { employeeId: "1", email: "ana.old@acme.test" });
    await insertUser(world.hub, { employeeId: "2", email: "someone@acme.test", firstName: "Cy", lastName: "Dahl" });
    const run = await world.import(csv(HEADER, ANA, BO));
    assert.deepEqual([said(run), run.counts.updated], [["3 identity_conflict"], 1]);
    assert.match(run.issues[0]!.message, /someone@acme\.test/);
    assert.deepEqual((await world.person("1")).email, "ana@acme.test");
    assert.deepEqual((await world.person("2")).email, "someone@acme.test");
  }));

test("by email a user without employee_id is taken, and gets it", () =>
  importing(async (world) => {
    await insertUser(world.hub, { email: "ana@acme.test" });
    const run = await world.import(csv(HEADER, ANA));
    assert.deepEqual([run.counts.updated, run.counts.created], [1, 0]);
    assert.equal((await world.person("ana@acme.test")).employee_id, "1");
  }));

test("the email of an active user with another employee_id is in dispute, and both are named", () =>
  importing(async (world) => {
    await insertUser(world.hub, { employeeId: "9", email: "ana@acme.test" });
    const run = await world.import(csv(HEADER, ANA, BO));
    assert.deepEqual([said(run), run.counts.failed, run.counts.created], [["2 identity_conflict"], 1, 1]);
    assert.match(run.issues[0]!.message, /"1"/);
    assert.match(run.issues[0]!.message, /"9"/);
    assert.equal((await world.people()).length, 2);
  }));

test("so it is on a row that has left or does not say, unless that user has a row of their own or a filter leaves it out", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { only_rows: [{ column: "Company", is_not: ["Other"] }] } });
    const wide = `${HEADER},is_active,Company`, bo = `${BO},yes,Acme`, ana = `${ANA},yes,Acme`;
    await world.import(csv(wide, ana, bo));
    for (const word of ["no", ""]) {
      const run = await world.import(csv(wide, `9,ana@acme.test,Eva,Neu,${word},Acme`), { coverage: "diff" });
      assert.equal(run.counts.failed, 1);
      const { message } = run.issues.find(({ severity }) => severity === "error")!;
      assert.match(
        message,
        /its email is that of Ana Lopez \(employee_id "1".*, who is active under another employee_id/,
      );
    }
    const rows = [ana, "9,ana@acme.test,Eva,Neu,no,Acme", bo];
    for (const order of [rows, rows.toReversed()]) {
      const run = await world.import(csv(wide, ...order));
      assert.deepEqual([said(run), run.counts.skipped, run.counts.unchanged], [[], 1, 2]);
    }
    const other = await world.import(csv(wide, "9,ana@acme.test,Eva,Neu,yes,Other"), { coverage: "diff" });
    assert.deepEqual([said(other), other.counts.skipped], [[], 1]);
  }));

test("the email of an inactive user with another employee_id is used again by a new person", () =>
  importing(async (world) => {
    await insertUser(world.hub, { employeeId: "9", email: "ana@acme.test", status: "inactive" });
    const run = await world.import(csv(HEADER, ANA));
    assert.deepEqual([run.counts.created, said(run)], [1, []]);
    assert.deepEqual((await world.people()).map(({ employee_id, status }) => [employee_id, status]), [
      ["9", "inactive"],
      ["1", "active"],
    ]);
  }));

test("a re-used address is a new person where the email is the key, too", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await world.import(csv(`${HEADER},is_active`, `${ANA},no`, `${BO},yes`));
    await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${BO},yes`));
    await world.import(csv(`${HEADER},is_active`, `${ANA},no`, `${BO},yes`));
    const run = await world.import(csv(`${HEADER},is_active`, "7,ana@acme.test,Ana,Neu,yes", `${BO},yes`));
    assert.deepEqual([run.counts.created, run.counts.reactivated, said(run)], [1, 0, []]);
    assert.deepEqual([(await world.person("1")).status, (await world.person("7")).status], ["inactive", "active"]);
    const again = await world.import(csv(`${HEADER},is_active`, `${BO},yes`, "7,ana@acme.test,Ana,Neu,yes"));
    assert.deepEqual([again.counts.unchanged, again.changes.length], [2, 0]);
  }));

test("of several that fit, the only active one is taken", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await insertUser(world.hub, { email: "ana@acme.test", status: "inactive" });
    await insertUser(world.hub, { email: "ana@acme.test", title: "Lead" });
    await insertUser(world.hub, { email: "bo@acme.test", status: "inactive" });
    await insertUser(world.hub, { email: "bo@acme.test", status: "inactive" });
    const run = await world.import(
      csv("email,first_name,last_name", "ana@acme.test,Ana,Lopez", "bo@acme.test,Bo,Berg"),
    );
    assert.deepEqual([said(run), run.counts.unchanged], [["3 identity_conflict"], 1]);
    const taken = (await world.people()).filter(({ sources }) => sources.length > 0);
    assert.deepEqual(taken.map(({ title }) => title), ["Lead"]);
  }));

test("a person who comes back is made active again, with the same id", () =>
  importing(async (world) => {
    const header = `${HEADER},is_active`;
    await world.import(csv(header, `${ANA},yes`, `${BO},yes`));
    const before = await world.person("1");
    await world.import(csv(header, `${ANA},no`, `${BO},yes`));
    const run = await world.import(csv(header, `${ANA},yes`, `${BO},yes`));
    const after = await world.person("1");
    assert.deepEqual([run.counts.reactivated, after.status, after.id], [1, "active", before.id]);
  }));

test("an email may pass down a chain of three, in any order of rows", () =>
  importing(async (world) => {
    const others = Array.from({ length: 20 }, (_, i) => `${i + 4},p${i}@acme.test,P${i},Q`);
    await world.import(csv(HEADER, "1,a@acme.test,A,A", "2,b@acme.test,B,B", "3,c@acme.test,C,C", ...others));
    const run = await world.import(
      csv(HEADER, "1,b@acme.test,A,A", "2,c@acme.test,B,B", ...others, "3,d@acme.test,C,C"),
    );
    assert.deepEqual([run.status, run.counts.updated, said(run)], ["succeeded", 3, []]);
    const emails = await Promise.all(["1", "2", "3"].map(async (id) => (await world.person(id)).email));
    assert.deepEqual(emails, ["b@acme.test", "c@acme.test", "d@acme.test"]);
  }));

test("a chain whose end is refused falls as a whole, and says who keeps what", () =>
  importing(async (world) => {
    await insertUser(world.hub, { employeeId: "8", email: "kept@acme.test" });
    await world.import(csv(HEADER, "1,a@acme.test,A,A", "2,b@acme.test,B,B"));
    const run = await world.import(csv(HEADER, "1,b@acme.test,A,A", "2,kept@acme.test,B,B"));
    assert.deepEqual([said(run), run.status], [["2 identity_conflict", "3 identity_conflict"], "failed"]);
    assert.match(run.issues[1]!.message, /"8"/);
    assert.match(run.issues[0]!.message, /employee_id "2"/);
    assert.deepEqual((await world.people()).map(({ email }) => email), [
      "kept@acme.test",
      "a@acme.test",
      "b@acme.test",
    ]);
  }));

test("a new person gets the email of somebody who leaves in the same input", () =>
  importing(async (world) => {
    const header = `${HEADER},is_active`;
    await world.import(csv(header, `${ANA},yes`, `${BO},yes`));
    const run = await world.import(csv(header, "7,ana@acme.test,Ann,Neu,yes", `${ANA},no`, `${BO},yes`));
    assert.deepEqual([said(run), run.counts.created, run.counts.deactivated], [[], 1, 1]);
    const people = await world.people();
    assert.deepEqual(people.map(({ employee_id, email, status }) => [employee_id, email, status]), [
      ["1", "ana@acme.test", "inactive"],
      ["2", "bo@acme.test", "active"],
      ["7", "ana@acme.test", "active"],
    ]);
    const again = await world.import(csv(header, "7,ana@acme.test,Ann,Neu,yes", `${BO},yes`, `${ANA},no`));
    assert.deepEqual([again.counts.unchanged, said(again)], [3, []]);
  }));

test("a new person gets the email of somebody who changes theirs in the same input", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, BO));
    const run = await world.import(csv(HEADER, "7,ana@acme.test,Ann,Neu", "1,ana.lopez@acme.test,Ana,Lopez", BO));
    assert.deepEqual([said(run), run.counts.created, run.counts.updated], [[], 1, 1]);
    assert.deepEqual([(await world.person("7")).email, (await world.person("1")).email], [
      "ana@acme.test",
      "ana.lopez@acme.test",
    ]);
  }));

test("the two ids of a row that point at two people are in dispute, and change nobody", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, BO));
    const run = await world.import(csv(HEADER, "1,bo@acme.test,Ana,Lopez"), { coverage: "diff" });
    assert.deepEqual([said(run), run.status], [["2 identity_conflict"], "failed"]);
    assert.match(run.issues[0]!.message, /Bo Berg/);
    assert.equal((await world.person("1")).email, "ana@acme.test");
  }));

test("two rows that claim one user are both rejected", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await insertUser(world.hub, { employeeId: "1", email: "ana@acme.test" });
    const run = await world.import(
      csv(HEADER, ",ana@acme.test,Ana,Lopez", "1,ana.lopez@acme.test,Ana,Lopez", BO),
    );
    assert.deepEqual([said(run), run.counts.failed, run.counts.created], [
      ["2 identity_conflict", "3 identity_conflict"],
      2,
      1,
    ]);
    assert.match(run.issues[0]!.message, /line 3/);
  }));

test("an employee_id that somebody gives up in the same input may go to a new person, wherever the rows stand", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await world.import(csv(HEADER, ANA, BO));
    const rows = ["1,cy@acme.test,Cy,Marsh", "9,ana@acme.test,Ana,Lopez", BO];
    const run = await world.import(csv(HEADER, ...rows));
    assert.deepEqual([run.counts.created, run.counts.updated, said(run)], [1, 1, []]);
    const again = await world.import(csv(HEADER, ...rows.toReversed()));
    assert.deepEqual([again.counts.unchanged, said(again)], [3, []]);
  }));

test("whose old address goes to somebody with the same last name stays who they are: both rows are refused, in any order", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await world.import(csv(HEADER, "12,max@acme.test,Max,Birch", BO));
    // Who got the new address may have married as well.
    for (const last of ["Birch", "Dahl"]) {
      const rows = [`12,max.birch@acme.test,Max,${last}`, "13,max@acme.test,Nia,Birch", BO];
      for (const order of [rows, rows.toReversed()]) {
        const run = await world.import(csv(HEADER, ...order), { name: `${order[0]}.csv` });
        assert.deepEqual([run.counts.failed, run.counts.created, run.changes], [2, 0, []]);
        assert.equal((await world.person("12")).first_name, "Max");
      }
    }
  }));

test("so may one go to somebody new at a re-used address, wherever the rows stand", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email", limits: { identity: { enabled: false } } });
    const was = ["1,ana@acme.test,Ana,Lopez,yes", "2,bo@acme.test,Bo,Berg,yes", "3,cy@acme.test,Cy,Dahl,yes"];
    const rows = ["2,ana@acme.test,Eve,Fox,yes", "4,bo@acme.test,Bo,Berg,yes"];
    for (const order of [rows, rows.toReversed()]) {
      await world.import(csv(`${HEADER},is_active`, ...was), { name: `${order[0]}.csv` });
      await world.import(csv(`${HEADER},is_active`, "1,ana@acme.test,Ana,Lopez,no"), { coverage: "diff" });
      const run = await world.import(csv(`${HEADER},is_active`, ...order), { coverage: "diff", mode: "plan" });
      assert.deepEqual([said(run), run.counts.created, run.counts.updated], [[], 1, 1]);
    }
  }));

for (const key of ["email", "source_id"] as const) {
  test(`the key of somebody who moves to another one in the same input is free, wherever the rows are: ${key}`, () =>
    importing(async (world) => {
      await world.set("csv", { key, limits: { identity: { enabled: false }, create: { enabled: false } } });
      const others = Array.from({ length: 6 }, (_, i) => `s${i + 5},${i + 5},p${i}@acme.test,P${i},Q`);
      const wide = `source_id,${HEADER}`;
      // Where the source's own id is the key, the same address would show that it is the same person.
      const [zed, cy] = key === "email" ? ["ana@acme.test", "bo@acme.test"] : ["zed@acme.test", "cy@acme.test"];
      const rows = [
        `s1,4,${zed},Zed,Young`,
        "s2,1,ana.neu@acme.test,Ana,Lopez",
        "s3,2,bo.neu@acme.test,Bo,Berg",
        `s4,3,${cy},Cy,Dahl`,
        ...others,
      ];
      for (const order of [rows, rows.toReversed()]) {
        const was = ["s1,1,ana@acme.test,Ana,Lopez", "s4,2,bo@acme.test,Bo,Berg", "s20,3,cy@acme.test,Cy,Dahl"];
        await world.import(csv(wide, ...was, ...others));
        const before = await Promise.all(["1", "2", "3"].map((id) => world.person(id)));
        const planned = await world.import(csv(wide, ...order), { mode: "plan" });
        assert.deepEqual([said(planned), planned.counts.created], [[], 1]);
        if (order === rows) continue;
        await world.import(csv(wide, ...order));
        const after = await Promise.all(["1", "2", "3", "4"].map((id) => world.person(id)));
        assert.deepEqual(after.map(({ id }) => id).slice(0, 3), before.map(({ id }) => id));
        assert.deepEqual(after.map(({ email, last_name }) => [email, last_name]), [
          ["ana.neu@acme.test", "Lopez"],
          ["bo.neu@acme.test", "Berg"],
          [cy, "Dahl"],
          [zed, "Young"],
        ]);
        const again = await world.import(csv(wide, ...rows));
        assert.deepEqual([again.changes, again.counts.missing, again.counts.unchanged], [[], 0, 10]);
      }
    }));
}

test("the key of somebody who cannot move to another one is not free", () =>
  importing(async (world) => {
    await world.set("csv", { key: "source_id" });
    await insertUser(world.hub, { employeeId: "8", email: "kept@acme.test" });
    const wide = `source_id,${HEADER}`, other = "s9,9,p9@acme.test,Pat,Quin";
    await world.import(csv(wide, "s1,1,ana@acme.test,Ana,Lopez", other));
    // The address of the new row is somebody's who keeps it, so the old one stays, and is theirs.
    const rows = ["s1,4,zed@acme.test,Zed,Young", "s2,1,kept@acme.test,Ana,Lopez", other];
    for (const order of [rows, rows.toReversed()]) {
      const run = await world.import(csv(wide, ...order));
      assert.deepEqual([run.changes, said(run).map((text) => text.slice(2))], [[], [
        "identity_conflict",
        "identity_conflict",
      ]]);
    }
    const ana = await world.person("1");
    assert.deepEqual(ana.sources.map(({ source_key }) => source_key), ["s1"]);
  }));

test("a new key with the same employee_id keeps the person, and moves the link", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    const others = Array.from({ length: 4 }, (_, i) => `${i + 3},p${i}@acme.test,P${i},Q`);
    await world.import(csv(HEADER, ANA, BO, ...others));
    const before = await world.person("1");
    const run = await world.import(csv(HEADER, "1,ana.neu@acme.test,Ana,Lopez", BO, ...others));
    const after = await world.person("1");
    assert.deepEqual([run.counts.updated, run.counts.created, run.counts.missing, said(run)], [1, 0, 0, []]);
    assert.deepEqual([after.id, after.email], [before.id, "ana.neu@acme.test"]);
    assert.deepEqual(after.sources.map(({ source_key }) => source_key), ["ana.neu@acme.test"]);
    const again = await world.import(csv(HEADER, BO, "1,ana.neu@acme.test,Ana,Lopez", ...others));
    assert.deepEqual([again.counts.unchanged, again.counts.missing], [6, 0]);
  }));

test("phones are compared by their digits, where the phone is the key", () =>
  importing(async (world) => {
    await world.connect("deskless", { preset: "connecteam" });
    await world.import(csv("mobile_phone,first_name,last_name", "+1 (555) 010-0001,Ana,Lopez"), {
      connection: "deskless",
    });
    const run = await world.import(csv("mobile_phone,first_name,last_name,title", "+15550100001,Ana,Lopez,Lead"), {
      connection: "deskless",
    });
    assert.deepEqual([run.counts.updated, run.counts.created], [1, 0]);
    assert.deepEqual((await world.people()).map(({ title }) => title), ["Lead"]);
  }));

test("an id that lost its leading zeros makes no second person", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, "'000123,ana@acme.test,Ana,Lopez", "'000124,bo@acme.test,Bo,Berg"));
    assert.equal((await world.person("000123")).email, "ana@acme.test");
    const run = await world.import(
      csv("employee_id,first_name,last_name", "123,Ana,Lopez", "124,Bo,Berg", "125,Cy,Dahl"),
      { coverage: "diff" },
    );
    assert.deepEqual(said(run).slice(0, 2), ["2 zeros_lost", "3 zeros_lost"]);
    assert.match(run.issues[0]!.message, /"123"/);
    assert.match(run.issues[0]!.message, /"000123"/);
    assert.equal((await world.people()).length, 2);
  }));

test("a manager's id that lost its leading zeros is named with them", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(`${HEADER},manager_id`, "'000123,ana@acme.test,Ana,Lopez,", "'000124,bo@acme.test,Bo,Berg,123"),
    );
    assert.deepEqual(said(run), ["3 manager_not_found"]);
    assert.match(run.issues[0]!.suggestion, /"000123"/);
  }));
