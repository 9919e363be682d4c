import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectors } from "../../connectors/index.ts";
import type { Connector } from "../../src/connector.ts";
import { runNext } from "../../src/runs/next.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub({
    registry: new Map(connectors.map((connector) => [connector.name, connector as Connector<never>])),
  });
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

/** Carries every run that can go on. */
async function carry(): Promise<void> {
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
}

/** Uploads a file and carries its run; gives the run. */
// deno-lint-ignore no-explicit-any
async function importFile(body: string, search = ""): Promise<any> {
  const answer = await ask(`/v1/connections/csv/drops?name=people.csv&${search}`, {
    body,
    headers: { "content-type": "text/csv" },
  });
  const { run } = await answer.json();
  await carry();
  return await read(`/v1/runs/${run.id}`);
}

// deno-lint-ignore no-explicit-any
async function read(path: string): Promise<any> {
  return await (await ask(path)).json();
}

const HEADER = "employee_id,email,first_name,last_name,title\n";

test("a file with a mistake is partly applied; its report names the row, and can be corrected and sent again", async () => {
  const run = await importFile(
    HEADER + "1,ana@example.com,Ana,Lopez,Engineer\n2,bo@,Bo,Berg,\n'003,cy@example.com,Cy,Dahl,\n",
  );
  assert.deepEqual([run.status, run.counts.read, run.counts.created, run.counts.failed], ["partial", 3, 2, 1]);

  const { data } = await read(`/v1/runs/${run.id}/issues`);
  assert.deepEqual(
    [data.length, data[0].line, data[0].severity, data[0].code, data[0].field, data[0].value],
    [1, 3, "error", "email_invalid", "email", "bo@"],
  );
  const csv = await ask(`/v1/runs/${run.id}/failures.csv`);
  assert.equal(csv.headers.get("content-disposition"), "attachment; filename*=UTF-8''people.failures.csv");
  const report = await csv.text();
  assert.match(report, /^employee_id,email,first_name,last_name,title,_severity,_codes/);
  const json = await ask(`/v1/runs/${run.id}/failures.csv`, { headers: { accept: "application/json" } });
  assert.deepEqual((await json.json())[0].code, "email_invalid");
  assert.deepEqual(
    await read(`/v1/runs/${run.id}/failures.json`),
    await (await ask(`/v1/runs/${run.id}/failures.json`)).json(),
  );

  const again = await importFile(report.replace("bo@,", "bo@example.com,"));
  assert.deepEqual([again.status, again.coverage, again.counts.created], ["succeeded", "diff", 1]);
});

test("changes of a run come in pages, and the feed has each applied one once, in order", async () => {
  await importFile(HEADER + "1,ana@example.com,Ana,Lopez,Lead\n2,bo@example.com,Bo,Berg,Clerk\n", "coverage=diff");
  const run = (await read("/v1/runs?limit=1")).data[0];
  const first = await read(`/v1/runs/${run.id}/changes?limit=1`);
  const second = await read(`/v1/runs/${run.id}/changes?limit=1&cursor=${first.next_cursor}`);
  const changes = [...first.data, ...second.data];
  assert.equal(second.next_cursor, null);
  assert.deepEqual(changes.map(({ action, line, status }) => [action, line, status]), [
    ["update", 2, "applied"],
    ["update", 3, "applied"],
  ]);
  assert.deepEqual(changes[0].fields, { title: { before: "Engineer", after: "Lead" } });
  assert.deepEqual(
    (await ask(`/v1/runs/${run.id}/issues?cursor=${first.next_cursor}`)).status,
    400,
    "a cursor of another list",
  );

  const seen: number[] = [];
  let resume = "";
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { data: { seq: number }[]; next_cursor: string | null; resume_cursor: string } = await read(
      `/v1/changes?limit=2&cursor=${cursor}`,
    );
    seen.push(...page.data.map(({ seq }) => seq));
    cursor = page.next_cursor;
    resume = page.resume_cursor;
  }
  assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b));
  assert.equal(seen.length, 5);
  assert.deepEqual((await read(`/v1/changes?cursor=${resume}`)).data, []);

  const user = (await read("/v1/users?employee_id=1")).data[0];
  await ask(`/v1/users/${user.id}`, { method: "PATCH", json: { title: "Head" } });
  const { data } = await read(`/v1/changes?cursor=${resume}`);
  assert.deepEqual(data.map(({ subject, run, reason }: Record<string, unknown>) => [subject, run, reason]), [
    [{ id: user.id, email: "ana@example.com", employee_id: "1" }, null, "hand"],
  ]);
});

