import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, csv, HEADER, type Importing, importing, said } from "../support/imports.ts";

const header = `${HEADER},manager_id`;
const NAMES = ["", "Ana,Lopez", "Bo,Berg", "Cy,Dahl", "Di,Eng", "Ed,Falk"];

/** Person `i` with manager `manager`. */
function person(i: number, manager: number | string = ""): string {
  return `${i},p${i}@acme.test,${NAMES[i]},${manager}`;
}

test("a manager may stand in a later row", () =>
  importing(async (world) => {
    const run = await world.import(csv(header, person(1, 3), person(2, 3), person(3)));
    assert.deepEqual([said(run), run.counts.created, run.counts.updated], [[], 3, 0]);
    assert.equal((await world.person("1")).manager?.employee_id, "3");
    const again = await world.import(csv(header, person(3), person(1, 3), person(2, 3)));
    assert.deepEqual([again.counts.unchanged, again.changes.length], [3, 0]);
  }));

test("an unknown manager is a warning and leaves the manager as it was; it is set by itself when the person appears", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 1)));
    const run = await world.import(csv(header, person(1), person(2, 9)));
    assert.deepEqual([said(run), run.status], [["3 manager_not_found"], "succeeded"]);
    assert.match(run.issues[0]!.message, /"9"/);
    assert.equal((await world.person("2")).manager?.employee_id, "1");
    const later = await world.import(csv(header, "9,p9@acme.test,Nine,N,"), { coverage: "diff" });
    assert.deepEqual([later.counts.created, later.counts.updated, later.counts.read], [1, 0, 1]);
    assert.equal((await world.person("2")).manager?.employee_id, "9");
    const all = await world.import(csv(header, person(1), person(2, 9), "9,p9@acme.test,Nine,N,"));
    assert.deepEqual([said(all), all.changes.length], [[], 0]);
  }));

test("a manager who is waited for stays so while nobody is updated, however often the file comes", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { update: false } });
    const file = csv(header, person(1, 9), person(2));
    await world.import(file);
    await world.import(file, { mode: "plan" });
    await world.import(csv(header, person(1, 9), person(2), person(3)));
    await world.import(csv(header, "9,p9@acme.test,Nine,N,"), { coverage: "diff" });
    assert.equal((await world.person("1")).manager?.employee_id, "9");
  }));

test("a manager who appears is set along with what else changes of the person, whatever that is", () =>
  importing(async (world) => {
    const changes = { update: ["title", "Lead"], leave: ["is_active", "no"] } as const;
    for (const [name, [column, value]] of Object.entries(changes)) {
      const [id, boss] = name === "update" ? ["2", "8"] : ["3", "9"];
      await world.import(csv(header, person(1), person(2), person(3)));
      await world.import(csv(header, person(Number(id), boss)), { coverage: "diff" });
      const [first, last] = NAMES[Number(id)]!.split(",");
      const rows = [
        `${id},p${id}@acme.test,${first},${last},${value}`,
        `${boss},b${boss}@acme.test,Boss,B,${column === "title" ? "" : "yes"}`,
      ];
      const run = await world.import(csv(`${HEADER},${column}`, ...rows), { coverage: "diff" });
      assert.deepEqual(run.changes.map(({ action }) => action), [
        name === "update" ? "update" : "deactivate",
        "create",
      ]);
      const person2 = await world.person(id);
      assert.equal(person2.manager?.employee_id, boss);
      assert.deepEqual([person2.title, person2.status], name === "update" ? ["Lead", "active"] : [null, "inactive"]);
      const again = await world.import(`${csv(`${HEADER},${column}`, ...rows)}\n`, { coverage: "diff" });
      assert.deepEqual(again.changes, []);
    }
  }));

test("somebody who is deactivated as missing keeps that when their manager appears in the same input", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(csv(header, person(1), person(2), person(3)));
    await world.import(csv(header, person(1), person(2), person(3, 9)));
    await world.import(csv(header, person(1), person(2), "9,p9@acme.test,Nine,N,"));
    const gone = await world.person("3");
    assert.deepEqual([gone.status, gone.manager?.employee_id], ["inactive", "9"]);
  }));

