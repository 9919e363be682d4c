import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, csv, HEADER, HOUR_MS, type Importing, importing, type Outcome } from "../support/imports.ts";

const EUROPE = crowd(6), ASIA = crowd(6, 101), AFRICA = crowd(6, 201);
const people = (...lines: readonly string[]) => csv(HEADER, ...lines);
const titled = (title: string, lines: readonly string[]) =>
  csv(`${HEADER},title`, ...lines.map((l) => `${l},${title}`));

const statuses = async (world: Importing) => (await world.runs()).map(({ status }) => status);
const guards = (run: Outcome) => run.held_by.map(({ guard, count, limit }) => `${guard} ${count} > ${limit}`);

test("a newer file with another date in its name and the same people takes the place of the older one", () =>
  importing(async (world) => {
    await world.handIn(titled("Old", EUROPE), { name: "people_2026-11-29.csv" });
    await world.handIn(titled("New", EUROPE.slice(0, 3)), { name: "people_2026-11-30.csv" });
    await world.carry();
    assert.deepEqual(await statuses(world), ["superseded", "succeeded"]);
    assert.deepEqual((await world.people()).map(({ title }) => title), ["New", "New", "New"]);
  }));

test("files with other names, or with other people under the same name, are all applied, the oldest first", () =>
  importing(async (world) => {
    await world.handIn(titled("Europe", EUROPE), { name: "Europe.csv" });
    await world.handIn(titled("Asia", [...ASIA, EUROPE[0]!]), { name: "Asia.csv" });
    await world.handIn(titled("Africa", AFRICA), { name: "Asia.csv" });
    await world.carry();
    assert.deepEqual(await statuses(world), ["succeeded", "succeeded", "succeeded"]);
    assert.equal((await world.people()).length, 18);
    assert.equal((await world.person("E0001")).title, "Asia");
    // Nobody is missing who is in one of them.
    assert.ok((await world.people()).every(({ sources }) => sources[0]!.missing_since === null));
  }));

async function regions(world: Importing, europe = EUROPE, asia = ASIA): Promise<[Outcome, Outcome]> {
  const ids = [
    await world.handIn(people(...europe), { name: "Europe.csv" }),
    await world.handIn(people(...asia), { name: "Asia.csv" }),
  ];
  await world.carry();
  return [await world.run(ids[0]!), await world.run(ids[1]!)];
}

async function approve(world: Importing, run: Outcome): Promise<void> {
  const { plan_hash } = await world.run(run.id);
  assert.equal((await world.post(`/v1/runs/${run.id}/approve`, { plan_hash })).status, 202);
  await world.carry();
}

const DEACTIVATE = { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 };
const CAREFUL = { policy: DEACTIVATE, limits: { deactivate: { enabled: false }, create: { enabled: false } } };

test("where absence deactivates, several files are held until somebody says that together they hold everybody", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const [europe, asia] = await regions(world);
    assert.deepEqual([europe.status, guards(europe), asia.status], ["held", ["parts 2 > 1"], "queued"]);
    assert.equal((await world.people()).length, 0);
    await approve(world, europe);
    assert.deepEqual(await statuses(world), ["succeeded", "succeeded"]);
    assert.equal((await world.people()).length, 12);
  }));

test("missing is who is in none of the files", () =>
  importing(async (world) => {
    await world.set("csv", { ...CAREFUL, policy: { ...DEACTIVATE, pick: "all" } });
    await regions(world);
    const [europe, asia] = await regions(world, EUROPE.slice(1), ASIA.slice(1));
    assert.deepEqual([europe.counts.missing, asia.counts.missing], [0, 2]);
    const left = (await world.people()).filter(({ status }) => status === "inactive");
    assert.deepEqual(left.map(({ employee_id }) => employee_id), ["E0001", "E0101"]);
  }));

test("another file that comes while several are held is held with them, and the approval that was looked at before does not count", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const [europe] = await regions(world);
    await world.handIn(people(...AFRICA), { name: "Africa.csv" });
    await world.carry();
    const now = await world.run(europe.id);
    assert.deepEqual([now.status, guards(now)], ["held", ["parts 3 > 1"]]);
    const answer = await world.post(`/v1/runs/${europe.id}/approve`, { plan_hash: europe.plan_hash });
    assert.deepEqual([answer.status, answer.body.code], [409, "plan_changed"]);
    await approve(world, europe);
    assert.deepEqual(await statuses(world), ["succeeded", "succeeded", "succeeded"]);
    assert.equal((await world.people()).filter(({ status }) => status === "active").length, 18);
  }));

