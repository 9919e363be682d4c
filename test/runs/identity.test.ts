/** Who a row is about: numbers and addresses that have gone to somebody else, and the two ways out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, type Importing, importing, type Outcome, said } from "../support/imports.ts";

const NAMES = ["Ana,Novak", "Bo,Lind", "Cy,Ora", "Di,Pek", "Ed,Quin", "Fi,Rask", "Gil,Sand", "Hal,Toft"];
const PEOPLE = NAMES.map((name, i) => `${1001 + i},p${i}@acme.test,${name},Clerk,yes`);
const WIDE = `${HEADER},title,is_active`;
const ANA_LEFT = PEOPLE[0]!.replace("yes", "no"), ZED = "1001,zed@acme.test,Zed,Young,Intern,yes";

/** The people, with these rows in place of the first ones. */
function file(...rows: readonly string[]): string {
  return csv(WIDE, ...rows, ...PEOPLE.slice(rows.length));
}

async function conflictOf(world: Importing, run: Outcome): Promise<string> {
  const { data } = await (await world.ask(`/v1/runs/${run.id}/issues`)).json();
  return data.find(({ code }: { code: string }) => code === "identity_conflict").id;
}

test("a number that a new hire gets is refused, with who was there and who comes, whether the leaver is active or not", () =>
  importing(async (world) => {
    await world.import(file());
    for (const before of [PEOPLE[0]!, ANA_LEFT]) {
      await world.import(file(before));
      const run = await world.import(file(ZED), { name: `${before}.csv` });
      assert.deepEqual([said(run), run.counts.failed, run.changes], [["2 identity_conflict"], 1, []]);
      const { message } = run.issues[0]!;
      assert.match(message, /Ana Novak \(employee_id "1001", email "p0@acme.test"\)/);
      assert.match(message, /Zed Young \(email "zed@acme.test"\): email, first_name and last_name differ/);
      assert.equal((await world.person("1001")).first_name, "Ana");
    }
  }));

test("the same person: the row is accepted, and applied the next time; taken back, it is refused again", () =>
  importing(async (world) => {
    await world.import(file());
    const refused = await world.import(file(ZED));
    const ana = await world.person("1001"), row = { run: refused.id, issue: await conflictOf(world, refused) };
    assert.equal((await world.post(`/v1/users/${ana.id}/accept`, row)).status, 200);
    const undone = await world.ask(`/v1/users/${ana.id}/accept`, { method: "DELETE" });
    assert.equal(undone.status, 200);
    assert.deepEqual(said(await world.import(file(ZED))), ["2 identity_conflict"]);
    assert.equal((await world.ask(`/v1/users/${ana.id}/accept`, { method: "DELETE" })).status, 404);
    await world.post(`/v1/users/${ana.id}/accept`, row);
    const applied = await world.import(file(ZED));
    assert.deepEqual([said(applied), applied.counts.updated], [[], 1]);
    const now = await world.person("1001");
    assert.deepEqual([now.id, now.first_name, now.email], [ana.id, "Zed", "zed@acme.test"]);
    // Somebody else under the same number is another question.
    const other = await world.import(file("1001,new@acme.test,Nia,West,Intern,yes"));
    assert.deepEqual(said(other), ["2 identity_conflict"]);
    const { data } = await (await world.ask("/v1/audit?action=user.accepted")).json();
    assert.equal(data.length, 2);
  }));

