/** What is told of runs, connections and people, and that it is told with what it tells or not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { bytesOf, endpointDisabled, MAX_DATA_BYTES, runHeld, usersChanged } from "../../src/model/event.ts";
import { encodeId } from "../../src/model/id.ts";
import type { ChangeView } from "../../src/model/change.ts";
import { eventStatements } from "../../src/store/notify/events.ts";
import { CODES } from "../../src/model/codes.ts";
import type { RunView } from "../../src/model/run.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, DAY_MS, HEADER, type Importing, importing } from "../support/imports.ts";

// deno-lint-ignore no-explicit-any
type Told = { id: string; type: string; timestamp: string; data: any };

/** The oldest first. */
async function events(world: Importing, type?: string): Promise<Told[]> {
  const path = `/v1/events?limit=200${type === undefined ? "" : `&type=${type}`}`;
  return (await (await world.ask(path)).json()).data.reverse();
}
const types = (told: readonly Told[]) => told.map(({ type }) => type);

const BAD = csv(HEADER, "1,ana@,Ana,Lopez", "2,tom@acme.test,Tom,Marsh");
const GOOD = csv(HEADER, "1,ana@acme.test,Ana,Lopez", "2,tom@acme.test,Tom,Marsh");
const BROKEN = csv("first_name,last_name", "Ana,Lopez");

test("a run that changes people is told once, with its changes in the order of the feed, and then as completed", async () => {
  await importing(async (world) => {
    const run = await world.import(GOOD);
    const told = await events(world);
    assert.deepEqual(types(told), ["users.changed", "run.completed"]);
    const [changed, completed] = told as [Told, Told];
    const feed = (await (await world.ask("/v1/changes")).json()).data;
    assert.deepEqual(changed.data.changes, feed);
    const organization = { id: encodeId("org", world.hub.organization.id), slug: "default" };
    const [first, last] = [feed[0].seq, feed.at(-1).seq];
    assert.deepEqual(
      { ...changed.data, changes: null },
      { organization, first_seq: first, last_seq: last, count: 2, truncated: false, changes: null },
    );
    const { issues: _, changes: _changes, ...view } = run;
    assert.deepEqual(completed.data, { organization, run: view });
    assert.deepEqual(await (await world.ask(`/v1/events/${completed.id}`)).json(), completed);
    // Nothing changes, so nobody is told of changes.
    world.later(1000);
    await world.import(`${GOOD}\n`);
    assert.deepEqual(types(await events(world)).slice(2), ["run.completed"]);
  });
});

test("issues are told with counts of new and repeated ones, without values, and with room for links", async () => {
  await importing(async (world) => {
    await world.import(BAD);
    const again = await world.import(BAD.replace("Marsh", "Marsch"));
    const [first, second] = await events(world, "run.failures") as [Told, Told];
    const { when, todo } = CODES.email_invalid;
    const issue = { line: 2, code: "email_invalid", field: "email", message: when, suggestion: todo };
    assert.deepEqual(first.data.issues, [{ ...issue, user: null, source_key: "1" }]);
    assert.deepEqual([first.data.new, first.data.repeated], [1, 0]);
    assert.deepEqual([second.data.new, second.data.repeated], [0, 1]);
    assert.deepEqual([first.data.truncated, second.data.truncated], [false, false]);
    assert.deepEqual(second.data.links, { csv: null, xlsx: null, json: null, page: null });
    assert.deepEqual([second.data.run.id, second.data.counts.failed], [again.id, 1]);
    assert.deepEqual(second.data.issues, first.data.issues, "with the code's own texts, so without a word of the row");
  });
});

test("one person's issue corrected and another's made the same night is a new one, and a row that only moved is not", async () => {
  await importing(async (world) => {
    const day = (...days: readonly string[]) =>
      csv(`${HEADER},hire_date`, ...days.map((hired, i) => `${i + 1},p${i + 1}@acme.test,Pia,Berg,${hired}`));
    await world.import(day("someday", "2020-01-01"));
    await world.import(day("2020-01-01", "someday"));
    await world.import(
      csv(`${HEADER},hire_date`, "2,p2@acme.test,Pia,Berg,someday", "1,p1@acme.test,Pia,Berg,2020-01-01"),
    );
    const counts = (await events(world, "run.failures")).map(({ data }) => [data.new, data.repeated]);
    assert.deepEqual(counts, [[1, 0], [1, 0], [0, 1]]);
    // Departments are told apart the same way: by department_id, else by name.
    const rooms = (first: string, second: string) => csv("name,parent", `Finance,${first}`, `Legal,${second}`);
    await world.import(rooms("Nowhere", ""), { entity: "departments" });
    await world.import(rooms("", "Nowhere"), { entity: "departments" });
    await world.import(`${rooms("", "Nowhere")}\n`, { entity: "departments" });
    const later = (await events(world, "run.failures")).slice(3).map(({ data }) => [data.new, data.repeated]);
    assert.deepEqual(later, [[1, 0], [1, 0], [0, 1]]);
  });
});