test("a newer version of one of the files takes its place among them", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    await regions(world);
    const [europe] = await world.runs();
    await world.handIn(titled("New", ASIA), { name: "Asia_2.csv" });
    await world.carry();
    assert.deepEqual(guards(await world.run(europe!.id)), ["parts 2 > 1"]);
    await approve(world, await world.run(europe!.id));
    assert.deepEqual(await statuses(world), ["succeeded", "superseded", "succeeded"]);
    assert.equal((await world.people()).filter(({ status }) => status === "active").length, 12);
    assert.equal((await world.person("E0101")).title, "New");
  }));

test("once one of two files is cancelled, the other is everybody", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const [europe, asia] = await regions(world);
    await world.post(`/v1/runs/${europe.id}/cancel`);
    await world.carry();
    const after = await world.run(asia.id);
    assert.deepEqual([after.status, after.held_by, (await world.people()).length], ["succeeded", [], 6]);
  }));

test("where files always belong together, nobody is missing from the others when one is held for its changes, and cancelled", () =>
  importing(async (world) => {
    await world.set("csv", { ...CAREFUL, policy: { ...DEACTIVATE, pick: "all" } });
    await regions(world);
    const [europe, asia] = await regions(world, EUROPE.map((line) => line.replace("@", "@new.")), ASIA.slice(1));
    assert.deepEqual([europe.status, guards(europe), asia.status], ["held", ["identity 6 > 2"], "queued"]);
    await world.post(`/v1/runs/${europe.id}/cancel`);
    await world.carry();
    const after = await world.run(asia.id);
    assert.deepEqual([after.status, after.complete, after.counts.missing], ["succeeded", false, 0]);
    assert.ok((await world.people()).every(({ status }) => status === "active"));
  }));

test("files that come together count as one for the grace of missing people", () =>
  importing(async (world) => {
    const policy = { missing: "deactivate", missing_after_runs: 2, missing_after_hours: 12, pick: "all" };
    await world.set("csv", { policy, limits: CAREFUL.limits });
    const gone = async () => (await world.people()).filter(({ status }) => status === "inactive").length;
    await regions(world);
    await regions(world, EUROPE.slice(1));
    world.later(13 * HOUR_MS);
    assert.equal(await gone(), 0);
    const [europe, asia] = await regions(world, EUROPE.slice(1));
    assert.deepEqual([europe.counts.missing, asia.counts.missing, await gone()], [0, 1, 1]);
    // The count begins anew for somebody who was away from one day's files alone.
    await regions(world, EUROPE.slice(2));
    assert.equal(await gone(), 1);
  }));

test("nobody is missing when one of the files cannot be used, or may have been cut off", () =>
  importing(async (world) => {
    await world.set("csv", { ...CAREFUL, policy: { ...DEACTIVATE, pick: "all" } });
    await regions(world);
    for (const europe of [people(...EUROPE.slice(1)).trimEnd(), csv(HEADER, "E0001,ana,,", ",b@acme.test,B,B")]) {
      await world.handIn(europe, { name: "Europe.csv" });
      const id = await world.handIn(people(...ASIA.slice(1)), { name: "Asia.csv" });
      await world.carry();
      const asia = await world.run(id);
      assert.deepEqual([asia.status, asia.complete, asia.counts.missing], ["succeeded", false, 0]);
      assert.deepEqual(asia.issues.map(({ code }) => code), ["missing_unclear"]);
    }
    assert.ok((await world.people()).every(({ status }) => status === "active"));
  }));

test("the columns of files that come together are compared as those of one", () =>
  importing(async (world) => {
    const many = crowd(30, 301);
    const send = async (asia: string) => {
      await world.handIn(titled("Clerk", many), { name: "Europe.csv" });
      await world.handIn(titled(asia, ASIA), { name: "Asia.csv" });
      await world.carry();
      return await world.run((await world.runs()).at(-1)!.id);
    };
    await send("Clerk");
    assert.equal((await send("")).status, "succeeded");
    await world.import(titled("Clerk", ASIA), { name: "Asia.csv" });
    const alone = await world.import(titled("", ASIA), { name: "Asia.csv" });
    assert.deepEqual([alone.status, alone.held_by[0]?.guard], ["held", "column"]);
  }));

