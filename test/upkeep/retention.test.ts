/** How long an organization keeps leavers and history: who is erased, when, who is not, and what a wrong clock does. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_RETENTION } from "../../src/model/retention.ts";
import type { Scope } from "../../src/model/scope.ts";
import { eraseUser } from "../../src/people/erase.ts";
import { verifyAudit } from "../../src/store/audit.ts";
import { applyRetention } from "../../src/upkeep/retention.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { seed } from "../support/chance.ts";
import { createRandom, type Random } from "../fuzz/random.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { csv, DAY_MS, HEADER, type Importing, importing, type Person } from "../support/imports.ts";

const MONTH_MS = 31 * DAY_MS;
const WITH_STATUS = `${HEADER},is_active`;

/** A line of a file with a status; the person is `E01` and so on. */
function row(n: number, isActive = true): string {
  const id = String(n).padStart(2, "0");
  return `E${id},p${id}@acme.test,First${id},Last${id},${isActive ? "yes" : "no"}`;
}

const rows = (count: number, leavers: number) => Array.from({ length: count }, (_, i) => row(i + 1, i >= leavers));

/** `count` people, the first `leavers` of whom have left just now. */
async function fill(world: Importing, count: number, leavers: number): Promise<Person[]> {
  await world.set("csv", { limits: { deactivate: { enabled: false }, update: { enabled: false } } });
  await world.import(csv(WITH_STATUS, ...rows(count, 0)));
  const people = await world.people();
  await world.import(csv(WITH_STATUS, ...rows(count, leavers)));
  return people;
}

async function keep(world: Importing, retention: object): Promise<void> {
  const answer = await world.ask("/v1/organization", { method: "PATCH", json: { retention } });
  assert.equal(answer.status, 200, await answer.clone().text());
  await answer.body?.cancel();
}

// deno-lint-ignore no-explicit-any
async function read(world: Importing, path: string): Promise<any> {
  const answer = await world.ask(path);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return await answer.json();
}

const state = (world: Importing) => read(world, "/v1/organization/retention");

/** A day later; the upkeep of that day is done to its end. */
async function nextDay(world: Importing, ms = DAY_MS): Promise<void> {
  world.later(ms);
  for (let i = 0; i < 5; i++) await world.tick();
}

/** Months pass in which the hub is at work each day; only the last two of these days matter. */
async function pass(world: Importing, months: number): Promise<void> {
  world.later(months * MONTH_MS);
  await world.tick();
  await nextDay(world);
}

/** Ids of people who are erased, in the order of their ids. */
async function erasedIds(world: Importing): Promise<number[]> {
  return (await world.hub.db.rows<[number]>(sql`select user_id from erasures order by user_id`)).flat();
}

const numbers = (world: Importing, people: readonly Person[]) => people.map(({ id }) => world.number("usr", id));

test("by default nobody is ever erased and no history deleted", async () => {
  await importing(async (world) => {
    await fill(world, 5, 2);
    await pass(world, 600);
    assert.deepEqual(await erasedIds(world), []);
    const { retention } = await read(world, "/v1/organization");
    assert.deepEqual(retention, { ...NO_RETENTION, held: null });
    const { due, due_in_30_days, held, next_pass_at } = await state(world);
    assert.deepEqual([due, due_in_30_days, held, next_pass_at], [0, 0, null, null]);
    assert.equal((await read(world, "/v1/changes")).deleted_until, null);
    assert.deepEqual((await read(world, "/v1/users?erasure_due_before=2200-01-01")).data, []);
  });
});

test("a leaver is erased as many months after they left as are set, by the retention, with an event; nobody else is", async () => {
  await importing(async (world) => {
    const people = await fill(world, 20, 2);
    await keep(world, { leavers_months: 24 });
    await pass(world, 23);
    const before = await state(world);
    assert.deepEqual([before.due, before.due_in_30_days], [0, 2]);
    const soon = new Date(world.hub.clock.ms + 30 * DAY_MS).toISOString();
    const { data } = await read(world, `/v1/users?erasure_due_before=${soon}`);
    assert.deepEqual(data.map(({ id }: Person) => id), people.slice(0, 2).map(({ id }) => id));
    assert.deepEqual(await erasedIds(world), []);

    await pass(world, 1);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 2)));
    assert.equal((await state(world)).due, 0);
    const { data: audit } = await read(world, "/v1/audit?action=user.erased");
    assert.deepEqual(
      audit.map(({ actor, subjects }: { actor: { kind: string }; subjects: string[] }) => [actor.kind, ...subjects]),
      [["retention", people[1]!.id], ["retention", people[0]!.id]],
    );
    const { data: events } = await read(world, "/v1/events?type=users.changed");
    assert.ok(
      events.some(({ data }: { data: { changes: { reason: string; subject: { id: string } }[] } }) =>
        data.changes[0]!.reason === "erased" && data.changes[0]!.subject.id === people[0]!.id
      ),
    );
    assert.deepEqual((await verifyAudit(world.hub.db, world.hub.organization.id)).broken, null);
  });
});