test("of many issues the first 50 are told, and of an input that fails as a whole why it failed", async () => {
  await importing(async (world) => {
    await world.import(csv(`${HEADER},hire_date`, ...crowd(70, 1, () => ",someday")));
    await world.import(BROKEN);
    const [many, whole] = await events(world, "run.failures") as [Told, Told];
    assert.equal(many.data.issues.length, 50);
    assert.deepEqual([many.data.new, many.data.issues[49].line], [70, 51]);
    assert.equal(many.data.truncated, true, "the report has more");
    // Room is short, so the texts of the code are there once.
    const { when, todo } = CODES.date_invalid;
    const texts = many.data.issues.map(({ message, suggestion }: Record<string, unknown>) => [message, suggestion]);
    assert.deepEqual(texts[0], [when, todo]);
    assert.deepEqual(new Set(texts.slice(1).flat()), new Set([null]));
    assert.ok(bytesOf(many.data) <= MAX_DATA_BYTES);
    assert.equal(whole.data.run.status, "failed");
    assert.equal(whole.data.run.error.code, "header_missing");
    assert.equal(whole.data.issues[0].code, "header_missing");
  });
});

test("issues name the person and the key of their row, and the key only to tokens that may read people", async () => {
  await importing(async (world) => {
    await world.import(csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,2020-01-01"));
    const { id } = await world.person("1");
    await world.import(csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,someday", "2,tom@,Tom,Marsh,2020-01-01"));
    const [told] = await events(world, "run.failures") as [Told];
    assert.deepEqual(
      told.data.issues.map(({ user, source_key }: Record<string, unknown>) => [user, source_key]),
      [[id, "1"], [null, "2"]],
    );
    const reader = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["webhooks:read"] }));
    const { data } = await (await reader("/v1/events?type=run.failures")).json();
    assert.deepEqual(
      data[0].data.issues.map(({ user, source_key }: Record<string, unknown>) => [user, source_key]),
      [[id, null], [null, null]],
    );
    // Erased, the person's key goes from what was told before; their id stays.
    assert.equal((await world.post(`/v1/users/${id}/erase`)).status, 200);
    const [after] = await events(world, "run.failures") as [Told];
    assert.deepEqual([after.data.issues[0].user, after.data.issues[0].source_key], [id, null]);
    assert.equal(after.data.issues[1].source_key, "2");
  });
});

test("a held run is told with its guards and the people whom they are about, and its end when it is overtaken", async () => {
  await importing(async (world) => {
    const header = `${HEADER},is_active`;
    await world.import(csv(header, ...crowd(40, 1, () => ",yes")));
    const held = await world.import(csv(header, ...crowd(40, 1, (i) => i <= 12 ? ",no" : ",yes")));
    assert.equal(held.status, "held");
    const [told] = await events(world, "run.held") as [Told];
    assert.deepEqual(told.data.held_by, held.held_by);
    assert.deepEqual(told.data.people, held.changes.map(({ subject }) => subject.id));
    assert.deepEqual(told.data.links, { page: null });
    assert.ok((await events(world, "run.completed")).every(({ data }) => data.run.id !== held.id));

    await world.import(csv(header, ...crowd(40, 1, () => ",yes").map((line) => line.replace("Last0001", "Lasting"))));
    const ended = (await events(world, "run.completed")).filter(({ data }) => data.run.id === held.id);
    assert.deepEqual(ended.map(({ data }) => data.run.status), ["superseded"]);
  });
});

