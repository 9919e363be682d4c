/** What a hub that really runs says in its log, and what it never says. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { type Served, startServing } from "../support/serve.ts";
import { within } from "../support/within.ts";
import { onlyInCheck } from "../support/rounds.ts";

interface Line {
  readonly event: string;
  readonly [name: string]: unknown;
}

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function linesOf(hub: Served): Line[] {
  return hub.said().err.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

const HEADER = "employee_id,email,first_name,last_name,phone,location,manager_id,hire_date,Shoe size";

/** People whose every value can be told in any text. */
function crowd(n: number, more = ""): string {
  const rows = Array.from(
    { length: n },
    (_, i) =>
      `MARK${1000 + i},mark${i}@markmail.example,Markfirst${i},Marklast${i}${more},+1 555 9753 ${1000 + i},Marktown,` +
      `${i === 0 ? "" : "MARK1000"},2019-07-13,Markshoe`,
  );
  return `${HEADER}\n${rows.join("\n")}\n`;
}
const MARKS = [
  /mark\d/i,
  /markmail/i,
  /Markfirst/i,
  /Marklast/i,
  /9753/,
  /Marktown/i,
  /2019-07-13/,
  /Markshoe/i,
  /marksecret/i,
];

test("a run is logged from the request that queued it to its end, with both ids, and with nobody's data", () =>
  withDir(async (dir) => {
    const token = createTokenText();
    const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token });
    const ask = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
      fetch(`${hub.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
    const drop = async (id: string, body: string, search = "") =>
      (await (await ask(`/v1/connections/csv/drops?name=marksecret.csv${search}`, {
        method: "POST",
        headers: {
          "content-type": "text/csv",
          prefer: "wait=60",
          "x-request-id": id,
          "idempotency-key": `marksecret-${id}`,
        },
        body,
      })).json()).run;
    const json = { "content-type": "application/json" };

    const first = await drop("req-first", crowd(60));
    assert.equal(first.status, "succeeded");
    const broken = await drop("req-broken", `${crowd(3)}MARK9,mark@,Markfirst,Marklast,,,,,\n"MARK10,mark\n`);
    assert.equal(broken.status, "failed");
    await ask("/v1/connections/csv", {
      method: "PATCH",
      headers: json,
      body: JSON.stringify({ limits: { update: { percent: 1, floor: 1 } } }),
    });
    const held = await drop("req-held", crowd(60, "Marknew"));
    assert.equal(held.status, "held", JSON.stringify(held));
    const approved = await ask(`/v1/runs/${held.id}/approve`, {
      method: "POST",
      headers: { ...json, prefer: "wait=60", "x-request-id": "req-approve" },
      body: JSON.stringify({ plan_hash: held.plan_hash }),
    });
    assert.equal((await approved.json()).run.status, "succeeded");
    const cancelled = await drop("req-plan", crowd(2, "Markother"), "&mode=plan");
    await ask(`/v1/runs/${cancelled.id}/cancel`, { method: "POST", headers: { "x-request-id": "req-cancel" } });

    // Data and secrets in every place where a request can have some.
    const { data } = await (await ask("/v1/users?q=MARK1001&limit=1")).json();
    await ask(`/v1/users/${data[0].id}`, {
      method: "PATCH",
      headers: json,
      body: '{"title":"Marktown","email":"mark@"}',
    });
    await ask("/v1/users?email=mark1@markmail.example");
    await ask("/v1/mark1@markmail.example?password=marksecret");
    await ask("/v1/organization", { headers: { authorization: "Bearer mus_marksecretmarksecretmarksecretmarks" } });
    await ask("/v1/organization", { headers: { authorization: `Basic ${btoa("mark1:marksecret")}` } });
    await ask("/v1/users", { headers: { "muster-organization": "marksecret", "x-request-id": createTokenText() } });
    await ask("/v1/users/import", {
      method: "POST",
      headers: { ...json, prefer: "wait=60" },
      body: JSON.stringify({ users: [{ employee_id: "MARK1", email: "mark@", first_name: "Markfirst" }] }),
    });
    const made = await (await ask("/v1/tokens", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name: "marksecret", scopes: ["users:read"] }),
    })).json();
    await ask("/v1/tokens", { method: "POST", headers: json, body: `{"marksecret": ${made.token}` });
    const metrics = await (await ask("/metrics")).text();
    assert.match(metrics, /^muster_runs_total\{status="succeeded"\} 2$/m);
    assert.match(metrics, /^process_resident_memory_bytes [1-9]\d{6,}$/m);
    assert.match(
      metrics,
      /^muster_http_request_duration_seconds_bucket\{method="POST",route="\/v1\/connections\/:id\/drops",le="60"\} 4$/m,
    );
    await hub.stop();

    const said = hub.said();
    for (const mark of [...MARKS, /mus_[0-9A-Za-z]/]) {
      for (const text of [said.err, said.out, metrics]) assert.doesNotMatch(text, mark);
    }

    const lines = linesOf(hub);
    const of = (id: string) => lines.filter((line) => line.run_id === id);
    assert.deepEqual(of(first.id).map(({ event }) => event), ["run.queued", "run.planned", "run.applied", "run.ended"]);
    assert.ok(of(first.id).every((line) => line.request_id === "req-first"));
    const ended = of(first.id).at(-1)!;
    assert.deepEqual([ended.status, ended.read, ended.created], ["succeeded", 60, 60]);
    for (const { event, ms } of of(first.id).slice(1)) assert.equal(typeof ms, "number", event);
    assert.deepEqual(of(broken.id).map(({ event, code }) => [event, code]), [
      ["run.queued", undefined],
      ["run.ended", "input_incomplete"],
    ]);
    // Each request's own lines are in order. Whoever sees that the run is held may approve it before that is written.
    const by = (request: string) =>
      of(held.id).filter(({ request_id }) => request_id === request).map(({ event }) => event);
    assert.deepEqual(by("req-held"), ["run.queued", "run.planned", "run.held", "run.applied", "run.ended"]);
    assert.deepEqual(by("req-approve"), ["run.approved"]);
    assert.equal(of(held.id).length, 6);
    assert.equal(of(held.id).find(({ event }) => event === "run.held")!.guards, "update");
    assert.deepEqual(of(cancelled.id).slice(-2).map(({ event, request_id }) => [event, request_id]), [
      ["run.cancel_requested", "req-cancel"],
      ["run.ended", "req-plan"],
    ]);
    const requests = lines.filter(({ event }) => event === "request");
    assert.ok(
      requests.some(({ request_id, route }) => request_id === "req-first" && route === "/v1/connections/:id/drops"),
    );
    assert.ok(lines.every(({ time, event }) => typeof time === "string" && typeof event === "string"));
  }));