test("somebody new: the number is released, the old record stays, and the row makes a new person; it can be given back", () =>
  importing(async (world) => {
    await world.import(file());
    const refused = await world.import(file(ZED));
    const ana = await world.person("1001"), row = { run: refused.id, issue: await conflictOf(world, refused) };
    assert.equal((await world.post(`/v1/users/${ana.id}/release`, row)).status, 200);
    const free = await (await world.ask(`/v1/users/${ana.id}`)).json();
    assert.deepEqual([free.status, free.employee_id, free.email, free.sources], ["inactive", null, "p0@acme.test", []]);
    assert.equal((await world.ask(`/v1/users/${ana.id}/release`, { method: "DELETE" })).status, 200);
    const back = await (await world.ask(`/v1/users/${ana.id}`)).json();
    assert.deepEqual([back.status, back.employee_id, back.sources.length], ["active", "1001", 1]);
    assert.deepEqual(said(await world.import(file(ZED))), ["2 identity_conflict"]);

    await world.post(`/v1/users/${ana.id}/release`, row);
    const applied = await world.import(file(ZED));
    assert.deepEqual([said(applied), applied.counts.created], [[], 1]);
    const zed = await world.person("1001");
    assert.notEqual(zed.id, ana.id);
    assert.equal(zed.first_name, "Zed");
    const late = await world.ask(`/v1/users/${ana.id}/release`, { method: "DELETE" });
    assert.equal(late.status, 409);
    assert.match((await late.json()).detail, /Somebody else has the id or address by now/);
  }));

test("a decision needs an issue about this very user, and the scope to approve", () =>
  importing(async (world) => {
    await world.import(file());
    const refused = await world.import(file(ZED, PEOPLE[1]!.replace("p1@", "p1")));
    const [ana, bo] = [await world.person("1001"), await world.person("1002")];
    const issue = await conflictOf(world, refused);
    assert.equal((await world.post(`/v1/users/${bo.id}/accept`, { run: refused.id, issue })).status, 409);
    const { data } = await (await world.ask(`/v1/runs/${refused.id}/issues`)).json();
    const other = data.find(({ code }: { code: string }) => code !== "identity_conflict").id;
    assert.equal((await world.post(`/v1/users/${ana.id}/accept`, { run: refused.id, issue: other })).status, 409);
    assert.equal(
      (await world.post(`/v1/users/${ana.id}/accept`, { run: refused.id, issue: "iss_0000000zzzz" })).status,
      404,
    );
  }));

test("a marriage, a nickname, another spelling and a new address alone make nobody somebody else", () =>
  importing(async (world) => {
    await world.import(csv(WIDE, "1,jo@acme.test,Jürgen,O'Neil-Groß,Clerk,yes", ...PEOPLE));
    for (
      const row of [
        "1,jo@acme.test,Juergen,ONeil Gross,Clerk,yes",
        "1,jo@acme.test,Jurgen,Groß,Clerk,yes",
        "1,jg@acme.test,Jürgen,Maier,Clerk,yes",
        "1,jg@acme.test,JM,Maier,Clerk,yes",
        "1,j2@acme.test,Maier,JM,Clerk,yes",
      ]
    ) {
      const run = await world.import(csv(WIDE, row, ...PEOPLE));
      assert.deepEqual([said(run), run.counts.updated], [[], 1], row);
    }
  }));

test("where the address is the key, both names have to differ, and an equal date of hire or number speaks for the same", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    const header = "email,first_name,last_name,hire_date,employee_id";
    const rest = NAMES.map((name, i) => `p${i}@acme.test,${name},2020-01-0${i + 1},${i}`);
    const info = (row: string) => csv(header, row, ...rest);
    await world.import(info("info@acme.test,Ana,Lopez,2019-03-01,E1"));
    for (
      const row of [
        "info@acme.test,Ana,Maier,2019-03-01,E1",
        "info@acme.test,Eve,Fox,2019-03-01,E1",
        "info@acme.test,Ana,Lopez,,E1",
      ]
    ) {
      assert.deepEqual(said(await world.import(info(row))), [], row);
    }
    const run = await world.import(info("info@acme.test,Zed,Young,2024-01-01,"));
    assert.deepEqual(said(run), ["2 identity_conflict"]);
  }));