test("an unknown manager is set when another connection brings the person", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(`${HEADER},manager_email`, "1,p1@acme.test,Ana,Lopez,boss@acme.test"));
    await world.import(csv(HEADER, "9,boss@acme.test,Nine,N"), { connection: "second" });
    assert.equal((await world.person("1")).manager?.employee_id, "9");
  }));

test("a name that waits is forgotten when the row names another manager, or none", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 9), person(3, 9)));
    await world.import(csv(header, person(1), person(2, 1), person(3)));
    await world.import(csv(header, "9,p9@acme.test,Nine,N,"), { coverage: "diff" });
    assert.deepEqual([(await world.person("2")).manager?.employee_id, (await world.person("3")).manager], ["1", null]);
  }));

test("a manager who was waited for is set when they come, though another row of the report's is refused in that input", () =>
  importing(async (world) => {
    await world.import(csv(`${header},title`, `${person(1, 9)},Dev`));
    const boss = "9,p9@acme.test,Nine,N,,";
    const run = await world.import(csv(`${header},title`, boss, `${person(1, 9)},Dev`, `${person(1, 9)},Lead`));
    assert.deepEqual(said(run), ["3 duplicate_in_input", "4 duplicate_in_input"]);
    assert.equal((await world.person("1")).manager?.employee_id, "9");
  }));

test("a manager who was waited for does not take the place of one whom a source that counts more has named since", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(header, person(1, 9), person(2)), { connection: "second" });
    await world.import(csv(header, person(1, 2), person(2)));
    await world.import(csv(header, person(5), "9,p9@acme.test,Nine,N,"), { connection: "second", coverage: "diff" });
    assert.equal((await world.person("1")).manager?.employee_id, "2");
    // Once that one names nobody any more, the other's word counts.
    await world.import(csv(header, person(1), person(2)));
    await world.import(csv(header, person(1, 9), person(2)), { connection: "second" });
    assert.equal((await world.person("1")).manager?.employee_id, "9");
  }));

test("nor of one whom a file by hand has set, where edits are kept", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { manual_edits: "keep" } });
    await world.import(csv(header, person(1, 9), person(2)), { connection: "second" });
    await world.import(csv("employee_id,manager_id", "1,2"), { by_hand: "true", coverage: "diff" });
    await world.import(csv(header, "9,p9@acme.test,Nine,N,"), { connection: "second", coverage: "diff" });
    const { manager, edited_by_hand } = await world.person("1");
    assert.deepEqual([manager?.employee_id, edited_by_hand], ["2", ["manager"]]);
  }));

test("a name that waits is forgotten when the row names the person themselves, or closes a circle", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1, 9), person(2, 8), person(3, 2)));
    const run = await world.import(csv(header, person(1, 1), person(2, 3), person(3, 2)));
    assert.deepEqual(said(run), ["2 manager_is_self", "3 manager_cycle"]);
    await world.import(csv(header, "8,p8@acme.test,Ate,A,", "9,p9@acme.test,Nine,N,"), { coverage: "diff" });
    const managers = (await world.people()).map(({ manager }) => manager?.employee_id ?? null);
    assert.deepEqual(managers.slice(0, 3), [null, null, "2"]);
  }));