test(
  "of one request sent to two processes at once under one key, one is done",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: createTokenText() };
      const hubs = [await startServing(env), await startServing(env)];
      const send = (hub: Served, key: string) =>
        fetch(`${hub.url}/v1/tokens`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${env.MUSTER_ADMIN_TOKEN}`,
            "content-type": "application/json",
            "idempotency-key": key,
          },
          body: JSON.stringify({ name: key, scopes: ["users:read"] }),
        });
      const ids = new Map<string, Set<string>>();
      for (let round = 0; round < 10; round++) {
        const key = `round-${round}`;
        const answers = await Promise.all([0, 1, 0, 1].map((which) => send(hubs[which]!, key)));
        answers.push(await send(hubs[0]!, key), await send(hubs[1]!, key));
        for (const answer of answers) {
          const body = await answer.json();
          assert.ok(answer.status === 201 || body.code === "idempotency_key_in_use", JSON.stringify(body));
          if (answer.status === 201) ids.set(key, (ids.get(key) ?? new Set()).add(body.id));
        }
        assert.equal(answers.at(-1)!.status, 201);
        assert.equal(
          answers.filter((answer) => answer.headers.get("idempotency-replayed") === null && answer.ok).length,
          1,
        );
      }
      assert.ok([...ids.values()].every((each) => each.size === 1));
      for (const hub of hubs) await hub.stop();
    }),
);

test(
  "a hub whose log nobody reads any more goes on, and ends when it is asked to",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      const hub = await startServing({ MUSTER_DATA_DIR: dir });
      hub.process.stderr!.destroy();
      hub.process.stdout!.destroy();
      for (let i = 0; i < 20; i++) {
        const answer = await fetch(`${hub.url}/v1/users`, { signal: AbortSignal.timeout(60_000) });
        assert.equal(answer.status, 401);
        await answer.body?.cancel();
      }
      const ended = within(60_000, hub.stop(), () => new Error("It does not end"));
      assert.equal(await ended.finally(() => hub.stop("SIGKILL")), 0);
    }),
);