test("somebody who had left, or was missing, comes back only as themselves", () =>
  importing(async (world) => {
    await world.import(file());
    await world.import(file(ANA_LEFT));
    // The same address speaks for the same person.
    assert.deepEqual(said(await world.import(file("1001,p0@acme.test,Ana,Maier,Clerk,yes"))), []);
    await world.import(file("1001,p0@acme.test,Ana,Maier,Clerk,no"));
    const without = csv("employee_id,first_name,last_name,is_active", "1001,Ana,Young,yes");
    assert.deepEqual(said(await world.import(without, { coverage: "diff" })), ["2 identity_conflict"]);
    assert.deepEqual(
      said(
        await world.import(csv("employee_id,first_name,last_name,is_active", "1001,Ana,Maier,yes"), {
          coverage: "diff",
        }),
      ),
      [],
    );
  }));

test("a leaver's row without an address contradicts nobody: only the leaving is taken", () =>
  importing(async (world) => {
    await world.import(file());
    const leaver = csv("employee_id,first_name,last_name,is_active", "1001,Somebody,Else,no");
    const run = await world.import(leaver, { coverage: "diff" });
    assert.deepEqual([said(run), run.counts.deactivated], [[], 1]);
    const ana = await world.person("1001");
    assert.deepEqual([ana.status, ana.first_name], ["inactive", "Ana"]);
  }));

test("a refused row neither ends an absence nor adds to it", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 2, missing_after_hours: 0 } });
    await world.import(file());
    const without = csv(WIDE, ...PEOPLE.slice(1));
    await world.import(without);
    const since = (await world.person("1001")).sources[0]!.missing_since;
    for (let i = 0; i < 2; i++) {
      await world.import(file(ZED), { name: `${i}.csv` });
      const ana = await world.person("1001");
      assert.deepEqual([ana.status, ana.sources[0]!.missing_since], ["active", since]);
    }
    await world.import(`${without}\n`);
    assert.equal((await world.person("1001")).status, "inactive");
  }));

test("rows of many people who would all become somebody else hold the run, and approving takes them for the same", () =>
  importing(async (world) => {
    await world.import(file());
    const shifted = PEOPLE.slice(0, 5).map((row, i) =>
      row.replace(/,p\d@acme.test,\w+,\w+/, `,n${i}@acme.test,New${i},Name${i}`)
    );
    const run = await world.import(file(...shifted));
    assert.ok(
      run.held_by.some(({ guard, count, limit, base }) =>
        guard === "contradictions" && count === 5 && limit === 4 && base === 8
      ),
    );
    assert.equal((await world.person("1001")).first_name, "Ana");
    assert.equal((await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash })).status, 202);
    await world.carry();
    assert.equal((await world.person("1001")).first_name, "New0");
    const four = PEOPLE.slice(0, 4).map((row, i) =>
      row.replace(/,p\d@acme.test,\w+,\w+/, `,x${i}@acme.test,Old${i},Person${i}`)
    );
    const fewer = await world.import(csv(WIDE, ...four), { coverage: "diff" });
    assert.equal(said(fewer).filter((code) => code.includes("identity_conflict")).length, 4);
  }));

test("a person with a new number, and nobody under the old one, keeps their record, history and reports", () =>
  importing(async (world) => {
    const header = `${HEADER},manager_id`;
    const rows = NAMES.map((name, i) => `${1001 + i},p${i}@acme.test,${name},${i === 0 ? "" : 1001}`);
    await world.import(csv(header, ...rows));
    const ana = await world.person("1001");
    const moved = ["2001,p0@acme.test,Ana,NOVAK,", ...rows.slice(1).map((row) => row.replace(/1001$/, "2001"))];
    for (const order of [moved, moved.toReversed()]) {
      const run = await world.import(csv(header, ...order), { mode: "plan" });
      const changed = run.changes.find(({ subject }) => subject.id === ana.id)!;
      assert.deepEqual([changed.action, changed.fields.employee_id], ["update", { before: "1001", after: "2001" }]);
      assert.deepEqual([run.counts.created, run.counts.missing, run.counts.failed], [0, 0, 0]);
    }
    await world.import(csv(header, ...moved), { name: "moved.csv" });
    const after = await world.person("2001");
    assert.deepEqual([after.id, after.sources.map(({ source_key }) => source_key)], [ana.id, ["2001"]]);
    assert.equal((await world.person("1002")).manager?.id, ana.id);
    assert.deepEqual((await world.import(csv(header, ...moved.toReversed()), { name: "again.csv" })).changes, []);
  }));