test("nobody is their own manager", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${header},title`, `${person(1, 1)},Lead`));
    assert.deepEqual([said(run), run.status], [["2 manager_is_self"], "succeeded"]);
    const { manager, title } = await world.person("1");
    assert.deepEqual([manager, title], [null, "Lead"]);
  }));

for (const length of [2, 3, 4]) {
  test(`a circle of ${length} is said with its path, and its managers are dropped`, () =>
    importing(async (world) => {
      const rows = Array.from({ length }, (_, i) => person(i + 1, i + 2 > length ? 1 : i + 2));
      const run = await world.import(csv(header, ...rows, person(5, 1)));
      assert.deepEqual(said(run), rows.map((_, i) => `${i + 2} manager_cycle`));
      assert.match(run.issues[0]!.message, new RegExp(rows.map((_, i) => `line ${i + 2}`).join(" → ") + " → line 2"));
      const people = await world.people();
      assert.deepEqual(people.map(({ manager }) => manager?.employee_id ?? null), [
        ...rows.map(() => null),
        "1",
      ]);
      // Said again each time, as nothing has got better.
      const again = await world.import(csv(header, person(5, 1), ...rows));
      assert.equal(again.issues.length, length);
    }));
}

test("a circle with people who are not in the input names them", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 1), person(3, 2)));
    const run = await world.import(csv(header, person(1, 3)), { coverage: "diff" });
    assert.deepEqual(said(run), ["2 manager_cycle"]);
    assert.match(run.issues[0]!.message, /circle: Ana Lopez.* → Cy Dahl.* → Bo Berg.* → Ana Lopez/);
    assert.equal((await world.person("1")).manager, null);
  }));

test("turning a tree upside down in one input is no circle", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 1), person(3, 2)));
    const run = await world.import(csv(header, person(1, 2), person(2, 3), person(3)));
    assert.deepEqual([said(run), run.counts.updated], [[], 3]);
    assert.deepEqual((await world.people()).map(({ manager }) => manager?.employee_id ?? null), ["2", "3", null]);
  }));

test("of id and email that disagree the id wins, with a warning", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(
        `${HEADER},manager_id,manager_email`,
        `${person(1)},`,
        `${person(2)},`,
        `${person(3, 1)},p2@acme.test`,
        `${person(4, 1)},p1@acme.test`,
        `${person(5, 77)},p2@acme.test`,
      ),
    );
    assert.deepEqual(said(run), ["4 manager_disagrees"]);
    assert.deepEqual((await world.people()).map(({ manager }) => manager?.employee_id ?? null), [
      null,
      null,
      "1",
      "1",
      "2",
    ]);
  }));

test("a blank manager is the top of the tree", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 1)));
    const run = await world.import(csv(header, person(1), person(2)));
    assert.equal(run.counts.updated, 1);
    assert.deepEqual(run.changes[0]!.fields.manager?.after, null);
    assert.equal((await world.person("2")).manager, null);
  }));

test("an absent manager column leaves managers alone, also when other fields change", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2, 1)));
    await world.import(csv(`${HEADER},title`, person(1, "A"), person(2, "B")));
    const { manager, title } = await world.person("2");
    assert.deepEqual([manager?.employee_id, title], ["1", "B"]);
  }));

test("a manager's change and other changes of one person are one change", () =>
  importing(async (world) => {
    await world.import(csv(`${header},title`, `${person(1)},`, `${person(2)},A`));
    const run = await world.import(csv(`${header},title`, `${person(1)},`, `${person(2, 1)},B`));
    assert.deepEqual([run.counts.updated, run.changes.length], [1, 1]);
    assert.deepEqual(Object.keys(run.changes[0]!.fields).toSorted(), ["manager", "title"]);
    assert.equal((await world.person("2")).version, 2);
  }));

test("a manager who takes another's email is found by the new one", () =>
  importing(async (world) => {
    const rows = (a: string, b: string) =>
      csv(
        `${HEADER},manager_email`,
        `1,${a}@acme.test,Ana,Lopez,`,
        `2,${b}@acme.test,Bo,Berg,`,
        ...[3, 4, 5].map((i) => `${person(i)}p1@acme.test`.replace(",,", ",")),
      );
    await world.import(rows("p1", "p2"));
    assert.equal((await world.person("3")).manager?.employee_id, "1");
    const run = await world.import(rows("p9", "p1"));
    assert.deepEqual([said(run), run.counts.updated], [[], 5]);
    assert.equal((await world.person("3")).manager?.employee_id, "2");
  }));

for (const email of [false, true]) {
  const what = email ? "email" : "employee_id";
  test(`a leaver whose row brings another ${what} is no longer found by the one before`, () =>
    importing(async (world) => {
      await world.connect("hr", { key: email ? "employee_id" : "email", limits: { identity: { enabled: false } } });
      const columns = `${HEADER},${email ? "manager_email" : "manager_id"},is_active`;
      const rows = (
        ana: string,
      ) => [`${ana},Ana,Lopez,,no`, `2,p2@acme.test,Bo,Berg,${email ? "p1@acme.test" : "1"},yes`];
      await world.import(csv(columns, "1,p1@acme.test,Ana,Lopez,,yes", "2,p2@acme.test,Bo,Berg,,yes"), {
        connection: "hr",
      });
      const left = rows(email ? "1,p9@acme.test" : "9,p1@acme.test");
      const run = await world.import(csv(columns, ...left), { connection: "hr" });
      assert.deepEqual([said(run), run.counts.deactivated], [["3 manager_not_found"], 1]);
      assert.equal((await world.person("2")).manager, null);
      const again = await world.import(csv(columns, ...left.toReversed()), { connection: "hr" });
      assert.deepEqual([said(again), again.changes.length], [["2 manager_not_found"], 0]);
    }));
}

test("a manager is found by id among people of other connections", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(HEADER, "1,p1@acme.test,Ana,Lopez"));
    await world.import(csv(header, person(2, 1)), { connection: "second" });
    assert.equal((await world.person("2")).manager?.employee_id, "1");
  }));

test("a person whose row failed is yet found as a manager, if the hub knows them", () =>
  importing(async (world) => {
    await world.import(csv(header, person(1), person(2)));
    const run = await world.import(csv(header, "1,p1@,Ana,Lopez,", person(2, 1), person(3, 1)));
    assert.deepEqual(said(run), ["2 email_invalid"]);
    assert.deepEqual([(await world.person("2")).manager?.employee_id, (await world.person("3")).manager?.employee_id], [
      "1",
      "1",
    ]);
  }));

/** Ids change hands, from 1 to 9, in some way that does not bring the row of 2, which names 1 as its manager. */
const HANDOVERS: { by: string; email?: true; act(world: Importing): Promise<unknown> }[] = [
  {
    by: "an input that names no managers",
    act: (world) =>
      world.import(csv(HEADER, "7,p1@acme.test,Ana,Lopez", "1,p9@acme.test,Nine,N"), {
        coverage: "diff",
        connection: "other",
      }),
  },
  {
    by: "an input that the row is not in",
    act: (world) =>
      world.import(csv(header, "7,p1@acme.test,Ana,Lopez,", "1,p9@acme.test,Nine,N,"), {
        coverage: "diff",
        connection: "other",
      }),
  },
  {
    by: "an input in which the row fails",
    act: (world) =>
      world.import(csv(header, "7,p1@acme.test,Ana,Lopez,", "1,p9@acme.test,Nine,N,", "2,broken@,Bo,Berg,1"), {
        coverage: "diff",
        connection: "other",
      }),
  },
  {
    by: "edits by hand",
    async act(world) {
      await world.edit(await world.person("1"), { employee_id: "7" });
      await world.edit(await world.person("9"), { employee_id: "1" });
    },
  },
  {
    by: "somebody new who takes the email of one who has left",
    email: true,
    async act(world) {
      await world.edit(await world.person("1"), { status: "inactive" });
      await world.import(csv(HEADER, "8,p1@acme.test,Eve,New"), { coverage: "diff", connection: "other" });
    },
  },
];

for (const { by, email, act } of HANDOVERS) {
  test(`a row is looked at again when its manager's ids have changed hands by ${by}`, () =>
    importing(async (world) => {
      await world.connect("other", {
        key: "email",
        limits: { identity: { enabled: false }, errors: { enabled: false } },
      });
      const named = email ? "manager_email" : "manager_id";
      // Once more in another order, so that the digests are there and hold.
      const rows = [`2,p2@acme.test,Bo,Berg,${email ? "p1@acme.test" : "1"}`, "3,p3@acme.test,Cy,Dahl,"];
      await world.import(csv(HEADER, "1,p1@acme.test,Ana,Lopez", "9,p9@acme.test,Nine,N"), { connection: "other" });
      await world.import(csv(`${HEADER},${named}`, ...rows));
      assert.equal((await world.person("2")).manager?.employee_id, "1");
      await world.import(csv(`${HEADER},${named}`, ...rows.toReversed()));
      await act(world);

      const run = await world.import(csv(`${HEADER},${named}`, ...rows));
      assert.deepEqual(said(run), []);
      assert.equal((await world.person("2")).manager?.email, email ? "p1@acme.test" : "p9@acme.test");
      if (email) assert.equal((await world.person("2")).manager?.employee_id, "8");
    }));
}