test("a user's history is its changes, the latest first", async () => {
  const user = (await read("/v1/users?employee_id=1")).data[0];
  const first = await read(`/v1/users/${user.id}/history?limit=2`);
  const second = await read(`/v1/users/${user.id}/history?limit=2&cursor=${first.next_cursor}`);
  assert.deepEqual(
    [...first.data, ...second.data].map(({ action, fields }) => [action, fields.title?.after]),
    [["update", "Head"], ["update", "Lead"], ["create", "Engineer"]],
  );
  assert.equal(second.next_cursor, null);
});

test("the plan that was seen is the one approved; any other hash, and a hub that has moved, is answered 409", async () => {
  const plan = await importFile(HEADER + "1,ana@example.com,Ana,Lopez,Boss\n", "mode=plan&coverage=diff");
  assert.equal(plan.status, "planned");
  const approve = (plan_hash: string) => ask(`/v1/runs/${plan.id}/approve`, { json: { plan_hash } });
  assert.equal((await (await approve("0")).json()).code, "plan_changed");
  const user = (await read("/v1/users?employee_id=1")).data[0];
  assert.equal(user.title, "Head", "a plan writes no user");

  await ask(`/v1/users/${user.id}`, { method: "PATCH", json: { location: "Porto" } });
  const moved = await approve(plan.plan_hash);
  assert.equal(moved.status, 409);
  assert.equal((await moved.json()).code, "plan_changed");
  await carry();
  const afresh = await read(`/v1/runs/${plan.id}`);
  assert.equal(afresh.status, "planned");
  assert.notEqual(afresh.plan_hash, plan.plan_hash);

  const approved = approve(afresh.plan_hash);
  assert.equal((await approved).status, 202);
  await carry();
  assert.equal((await read(`/v1/runs/${plan.id}`)).status, "succeeded");
  assert.equal((await read(`/v1/users/${user.id}`)).title, "Boss");
  assert.equal((await approve(afresh.plan_hash)).status, 409);
});

test("approving needs its own scope", async () => {
  const writer = createAsk(hub, await createTestToken(hub, { scopes: ["runs:read", "runs:write"] }));
  const { data } = await read("/v1/runs?limit=1");
  const refused = await writer(`/v1/runs/${data[0].id}/approve`, { json: { plan_hash: "0" } });
  assert.match((await refused.json()).detail, /"runs:approve"/);
});

test("a waiting run is cancelled at once, an ended one no more", async () => {
  const answer = await ask("/v1/connections/csv/drops", { body: HEADER, headers: { "content-type": "text/csv" } });
  const { run } = await answer.json();
  assert.equal((await ask(`/v1/runs/${run.id}/failures.xlsx`)).status, 409);
  const early = await ask(`/v1/runs/${run.id}/failures.csv`);
  assert.equal(early.status, 409);
  const cancelled = await ask(`/v1/runs/${run.id}/cancel`, { method: "POST" });
  assert.equal(cancelled.status, 200);
  assert.equal((await cancelled.json()).run.status, "cancelled");
  hub.clock.ms += 1000;
  assert.equal((await ask(`/v1/runs/${run.id}/cancel`, { method: "POST" })).status, 409);
});

test("a run is taken back by a planned run of inverses", async () => {
  const run = await importFile(HEADER + "2,bo@example.com,Bo,Berg,Chief\n", "coverage=diff");
  const answer = await ask(`/v1/runs/${run.id}/revert`, { method: "POST" });
  assert.equal(answer.status, 202);
  const inverse = (await answer.json()).run;
  assert.equal(inverse.trigger, "revert");
  await carry();
  const planned = await read(`/v1/runs/${inverse.id}`);
  assert.equal(planned.status, "planned");
  await ask(`/v1/runs/${inverse.id}/approve`, { json: { plan_hash: planned.plan_hash } });
  await carry();
  assert.equal((await read("/v1/users?employee_id=2")).data[0].title, "Clerk");
});

test("people pushed as JSON are answered one by one, with who they are and what was wrong", async () => {
  const pushing = ask("/v1/users/import", {
    json: {
      users: [
        { employee_id: "2", email: "bo@example.com", location: "Oslo" },
        { employee_id: "9", email: "di@", first_name: "Di", last_name: "Ek" },
        { employee_id: "10", email: "ed@example.com", first_name: "Ed", last_name: "Fog" },
        { employee_id: "'003", email: "cy@example.com" },
      ],
    },
    headers: { prefer: "wait=20" },
  });
  let done = false;
  pushing.finally(() => done = true);
  while (!done) {
    await carry();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answer = await pushing;
  assert.equal(answer.status, 200);
  const { run, results } = await answer.json();
  assert.equal(run.status, "partial");
  assert.deepEqual(
    results.map((
      { result, user, issues }: { result: string; user: { email: string } | null; issues: { code: string }[] },
    ) => [
      result,
      user?.email ?? null,
      issues.map(({ code }) => code),
    ]),
    [
      ["updated", "bo@example.com", []],
      ["failed", null, ["email_invalid"]],
      ["created", "ed@example.com", []],
      ["unchanged", null, []],
    ],
  );
});