test("a new number is nobody's old one where that is in the file, where the file is only a part, or the hire dates differ", () =>
  importing(async (world) => {
    const header = `${HEADER},hire_date`;
    const rows = NAMES.map((name, i) => `${1001 + i},p${i}@acme.test,${name},2020-01-01`);
    await world.import(csv(header, ...rows));
    const twin = "2001,p0@acme.test,Ana,Novak,2020-01-01";
    const both = await world.import(csv(header, ...rows, twin), { mode: "plan" });
    assert.deepEqual([said(both), both.changes], [["2 duplicate_in_input", "10 duplicate_in_input"], []]);
    const part = await world.import(csv(header, twin), { mode: "plan", coverage: "diff" });
    assert.deepEqual([said(part), part.changes], [["2 identity_conflict"], []]);
    const other = await world.import(csv(header, twin.replace("2020", "2024"), ...rows.slice(1)), { mode: "plan" });
    assert.deepEqual([said(other), other.changes], [["2 identity_conflict"], []]);
  }));

test("0123 and 123 are two people where both are there with other addresses and names, else 123 has lost its zeros", () =>
  importing(async (world) => {
    const known = ["0123,ana@acme.test,Ana,Novak", "0124,bo@acme.test,Bo,Lind"], other = "123,zed@acme.test,Zed,Young";
    await world.import(csv(HEADER, ...known));
    for (const rows of [[...known, other], [other, ...known]]) {
      const run = await world.import(csv(HEADER, ...rows), { mode: "plan" });
      assert.deepEqual([said(run), run.counts.created], [[], 1]);
    }
    assert.deepEqual(said(await world.import(csv(HEADER, other), { coverage: "diff" })), ["2 zeros_lost"]);
    const same = await world.import(csv(HEADER, ...known, "123,zed@acme.test,Ana,Novak"));
    assert.deepEqual(said(same), ["4 zeros_lost"]);
  }));

test("a decision about a user who has changed since is refused, and nothing is decided", () =>
  importing(async (world) => {
    await world.import(file());
    const refused = await world.import(file(ZED));
    const { id } = await world.person("1001");
    const json = { run: refused.id, issue: await conflictOf(world, refused) };
    for (const path of [`/v1/users/${id}/accept`, `/v1/users/${id}/release`]) {
      for (const method of ["POST", "DELETE"]) {
        const headers = { "if-match": '"999"' };
        const answer = await world.ask(path, { method, headers, ...(method === "POST" ? { json } : {}) });
        assert.deepEqual([answer.status, (await answer.json()).code], [412, "stale"], `${method} ${path}`);
      }
    }
    assert.equal((await world.person("1001")).status, "active");
    for (const decision of ["accept", "release"]) {
      assert.equal((await world.ask(`/v1/users/${id}/${decision}`, { method: "DELETE" })).status, 404);
    }
  }));

/** Accepts every conflict of the run. */
async function acceptAll(world: Importing, run: Outcome): Promise<void> {
  const { data } = await (await world.ask(`/v1/runs/${run.id}/issues`)).json();
  for (const { id: issue, line } of data) {
    const { id } = await world.person(file().split("\n")[line - 1]!.split(",")[0]!);
    assert.equal((await world.post(`/v1/users/${id}/accept`, { run: run.id, issue })).status, 200);
  }
}

/** The people, with these values in place of one column of the first ones: a sheet of which a part was sorted. */
function sorted(column: number, values: readonly string[]): string {
  return file(...values.map((value, row) => PEOPLE[row]!.split(",").with(column, value).join(",")));
}