test("a ring of thousands is dissolved, and each is told the beginning of it, theirs first", () =>
  importing(async (world) => {
    const n = 3_000;
    const rows = Array.from({ length: n }, (_, i) => `${crowd(1, i + 1)},E${String((i + 1) % n + 1).padStart(4, "0")}`);
    const id = await world.handIn(csv(`${HEADER},manager_id`, ...rows));
    await world.carry();
    const run = await (await world.ask(`/v1/runs/${id}`)).json();
    assert.deepEqual([run.status, run.counts.created, run.counts.warned], ["succeeded", n, n]);
    const { data } = await (await world.ask(`/v1/runs/${id}/issues?limit=2`)).json();
    assert.match(data[1].message, /line 3 → line 4 → .* → line 12 → 2990 more → line 3\b/);
    assert.ok((await (await world.ask(`/v1/runs/${id}/failures.csv`)).text()).length < n * 500);
  }));

test("a manager who appears is the word of the connection that waited, also along with another's change", () =>
  importing(async (world) => {
    await world.connect("second");
    const text = (...lines: string[]) => csv(`${HEADER},manager_id`, ...lines);
    await world.import(text(person(2, 9)), { connection: "second" });
    await world.import(csv(`${HEADER},title`, "2,p2@acme.test,Bo,Berg,Clerk", "9,p9@acme.test,Nine,N,"));
    assert.equal((await world.person("2")).manager?.employee_id, "9");
    const taken = await world.import(text(person(2)), { connection: "second" });
    assert.deepEqual([said(taken), taken.counts.updated, (await world.person("2")).manager], [[], 1, null]);
  }));