test("the time counts from when they last left: not from an import that still has them, nor from a time before they came back", async () => {
  await importing(async (world) => {
    const people = await fill(world, 20, 3);
    await keep(world, { leavers_months: 24 });
    await pass(world, 20);
    // The first is edited, the second comes back for good, and the third for a month.
    await world.import(csv(WITH_STATUS, row(1, false).replace("First01", "Other"), row(2), row(3), row(4), row(5)));
    await world.edit(await world.person("E01"), { title: "Lead" });
    await pass(world, 1);
    await world.import(csv(WITH_STATUS, row(3, false), row(4), row(5)));
    await pass(world, 4);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 1)));
    await pass(world, 21);
    assert.deepEqual(await erasedIds(world), numbers(world, [people[0]!, people[2]!]));
    assert.equal((await world.person("E02")).status, "active");
  });
});

test("when more are due at once than may be, nobody is erased until an admin approves just that many", async () => {
  await importing(async (world) => {
    Object.assign(world.hub, { mailFrom: "Muster <muster@example.com>" });
    const people = await fill(world, 60, 12);
    await keep(world, { leavers_months: 12 });
    await pass(world, 13);
    assert.deepEqual(await erasedIds(world), []);
    const held = await state(world);
    assert.deepEqual([held.held, held.limit, held.due], [12, 5, 12]);
    assert.equal((await read(world, "/v1/organization")).retention.held, 12);
    for (let day = 0; day < 4; day++) await nextDay(world);
    assert.deepEqual(await erasedIds(world), []);
    // Said once, and not each day.
    const { data: events } = await read(world, "/v1/events?type=retention.held");
    assert.deepEqual(events.map(({ data }: { data: object }) => data), [{
      organization: events[0].data.organization,
      people: 12,
      limit: 5,
    }]);
    assert.equal(
      (await read(world, "/v1/mails")).data.filter(({ type }: { type: string }) => type === "retention.held").length,
      1,
    );
    assert.equal((await read(world, "/v1/audit?action=retention.held")).data.length, 1);

    // One of them comes back: what was to be approved is no longer true.
    await world.import(csv(WITH_STATUS, row(1)), { coverage: "diff" });
    const refused = await world.post("/v1/organization/retention/approve", { count: 12 });
    assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
    assert.match(refused.body.detail, /11 leavers/);
    const { status, body } = await world.post("/v1/organization/retention/approve", { count: 11 });
    assert.deepEqual([status, body.held], [200, null]);
    await nextDay(world, 60_000);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(1, 12)));
    assert.equal((await read(world, "/v1/audit?action=retention.approved")).data[0].actor.kind, "token");
    const again = await world.post("/v1/organization/retention/approve", { count: 11 });
    assert.deepEqual([again.status, again.body.code], [409, "conflict"]);
  });
});

test(
  "what was approved is the people who were due then: who becomes due later is counted anew",
  { skip: onlyInCheck },
  async () => {
    await importing(async (world) => {
      await fill(world, 60, 12);
      world.later(5 * DAY_MS);
      await world.import(csv(WITH_STATUS, ...rows(60, 24).slice(12)), { coverage: "diff" });
      await keep(world, { leavers_months: 12 });
      // Of the year's 365 days the first twelve have had theirs, the others not yet.
      world.later(362 * DAY_MS);
      await world.tick();
      await nextDay(world);
      assert.equal((await state(world)).held, 12);
      await world.post("/v1/organization/retention/approve", { count: 12 });
      await nextDay(world, 60_000);
      for (let day = 0; day < 4; day++) await nextDay(world);
      assert.equal((await erasedIds(world)).length, 12);
      assert.equal((await state(world)).held, 12);
    });
  },
);