test("people who get each other's address are refused, two or more in a circle, until each row is accepted", () =>
  importing(async (world) => {
    await world.import(file());
    const swapped = sorted(1, ["p1@acme.test", "p0@acme.test"]);
    const run = await world.import(swapped);
    assert.deepEqual([said(run), run.changes], [["2 identity_conflict", "3 identity_conflict"], []]);
    assert.match(run.issues[0]!.message, /its email is that of Bo Lind .* whose row takes another's in turn/);
    const circle = await world.import(sorted(1, ["p1@acme.test", "p2@acme.test", "p0@acme.test"]));
    assert.deepEqual(said(circle), ["2 identity_conflict", "3 identity_conflict", "4 identity_conflict"]);
    await acceptAll(world, run);
    const accepted = await world.import(swapped, { name: "again.csv" });
    assert.deepEqual([said(accepted), accepted.counts.updated], [[], 2]);
    assert.equal((await world.person("1001")).email, "p1@acme.test");
    // An address that goes on, and whose owner has a new one, is no exchange.
    const on = await world.import(sorted(1, ["p1@acme.test", "p0@acme.test", "new@acme.test", "p2@acme.test"]));
    assert.deepEqual([said(on), on.counts.updated], [[], 2]);
  }));

test("a column of addresses that was sorted alone holds the run", () =>
  importing(async (world) => {
    await world.import(file());
    const run = await world.import(sorted(1, PEOPLE.map((_, i) => `p${(i + 1) % PEOPLE.length}@acme.test`)));
    assert.equal(run.status, "held");
    assert.deepEqual(run.held_by.find(({ guard }) => guard === "contradictions"), {
      guard: "contradictions",
      count: 8,
      limit: 4,
      base: 8,
    });
  }));

test("somebody who gets the names of another whose row changes too is refused, until the row is accepted", () =>
  importing(async (world) => {
    await world.import(file());
    // Bo's row has Ana's names, and Cy's has Bo's.
    const shifted = file(
      "1001,p0@acme.test,Zoe,Novak,Clerk,yes",
      "1002,p1@acme.test,Ana,Novak,Clerk,yes",
      "1003,p2@acme.test,Bo,Lind,Clerk,yes",
    );
    const run = await world.import(shifted);
    assert.deepEqual(said(run), ["2 identity_conflict", "3 identity_conflict", "4 identity_conflict"]);
    assert.match(run.issues[0]!.message, /it has other names, and the row of Bo Lind .* has the names of before/);
    assert.match(run.issues[1]!.message, /its names are those of Ana Novak .* whose row has other names now/);
    assert.equal((await world.person("1002")).first_name, "Bo");
    await acceptAll(world, run);
    const accepted = await world.import(shifted, { name: "again.csv" });
    assert.deepEqual([said(accepted), accepted.counts.updated], [[], 3]);
    // Two people may be called alike, as long as one of them stays who they are.
    const alike = await world.import(file(...shifted.split("\n").slice(1, 4), "1004,p3@acme.test,Ana,Novak,Clerk,yes"));
    assert.deepEqual([said(alike), alike.counts.updated], [[], 1]);
  }));

test("somebody new with both names of a person whose own row has others now is refused, until that row is accepted", () =>
  importing(async (world) => {
    await world.import(file());
    const mixed = file(
      "1001,p0@acme.test,Zoe,Young,Clerk,yes",
      ...PEOPLE.slice(1),
      "1009,ana@acme.test,Ana,Novak,,yes",
    );
    const run = await world.import(mixed);
    assert.deepEqual([said(run), run.counts.created], [["2 identity_conflict", "10 identity_conflict"], 0]);
    assert.match(run.issues[0]!.message, /it has other names, and the row of somebody new has the names of before/);
    assert.match(run.issues[1]!.message, /its names are those of Ana Novak .* whose row has other names now/);
    const { data } = await (await world.ask(`/v1/runs/${run.id}/issues`)).json();
    const ana = await world.person("1001");
    const row = { run: run.id, issue: data.find(({ line }: { line: number }) => line === 2).id };
    assert.equal((await world.post(`/v1/users/${ana.id}/accept`, row)).status, 200);
    const accepted = await world.import(mixed, { name: "again.csv" });
    assert.deepEqual([said(accepted), accepted.counts.updated, accepted.counts.created], [[], 1, 1]);
    // Whoever has married has given one name up, and somebody else may have both.
    const married = await world.import(file(
      "1001,p0@acme.test,Zoe,Young,Clerk,yes",
      "1002,p1@acme.test,Bo,Maier,Clerk,yes",
      ...PEOPLE.slice(2),
      "1009,ana@acme.test,Ana,Novak,,yes",
      "1010,bo@acme.test,Bo,Lind,,yes",
    ));
    assert.deepEqual([said(married), married.counts.updated, married.counts.created], [[], 1, 1]);
  }));

const HIRED = `${HEADER},is_active,hire_date`;
const HIRED_PEOPLE = NAMES.map((name, i) => `${1001 + i},p${i}@acme.test,${name},yes,2020-01-0${i + 1}`);

test("a new number with the email and one name of somebody who is gone waits for a decision; an equal hire date decides", () =>
  importing(async (world) => {
    await world.import(csv(HIRED, ...HIRED_PEOPLE));
    const ana = await world.person("1001");
    const married = (hired: string) => csv(HIRED, `2001,p0@acme.test,Ana,Maier,yes,${hired}`, ...HIRED_PEOPLE.slice(1));
    const run = await world.import(married(""));
    assert.deepEqual([said(run), run.counts.missing], [["2 identity_conflict"], 0]);
    assert.match(run.issues[0]!.message, /it may be the new employee_id of Ana Novak .*the email and one of the names/);
    const done = await world.import(married("2020-01-01"));
    assert.deepEqual([said(done), done.counts.updated], [[], 1]);
    const now = await world.person("2001");
    assert.deepEqual([now.id, now.last_name], [ana.id, "Maier"]);
  }));

test("a new number with the names of somebody who is gone, but another address, waits for a decision: accepted or released", () =>
  importing(async (world) => {
    await world.import(csv(HIRED, ...HIRED_PEOPLE));
    const ana = await world.person("1001"), bo = await world.person("1002");
    const text = csv(
      HIRED,
      "2001,ana@new.acme.test,Ana,Novak,yes,",
      "2002,bo@new.acme.test,Bo,Lind,yes,2024-05-01",
      ...HIRED_PEOPLE.slice(2),
    );
    const run = await world.import(text);
    assert.deepEqual(said(run), ["2 identity_conflict", "3 identity_conflict"]);
    assert.equal(run.counts.missing, 0);
    const { data } = await (await world.ask(`/v1/runs/${run.id}/issues`)).json();
    const [first, second] = data.map(({ id: issue }: { id: string }) => ({ run: run.id, issue }));
    assert.equal((await world.post(`/v1/users/${ana.id}/accept`, first)).status, 200);
    assert.equal((await world.post(`/v1/users/${bo.id}/release`, second)).status, 200);
    assert.equal((await world.ask(`/v1/users/${bo.id}/release`, { method: "DELETE" })).status, 200);
    const { sources } = await (await world.ask(`/v1/users/${bo.id}`)).json();
    assert.deepEqual(sources.map(({ source_key }: { source_key: string }) => source_key), ["1002"]);
    assert.equal((await world.post(`/v1/users/${bo.id}/release`, second)).status, 200);
    const again = await world.import(text, { name: "again.csv" });
    assert.deepEqual([said(again), again.counts.updated, again.counts.created], [[], 1, 1]);
    const now = await world.person("2001");
    assert.deepEqual([now.id, now.email], [ana.id, "ana@new.acme.test"]);
    assert.equal((await (await world.ask(`/v1/users/${bo.id}`)).json()).status, "inactive");
    assert.notEqual((await world.person("2002")).id, bo.id);
  }));

test("a new number and address make no second person, though the old address is in somebody else's refused row", () =>
  importing(async (world) => {
    await world.import(file());
    const ana = await world.person("1001");
    const run = await world.import(csv(
      WIDE,
      "2001,ana@new.acme.test,Ana,Novak,Clerk,yes",
      "1002,p0@acme.test,Bo,Lind,Clerk,yes",
      ...PEOPLE.slice(2),
    ));
    assert.deepEqual([said(run).sort(), run.counts.created], [["2 identity_conflict", "3 identity_conflict"], 0]);
    assert.match(run.issues[0]!.message, /it may be the new employee_id of Ana Novak/);
    assert.deepEqual([(await world.person("1001")).id, (await world.people()).length], [ana.id, PEOPLE.length]);
  }));

test("without addresses, a new number with both names of somebody who is gone waits for a decision", () =>
  importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { required_fields: ["first_name", "last_name"] } });
    const header = "employee_id,first_name,last_name";
    const rest = NAMES.slice(1).map((name, i) => `${1002 + i},${name}`);
    await world.import(csv(header, "1001,Ana,Novak", ...rest));
    const run = await world.import(csv(header, "2001,ana,NOVÁK", ...rest));
    assert.deepEqual([said(run), run.counts.missing], [["2 identity_conflict"], 0]);
  }));