test("a held file gives way to a newer one of the same name or with the same people, and to no other", () =>
  importing(async (world) => {
    await world.import(titled("", crowd(20)), { name: "staff-1.csv" });
    const moved = (k: number) => csv(HEADER, ...crowd(20).map((line, i) => i < k ? line.replace("@", "@new.") : line));
    const held = await world.import(moved(9), { name: "staff-2.csv" });
    assert.deepEqual([held.status, guards(held)], ["held", ["identity 9 > 2"]]);
    const other = await world.import(people(...ASIA), { name: "other.csv" });
    const alike = await world.import(people(...ASIA, ...AFRICA), { name: "staff-3.csv" });
    assert.deepEqual([(await world.run(held.id)).status, other.status, alike.status], ["held", "queued", "queued"]);
    const newer = await world.import(moved(1), { name: "staff-4.csv" });
    assert.equal((await world.run(held.id)).status, "superseded");
    // What waited in between goes first.
    const times = await Promise.all([other, alike, newer].map(async ({ id }) => (await world.run(id)).finished_at!));
    assert.deepEqual(await statuses(world), ["succeeded", "superseded", "succeeded", "succeeded", "succeeded"]);
    assert.deepEqual(times, times.toSorted());
    assert.equal((await world.people()).length, 32);
  }));

test("a newer version of the file that is held for the others takes its place, behind the files that came before it", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const [europe, asia] = await regions(world);
    const newer = await world.import(titled("New", EUROPE), { name: "Europe.csv" });
    const held = await world.run(asia.id);
    assert.deepEqual([(await world.run(europe.id)).status, newer.status], ["superseded", "queued"]);
    assert.deepEqual(guards(held), ["parts 2 > 1"]);
    await approve(world, held);
    assert.deepEqual(await statuses(world), ["superseded", "succeeded", "succeeded"]);
    assert.ok((await world.people()).every(({ status }) => status === "active"));
  }));

test("an approved set of files is asked about again when yet another one has come meanwhile", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const [europe, asia] = await regions(world);
    const { plan_hash } = await world.run(europe.id);
    await world.post(`/v1/runs/${europe.id}/approve`, { plan_hash });
    await world.handIn(people(...AFRICA), { name: "Africa.csv" });
    await world.carry();
    assert.deepEqual(await statuses(world), ["succeeded", "held", "queued"]);
    assert.deepEqual(guards(await world.run(asia.id)), ["parts 3 > 1"]);
    await approve(world, asia);
    assert.deepEqual(await statuses(world), ["succeeded", "succeeded", "succeeded"]);
    assert.ok((await world.people()).every(({ status }) => status === "active"));
  }));

test("a process that dies between any two writes leaves what one that lives leaves", () =>
  importing(async (world) => {
    await world.set("csv", { ...CAREFUL, policy: { ...DEACTIVATE, pick: "all" } });
    await regions(world);
    await world.handIn(people(...EUROPE.slice(1)), { name: "Europe.csv" });
    await world.handIn(people(...ASIA.slice(1)), { name: "Asia.csv" });
    for (const after of [0, 2, 3, 5, 6, 8, 4, 3, 7]) {
      let writes = 0;
      const dying = {
        ...world.hub,
        db: {
          ...world.hub.db,
          write: async (statements: Parameters<typeof world.hub.db.write>[0]) => {
            if (writes++ < after) return await world.hub.db.write(statements);
            throw new Error("The process is dead");
          },
        },
      };
      await assert.rejects(world.carry({ owner: `life ${after}`, isGone: () => true }, dying));
    }
    await world.carry({ owner: "the last life", isGone: () => true });
    const [europe, asia] = (await world.runs()).slice(-2);
    assert.deepEqual([europe!.status, asia!.status, europe!.counts.missing, asia!.counts.missing], [
      "succeeded",
      "succeeded",
      0,
      2,
    ]);
    const left = (await world.people()).filter(({ status }) => status === "inactive");
    assert.deepEqual(left.map(({ employee_id }) => employee_id), ["E0001", "E0101"]);
  }));

test("a new number is known by the old one's being in none of the files, once all of them have been read", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { pick: "all" } });
    await regions(world);
    const renumbered = (line: string) => line.replace("E0", "N0");
    const [, asia] = await regions(world, EUROPE, [renumbered(ASIA[0]!), ...ASIA.slice(1), renumbered(EUROPE[0]!)]);
    assert.deepEqual([asia.counts.updated, asia.counts.failed], [1, 1]);
    assert.equal((await world.person("N0101")).email, "p0101@acme.test");
    assert.equal((await world.people()).length, 12);
  }));

test("an older file waits for the newer one that is held for both, where that one was carried first", () =>
  importing(async (world) => {
    await world.set("csv", CAREFUL);
    const older = await world.handIn(people(...EUROPE), { name: "Europe.csv" });
    const newer = await world.handIn(people(...ASIA), { name: "Asia.csv" });
    // As `muster import` does, which carries its own run.
    await world.carry({ runId: world.number("run", newer) });
    await world.carry();
    assert.deepEqual(await statuses(world), ["queued", "held"]);
    await approve(world, await world.run(newer));
    assert.equal((await world.run(older)).status, "succeeded");
    assert.equal((await world.people()).filter(({ status }) => status === "active").length, 12);
  }));