test(
  "an organization may set its own limit, and with other settings everything is decided anew",
  { skip: onlyInCheck },
  async () => {
    await importing(async (world) => {
      await fill(world, 60, 12);
      await keep(world, { leavers_months: 12 });
      await pass(world, 13);
      assert.equal((await state(world)).held, 12);
      await keep(world, { max_at_once: 12 });
      const { held, next_pass_at, limit } = await state(world);
      assert.deepEqual([held, next_pass_at, limit], [null, null, 12]);
      await world.tick();
      assert.deepEqual(await erasedIds(world), [], "there is a day to look at who is due");
      await nextDay(world);
      assert.equal((await erasedIds(world)).length, 12);
      const { data } = await read(world, "/v1/audit?action=retention.changed");
      assert.equal(data.length, 2);
      await keep(world, { max_at_once: 12 });
      assert.equal((await read(world, "/v1/audit?action=retention.changed")).data.length, 2, "nothing has changed");
    });
  },
);

test("a clock that jumps by a year erases nobody, and what it has begun ends once it is right again", async () => {
  await importing(async (world) => {
    await fill(world, 60, 12);
    await keep(world, { leavers_months: 12, history_months: 12, max_at_once: 100 });
    const right = world.hub.clock.ms + DAY_MS;
    await nextDay(world);
    await nextDay(world, 0);
    // Ahead for an hour, and back.
    world.hub.clock.ms = right + 400 * DAY_MS;
    await nextDay(world, 3_600_000);
    world.hub.clock.ms = right + DAY_MS;
    await nextDay(world);
    assert.deepEqual(await erasedIds(world), []);
    // Ahead for two days: those whom the second pass has let be erased are not, once the clock is right.
    world.hub.clock.ms = right + 400 * DAY_MS;
    await world.tick();
    world.later(DAY_MS);
    await applyRetention(world.hub, stopped());
    world.hub.clock.ms = right + 5 * DAY_MS;
    for (let day = 0; day < 5; day++) await nextDay(world);
    assert.deepEqual(await erasedIds(world), []);
    assert.ok((await world.run((await world.runs())[0]!.id)).changes.length > 0, "history stays, too");
  });
});

/** A time that is over at once, so that a pass decides and does nothing. */
function stopped(): () => number {
  let now = -1_000_000;
  return () => now += 1_000_000;
}

test("a clock that stays ahead by a year erases no more than the limit at once", { skip: onlyInCheck }, async () => {
  await importing(async (world) => {
    await fill(world, 60, 12);
    await keep(world, { leavers_months: 12 });
    await nextDay(world);
    world.later(400 * DAY_MS);
    for (let day = 0; day < 6; day++) await nextDay(world);
    assert.deepEqual(await erasedIds(world), []);
    assert.equal((await state(world)).held, 12);
  });
});

test("a hub that was killed in the middle goes on, and two at once erase nobody twice", async () => {
  await importing(async (world) => {
    const people = await fill(world, 60, 12);
    await keep(world, { leavers_months: 12, max_at_once: 100 });
    world.later(13 * MONTH_MS);
    await world.tick();
    world.later(DAY_MS);
    await applyRetention(world.hub, stopped());
    assert.equal((await erasedIds(world)).length, 0, "it was decided, and it is killed before it begins");
    await Promise.all([applyRetention(world.hub), applyRetention(world.hub)]);
    for (let i = 0; i < 3; i++) await Promise.all([applyRetention(world.hub), applyRetention(world.hub)]);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 12)));
    assert.equal((await read(world, "/v1/audit?action=user.erased&limit=200")).data.length, 12);
  });
});

test("who is in a plan that waits for a decision, or in a conflict that nobody has decided, waits; others do not", async () => {
  await importing(async (world) => {
    const people = await fill(world, 60, 3);
    await keep(world, { leavers_months: 12 });
    world.later(13 * MONTH_MS);
    await world.tick();
    const run = await world.import(csv(WITH_STATUS, row(1, true)), { coverage: "diff", mode: "plan" });
    // Somebody else has the number of the second.
    const conflict = await world.import(csv(WITH_STATUS, "E02,new@acme.test,Zoe,Zander,yes"), { coverage: "diff" });
    assert.deepEqual(conflict.issues.map(({ code }) => code), ["identity_conflict"]);
    await nextDay(world);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(2, 3)));
    await nextDay(world);
    assert.equal((await state(world)).due, 2);

    await world.post(`/v1/runs/${run.id}/cancel`);
    const { id } = conflict.issues[0] as unknown as { id: string };
    const decided = await world.post(`/v1/users/${people[1]!.id}/release`, { run: conflict.id, issue: id });
    assert.equal(decided.status, 200);
    await nextDay(world);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 3)));
  });
});