test("a new number beside an inactive row of the old one is a new person, and the old record is named", () =>
  importing(async (world) => {
    await world.import(file());
    const run = await world.import(file(ANA_LEFT, "2001,p0@acme.test,Ana,Novak,Clerk,yes", ...PEOPLE.slice(1)));
    assert.deepEqual([said(run), run.counts.created, run.counts.deactivated], [["3 rehired_as_new"], 1, 1]);
    assert.match(run.issues[0]!.message, /"2001" was made a new person, as Ana Novak \(employee_id "1001"/);
  }));

test("a lost zero is a lost zero before it is a new number, and whom it names is not missing", () =>
  importing(async (world) => {
    const zeros = PEOPLE.map((row) => `0${row}`);
    await world.import(csv(WIDE, ...zeros));
    const run = await world.import(csv(WIDE, PEOPLE[0]!, PEOPLE[1]!.replace("p1@", "bo@"), ...zeros.slice(2)));
    assert.deepEqual([said(run), run.counts.missing], [["2 zeros_lost", "3 zeros_lost"], 0]);
  }));

test("an employee_id that is not the key does not lose its zeros, and may get them back", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    const rows = (id: (i: number) => string) =>
      csv("email,first_name,last_name,employee_id", ...NAMES.map((name, i) => `p${i}@acme.test,${name},${id(i)}`));
    await world.import(rows((i) => `00${i + 1}`));
    const run = await world.import(rows((i) => i < 3 ? `${i + 1}` : `00${i + 1}`));
    assert.deepEqual(said(run), ["2 zeros_lost", "3 zeros_lost", "4 zeros_lost"]);
    assert.deepEqual(run.issues.map(({ severity }) => severity), ["warning", "warning", "warning"]);
    assert.equal(run.counts.updated, 0);
    const more = await world.import(rows((i) => i < 1 ? "0001" : `00${i + 1}`));
    assert.deepEqual([said(more), more.counts.updated], [[], 1]);
  }));

test("a leaver with a new number gives the address to somebody new, in any order of rows", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { enabled: false }, identity: { enabled: false } } });
    const left = "2001,p0@acme.test,Ana,Novak,Clerk,no", comes = "2002,p0@acme.test,Zed,Young,Cook,yes";
    for (const rows of [[left, comes], [comes, left]]) {
      await world.import(file());
      const run = await world.import(csv(WIDE, ...PEOPLE.slice(1), ...rows), { mode: "plan" });
      assert.deepEqual([said(run), run.counts.created, run.counts.deactivated], [[], 1, 1]);
    }
  }));