test("a run that is cancelled, or ends with its connection, is told as completed once", async () => {
  await importing(async (world) => {
    const waiting = await world.handIn(GOOD);
    assert.equal((await world.post(`/v1/runs/${waiting}/cancel`)).status, 200);
    await world.post(`/v1/runs/${waiting}/cancel`);
    await world.connect("hr");
    const other = await world.handIn(GOOD, { connection: "hr" });
    assert.equal((await world.ask("/v1/connections/hr", { method: "DELETE" })).status, 204);
    await world.carry();
    const told = await events(world);
    assert.deepEqual(told.map(({ type, data }) => [type, data.run.id, data.run.status]), [
      ["run.completed", waiting, "cancelled"],
      ["run.completed", other, "cancelled"],
    ]);
  });
});

test("the third failure in a row makes a connection's state an error, and the next success makes it well again", async () => {
  await importing(async (world) => {
    const state = async () => {
      const one = await (await world.ask("/v1/connections/csv")).json();
      const { data } = await (await world.ask("/v1/connections")).json();
      const listed = data.find(({ slug }: { slug: string }) => slug === "csv");
      const { in_force: _, ...shown } = one;
      assert.deepEqual(listed, shown);
      return [one.state, one.failures_in_a_row, one.last_error?.code ?? null, one.version];
    };
    assert.deepEqual(await state(), ["ok", 0, null, 1]);
    for (let i = 0; i < 2; i++) await world.import(BROKEN);
    assert.deepEqual(await state(), ["ok", 2, "header_missing", 1]);
    assert.deepEqual(await events(world, "connection.error"), []);
    const third = await world.import(BROKEN);
    await world.import(BROKEN);
    assert.deepEqual(await state(), ["error", 4, "header_missing", 1]);
    const [error, ...more] = await events(world, "connection.error") as [Told];
    assert.deepEqual(more, []);
    assert.deepEqual([error.data.connection, error.data.run], [third.connection, third.id]);
    assert.deepEqual([error.data.failures_in_a_row, error.data.last_error.code], [3, "header_missing"]);
    await world.import(GOOD);
    assert.deepEqual(await state(), ["ok", 0, null, 1]);
    const [recovered] = await events(world, "connection.recovered") as [Told];
    assert.deepEqual([recovered.data.failures_in_a_row, recovered.data.last_error.code], [4, "header_missing"]);
  });
});

test("an edit by hand is told with its place in the feed, and one that did not happen is not", async () => {
  await importing(async (world) => {
    await world.import(GOOD);
    const ana = await world.person("1");
    await world.edit(ana, { title: "Lead" });
    const stale = await world.ask(`/v1/users/${ana.id}`, {
      method: "PATCH",
      json: { title: "Boss" },
      headers: { "if-match": '"1"' },
    });
    assert.equal(stale.status, 412);
    const [, edit, ...more] = await events(world, "users.changed") as [Told, Told];
    assert.deepEqual(more, []);
    const last = (await (await world.ask("/v1/changes")).json()).data.at(-1);
    assert.deepEqual(edit.data, {
      organization: { id: encodeId("org", world.hub.organization.id), slug: "default" },
      first_seq: last.seq,
      last_seq: last.seq,
      count: 1,
      truncated: false,
      changes: [last],
    });
  });
});

test("a batch that fails leaves neither the run's end nor its events, and the next attempt leaves both once", async () => {
  await importing(async (world) => {
    const id = await world.handIn(BAD);
    // The last write of the batch that ends the run is refused once.
    let refuse = true;
    const write = world.hub.db.write;
    const db = {
      ...world.hub.db,
      write: (statements: Parameters<typeof write>[0]) => {
        const ends =
          statements.length > 5 && refuse && JSON.stringify(statements.map(textOf)).includes("into events") ||
          false;
        if (!ends) return write(statements);
        refuse = false;
        return write([...statements, world.hub.db.orm.run(sql`select json('no')`) as never]);
      },
    };
    await world.carry({ rethrow: false }, { ...world.hub, db }).catch(() => {});
    assert.equal(refuse, false);
    await world.carry();
    const told = await events(world);
    assert.deepEqual(types(told), ["users.changed", "run.failures", "run.completed"]);
    assert.ok(told.slice(1).every(({ data }) => data.run.id === id));
  });
});

// deno-lint-ignore no-explicit-any
function textOf(statement: any): string {
  const query = statement.getQuery?.() ?? statement.toSQL?.();
  return typeof query?.sql === "string" ? query.sql.replaceAll('"', "") : "";
}