for (const field of ["manager_id", "manager_email"] as const) {
  test(`a leaver is found as a manager by what their row brings: ${field}`, () =>
    importing(async (world) => {
      await world.connect("hr", { key: field === "manager_id" ? "email" : "employee_id" });
      const columns = `${HEADER},${field},is_active`;
      const [before, after, named] = field === "manager_id"
        ? ["1,p1@acme.test", "9,p1@acme.test", "9"]
        : ["1,p1@acme.test", "1,p9@acme.test", "p9@acme.test"];
      const send = (...lines: string[]) => world.import(csv(columns, ...lines), { connection: "hr" });
      await send(`${before},Ana,Lopez,,yes`, "2,p2@acme.test,Bo,Berg,,yes", "3,p3@acme.test,Cy,Dahl,,yes");
      const run = await send(
        `${after},Ana,Lopez,,no`,
        `2,p2@acme.test,Bo,Berg,${named},yes`,
        "3,p3@acme.test,Cy,Dahl,,yes",
      );
      assert.deepEqual([run.counts.deactivated, run.counts.updated, run.counts.failed], [1, 1, 0]);
      const { manager } = await world.person("2");
      assert.equal(manager?.id, (await world.person(field === "manager_id" ? "9" : "p9@acme.test")).id);
    }));
}
