import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { decodeId } from "../../src/model/id.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

async function queue(connection = "csv"): Promise<string> {
  const answer = await ask(`/v1/connections/${connection}/drops`, {
    body: "email\n",
    headers: { "content-type": "text/csv" },
  });
  return (await answer.json()).run.id;
}

async function set(id: string, values: Partial<typeof runs.$inferInsert>): Promise<void> {
  await hub.db.write([hub.db.orm.update(runs).set(values).where(sql`id = ${decodeId("run", id)}`)]);
}

test("runs are listed youngest first, by connection and by status, once each though new ones come", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift(await queue(n === 2 ? "api" : "csv"));
  await set(ids[0]!, { status: "held" });
  const list = async (search: string) => await (await ask(`/v1/runs?${search}`)).json();
  const idsOf = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);
  assert.deepEqual(idsOf(await list("connection=api")), [ids[2]]);
  assert.deepEqual(idsOf(await list("status=held")), [ids[0]]);
  assert.equal((await ask("/v1/runs?status=lost")).status, 400);
  const first = await list("limit=3");
  await queue();
  const second = await list(`limit=3&cursor=${first.next_cursor}`);
  assert.deepEqual([...idsOf(first), ...idsOf(second)], ids);
  assert.equal(second.next_cursor, null);
});

test("a run shows what held it, why it failed, and when it was what", async () => {
  const id = await queue();
  await set(id, {
    status: "held",
    complete: true,
    planHash: "abc",
    heldBy: [{ guard: "deactivate", count: 48, limit: 24, base: 480 }],
    startedAt: hub.clock.ms,
    error: { code: "input_incomplete", message: "The input is not whole" },
  });
  const run = await (await ask(`/v1/runs/${id}`)).json();
  assert.deepEqual(run.held_by, [{ guard: "deactivate", count: 48, limit: 24, base: 480 }]);
  assert.deepEqual([run.plan_hash, run.complete, run.finished_at], ["abc", true, null]);
  assert.equal(run.started_at, "2026-03-02T08:00:00.000Z");
  assert.deepEqual(run.error, { code: "input_incomplete", message: "The input is not whole" });
});

test("events say each step of a run and end with it", async () => {
  const id = await queue();
  await set(id, { status: "planning", progress: { phase: "reading", done: 10, total: null } });
  const answer = await ask(`/v1/runs/${id}/events`);
  assert.match(answer.headers.get("content-type")!, /^text\/event-stream/);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value!;
  assert.match(first, /^event: progress\ndata: \{"run":\{"id":"run_/);
  assert.match(first, /"progress":\{"phase":"reading","done":10,"total":null\}/);
  await set(id, { status: "succeeded" });
  let rest = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) rest += read.value;
  assert.match(rest, /^event: end\ndata: .*"status":"succeeded"/m);
});

test("events stop when nobody listens any more", async () => {
  const id = await queue();
  const answer = await ask(`/v1/runs/${id}/events`);
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  let asked = 0;
  const select = hub.db.orm.select.bind(hub.db.orm);
  Object.assign(hub.db.orm, { select: (fields: never) => (asked++, select(fields)) });
  await new Promise((resolve) => setTimeout(resolve, 700));
  Object.assign(hub.db.orm, { select });
  assert.ok(asked <= 1, `asked ${asked} times`);
});

test("people pushed as JSON become a drop of the connection api, answered record by record", async () => {
  const before = (await (await ask("/v1/runs?connection=api")).json()).data.length;
  const pushing = ask("/v1/users/import", {
    json: { users: [{ email: "a@example.com" }, { email: "b@" }] },
    headers: { prefer: "wait=30" },
  });
  let id: string | undefined;
  while (id === undefined) {
    const { data } = await (await ask("/v1/runs?connection=api")).json();
    if (data.length > before) id = data[0].id;
    // Else the request that is being answered would never have its turn.
    await new Promise((resolve) => setTimeout(resolve));
  }
  await set(id, { status: "partial", outcomes: "cf" });
  const answer = await pushing;
  assert.equal(answer.status, 200);
  const { run, drop, results } = await answer.json();
  assert.deepEqual([run.status, run.coverage, run.connection.slug], ["partial", "diff", "api"]);
  assert.deepEqual(results.map(({ line, result }: { line: number; result: string }) => [line, result]), [
    [1, "created"],
    [2, "failed"],
  ]);
  const content = await (await ask(`/v1/drops/${drop.id}/content`)).json();
  assert.deepEqual(content, { users: [{ email: "a@example.com" }, { email: "b@" }] });
});

test("a push that is not done in time says so; more than 5000 people, or an unknown field, are refused", async () => {
  const early = await ask("/v1/users/import", { json: { users: [] }, headers: { prefer: "wait=0" } });
  assert.equal(early.status, 202);
  assert.equal((await early.json()).results, null);
  const many = await ask("/v1/users/import", { json: { users: Array.from({ length: 5001 }, () => ({})) } });
  assert.equal(many.status, 413);
  assert.equal((await many.json()).detail, "The request has 5001 users; at most 5000 are allowed");
  const unknown = await ask("/v1/users/import", { json: { users: [], people: [] } });
  assert.equal((await unknown.json()).errors[0].pointer, "/people");
});