test("whom a person has approved and who has to wait needs no second approval", { skip: onlyInCheck }, async () => {
  await importing(async (world) => {
    const people = await fill(world, 60, 12);
    await keep(world, { leavers_months: 12 });
    await pass(world, 13);
    const run = await world.import(csv(WITH_STATUS, ...rows(60, 0).slice(0, 7)), { coverage: "diff", mode: "plan" });
    await world.post("/v1/organization/retention/approve", { count: 12 });
    await nextDay(world, 60_000);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(7, 12)));
    for (let day = 0; day < 3; day++) await nextDay(world);
    assert.deepEqual([(await state(world)).held, (await state(world)).due], [null, 7]);
    await world.post(`/v1/runs/${run.id}/cancel`);
    await nextDay(world);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 12)));
  });
});

test("somebody who was erased by hand is not due, and the same person who comes again is somebody new", {
  skip: onlyInCheck,
}, async () => {
  await importing(async (world) => {
    const people = await fill(world, 60, 1);
    await keep(world, { leavers_months: 12 });
    await eraseUser(world.hub, world.hub.organization.id, world.number("usr", people[1]!.id));
    await pass(world, 13);
    assert.deepEqual(await erasedIds(world), numbers(world, people.slice(0, 2)));
    assert.equal((await read(world, "/v1/audit?action=user.erased")).data.length, 2);
    await world.import(csv(WITH_STATUS, row(1)), { coverage: "diff" });
    await pass(world, 30);
    assert.equal((await world.person("E01")).status, "active");
  });
});

test("history from before the months is deleted: changes and reports; runs, the audit and people stay", async () => {
  await importing(async (world) => {
    const first = await world.import(
      csv(HEADER, "E1,p1@acme.test,Ann,Ash", "E2,bad,Bo,Berg", "E3,p3@acme.test,Cy,Cole"),
    );
    const person = await world.edit(await world.person("E1"), { title: "By hand" });
    world.later(8 * MONTH_MS);
    const second = await world.import(
      csv(HEADER, "E1,p1@acme.test,Anna,Ash", "E2,bad,Bo,Berg", "E3,p3@acme.test,Cy,Cole"),
    );
    const { resume_cursor } = await read(world, "/v1/changes?limit=1");
    await keep(world, { history_months: 6 });
    await pass(world, 0);
    await nextDay(world);

    for (const what of ["changes", "issues", "failures.csv", "failures.xlsx", "failures.json"]) {
      const answer = await world.ask(`/v1/runs/${first.id}/${what}`);
      assert.deepEqual([what, answer.status], [what, 404]);
      assert.match((await answer.json()).detail, /old history/);
    }
    const reverted = await world.post(`/v1/runs/${first.id}/revert`);
    assert.deepEqual([reverted.status, reverted.body.code], [409, "conflict"]);
    assert.equal((await read(world, `/v1/runs/${first.id}`)).counts.created, 2);
    const kept = await world.run(second.id);
    assert.deepEqual([kept.changes.length, kept.issues.length], [second.changes.length, second.issues.length]);

    const feed = await read(world, "/v1/changes");
    const seqs = kept.changes.map((change) => change.seq);
    assert.deepEqual(feed.data.map(({ seq }: { seq: number }) => seq), seqs);
    assert.ok(Date.parse(feed.deleted_until) < world.hub.clock.ms - 6 * 28 * DAY_MS);
    const later = await read(world, `/v1/changes?cursor=${resume_cursor}`);
    assert.deepEqual(
      later.data.map(({ seq }: { seq: number }) => seq),
      seqs,
      "an old cursor goes on with what is left",
    );
    const history = await read(world, `/v1/users/${person.id}/history`);
    assert.deepEqual(history.data.map(({ run }: { run: string }) => run), [second.id]);
    if (history.next_cursor !== null) {
      assert.deepEqual((await read(world, `/v1/users/${person.id}/history?cursor=${history.next_cursor}`)).data, []);
    }
    assert.equal((await world.person("E1")).first_name, "Anna");
    assert.equal((await read(world, "/v1/audit?action=history.deleted")).data.length, 1);
    assert.equal((await verifyAudit(world.hub.db, world.hub.organization.id)).broken, null);
    const left = await world.hub.db.rows(sql`select id from runs where id = ${world.number("run", first.id)}
      and (json_array_length(input, '$.columns') > 0 or exists (select 1 from change_pages where run_id = runs.id))`);
    assert.deepEqual(left, []);
  });
});