test("an event stays under the limit however much there is to say, and says what it leaves out", async () => {
  await importing(async (world) => {
    const long = (i: number) => `${String(i).padStart(4, "0")}${"ü".repeat(140)}`;
    const lines = Array.from({ length: 300 }, (_, i) => `E${i},p${i}@acme.test,${long(i)},${long(i)}`);
    await world.import(csv(HEADER, ...lines));
    const [told] = await events(world, "users.changed") as [Told];
    assert.ok(bytesOf(told.data) <= MAX_DATA_BYTES && bytesOf(told.data) > MAX_DATA_BYTES * 0.9);
    assert.deepEqual([told.data.count, told.data.truncated], [300, true]);
    assert.equal(told.data.last_seq - told.data.first_seq, 299);
    assert.ok(told.data.changes.length > 10 && told.data.changes.length < 30);
  });
});

test("a change that is too long for any event goes as ids only, between others that are whole", () => {
  const change = (seq: number, title: string): ChangeView => ({
    id: `chg_${seq}`,
    action: "update",
    entity: "user",
    subject: { id: `usr_${seq}`, email: "ana@acme.test", employee_id: null },
    line: seq,
    fields: { title: { before: null, after: title } },
    reason: null,
    status: "applied",
    run: null,
    applied_at: null,
    seq,
  });
  const from = { organizationId: 1, runId: null, connectionId: null };
  const [first, second, third] = [change(1, "Lead"), change(2, "x".repeat(20_000)), change(3, "Boss")];
  const { data } = usersChanged(from, { count: 3, firstSeq: 1, lastSeq: 3 }, [first, second, third]);
  const ids = { id: "chg_2", action: "update", entity: "user", subject: { id: "usr_2" }, run: null, seq: 2 };
  assert.deepEqual(data.changes, [first, ids, third]);
  assert.equal(data.truncated, false);
});

test("texts that others wrote are cut, and a run with many guards too", () => {
  const run = {
    connection: { id: "con_1", slug: "hr", name: "ü".repeat(5000) },
    drop: { id: "drp_1", name: "\u0001".repeat(5000), bytes: 0, sha256: null },
    error: { code: "too_large", message: "x".repeat(50_000) },
    held_by: Array.from({ length: 500 }, (_, i) => ({ guard: "column", field: `f${i}`, count: 1, limit: 1, base: 1 })),
  } as unknown as RunView;
  const from = { organizationId: 1, runId: 1, connectionId: 1 };
  const people = Array.from({ length: 90 }, (_, i) => `usr_${i}`);
  const { data } = runHeld(from, run, people);
  assert.ok(bytesOf(data) < MAX_DATA_BYTES);
  assert.equal((data.people as string[]).length, 50);
  const off = endpointDisabled(1, { id: "whe_1", url: `https://example.com/${"x".repeat(9000)}` }, "It answered 410");
  assert.ok(bytesOf(off.data) < 2_000);
  assert.deepEqual([off.type, off.data.reason], ["endpoint.disabled", "It answered 410"]);
});

test("whoever may not read people learns only who changed, and without the scope nothing", async () => {
  await importing(async (world) => {
    await world.import(GOOD);
    const partial = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["webhooks:read"] }));
    const { data } = await (await partial("/v1/events?type=users.changed")).json();
    assert.deepEqual(Object.keys(data[0].data.changes[0].subject), ["id"]);
    assert.ok(!JSON.stringify(data).includes("acme.test"));
    const without = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:read"] }));
    assert.equal((await without("/v1/events")).status, 403);
    assert.equal((await world.ask("/v1/events?type=nothing")).status, 400);
    assert.equal((await world.ask("/v1/events/evt_00000000zzz")).status, 404);
  });
});

test("events are numbered in the order they were written, paged, and kept as long as drops are", async () => {
  await importing(async (world) => {
    const { db, organization } = world.hub;
    const news = Array.from(
      { length: 120 },
      (_, i) => endpointDisabled(organization.id, { id: `whe_${i}`, url: "x" }, "y"),
    );
    await db.write(eventStatements(db, news, world.hub.now()));
    const { data, next_cursor } = await (await world.ask("/v1/events?limit=100")).json();
    const rest = await (await world.ask(`/v1/events?limit=100&cursor=${next_cursor}`)).json();
    const ids = [...data, ...rest.data].map((event: Told) => event.data.endpoint.id);
    assert.deepEqual(ids.reverse(), news.map((_, i) => `whe_${i}`));
    world.later(30 * DAY_MS);
    await world.tick();
    assert.equal((await events(world)).length, 120);
    world.later(1000);
    await world.tick();
    assert.deepEqual(await events(world), []);
  });
});