test("only who may erase people sets or approves it, other organizations are left alone, and odd settings are refused", async () => {
  await importing(async (world) => {
    await fill(world, 10, 1);
    const { hub } = world;
    const only = async (...scopes: Scope[]) => createAsk(hub, await createTestToken(hub, { scopes }));
    const operator = await only("operator", "users:read");
    const json = { retention: { leavers_months: 12 } };
    const refused = await operator("/v1/organizations/default", { method: "PATCH", json });
    assert.equal(refused.status, 403);
    assert.match((await refused.json()).detail, /users:erase/);
    const both = await only("operator", "users:erase");
    const done = await both("/v1/organizations/default", { method: "PATCH", json });
    assert.deepEqual([done.status, (await done.json()).retention.leavers_months], [200, 12]);
    const approval = { json: { count: 1 } };
    assert.equal((await operator("/v1/organization/retention/approve", approval)).status, 403);
    assert.equal((await (await only("users:read"))("/v1/organization/retention")).status, 200);
    assert.equal((await (await only("runs:read"))("/v1/organization/retention")).status, 403);
    for (const wrong of [{ leavers_months: 2 }, { history_months: 0.5 }, { max_at_once: 0 }, { months: 3 }]) {
      const answer = await world.ask("/v1/organization", { method: "PATCH", json: { retention: wrong } });
      assert.equal(answer.status, 400, JSON.stringify(wrong));
      await answer.body?.cancel();
    }
    await both("/v1/organizations", { json: { slug: "acme", name: "Acme" } });
    const other = createAsk(hub, await createTestToken(hub, { organization: "acme" }));
    assert.equal((await (await other("/v1/organization/retention")).json()).due, 0);
    assert.equal((await (await other("/v1/organization")).json()).retention.leavers_months, null);
    await pass(world, 13);
    assert.equal((await erasedIds(world)).length, 1);
  });
});

test(
  "whatever leaves and returns, and however often the clock jumps for hours, who is erased had been gone for long enough",
  {
    skip: onlyInCheck,
  },
  async () => {
    for (let world = 0; world < WORLDS; world++) {
      await importing(async (each) => await tryDays(each, createRandom(seed + world)));
    }
  },
);

const WORLDS = 5;
/** Three months have 89 days at least. A clock that is ahead by up to three days is not noticed. */
const DAYS = 150, ENOUGH_MS = (89 - 3) * DAY_MS, SURELY_MS = 92 * DAY_MS;

/** Days in which people leave and return by chance, and the clock is wrong for less than a day now and then. */
async function tryDays(world: Importing, { below, once, pick }: Random): Promise<void> {
  const { hub } = world;
  await world.set("csv", { limits: { deactivate: { enabled: false } } });
  await world.import(csv(HEADER, ...Array.from({ length: 12 }, (_, i) => `E${i},p${i}@acme.test,A,B`)));
  await keep(world, { leavers_months: 3, max_at_once: 100 });
  const goneSince = new Map<number, number | null>(numbers(world, await world.people()).map((id) => [id, null]));
  const erased = new Set<number>();
  const look = async (truth: number) => {
    await world.tick();
    for (const id of await erasedIds(world)) {
      if (erased.has(id)) continue;
      erased.add(id);
      const since = goneSince.get(id)!;
      assert.ok(
        since !== null && truth - since >= ENOUGH_MS,
        `seed ${seed}: ${id} was gone for ${truth - (since ?? truth)} ms`,
      );
    }
  };
  let truth = hub.clock.ms;
  for (let day = 0; day < DAYS; day++) {
    truth += DAY_MS;
    hub.clock.ms = truth;
    for (const [id, since] of goneSince) {
      if (erased.has(id) || !once(since === null ? 20 : 200)) continue;
      goneSince.set(id, since === null ? truth : null);
      await hub.db.write([hub.db.run(sql`update users set status = ${since === null ? "inactive" : "active"},
        updated_at = ${truth}, version = version + 1 where id = ${id}`)]);
    }
    await look(truth);
    if (!once(10)) continue;
    hub.clock.ms = truth + pick([1, -1]) * below(600) * DAY_MS;
    await look(truth);
    world.later(3_600_000);
    await look(truth);
  }
  // Then the clock is right.
  for (let day = 0; day < 5; day++) {
    hub.clock.ms = truth += DAY_MS;
    await look(truth);
  }
  for (const [id, since] of goneSince) {
    if (since !== null && truth - since > SURELY_MS) assert.ok(erased.has(id), `seed ${seed}: ${id} is left`);
  }
}
