/** What one token can hold open of a hub that serves, and that others are answered meanwhile. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { onlyInCheck, onlyInCheckOnDeno, rounds } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";
import { within } from "../support/within.ts";

const PEOPLE = "employee_id,email,first_name,last_name\n1,ana@example.com,Ana,Lopez\n";
const WAITS = rounds(3_000, 250), AT_ONCE = 100, STREAMS = 20;
/** Connections that are opened at once: more than that, and the machine itself turns some away. */
const SENDERS = 250;

/** A hub with a run that waits until the connection goes on; both tokens are the operator's organization's. */
async function serving(work: (hub: Asking) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const first = createTokenText();
  const hub = await startServing({ MUSTER_DATA_DIR: dir, MUSTER_ADMIN_TOKEN: first });
  const ask: Asking["ask"] = (token, path, { method = "GET", headers = {}, body, signal } = {}) =>
    fetch(`${hub.url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers }, body, signal });
  try {
    const json = { "content-type": "application/json" };
    await ask(first, "/v1/connections/csv/pause", { method: "POST" });
    const made = await ask(first, "/v1/tokens", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name: "other", scopes: ["admin"] }),
    });
    const dropped = await ask(first, "/v1/connections/csv/drops", {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: PEOPLE,
    });
    const { run } = await dropped.json();
    await work({ ask, busy: first, other: (await made.json()).token, run: run.id });
  } finally {
    assert.equal(await hub.stop(), 0);
    await rm(dir, { recursive: true, force: true });
  }
}

interface Asking {
  ask(token: string, path: string, init?: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    signal?: AbortSignal;
  }): Promise<Response>;
  readonly busy: string;
  readonly other: string;
  /** Waits until its connection is resumed. */
  readonly run: string;
}

test("thousands of waits of one token keep nobody from being answered, and all that are let in are told", {
  skip: onlyInCheck,
}, () =>
  serving(async ({ ask, busy, other, run }) => {
    const headers = { prefer: "wait=60" };
    let sent = 0, refused = 0;
    const waits = Array.from({ length: SENDERS }, async () => {
      const answers = [];
      while (sent++ < WAITS) {
        const answer = await ask(busy, `/v1/runs/${run}`, { headers });
        if (answer.status === 429) refused++;
        const retryAfter = answer.headers.get("retry-after");
        const body = await answer.json();
        // On a slow machine a minute is over before all have been sent: then it waits once more.
        if (body.status === "queued") sent--;
        else answers.push({ status: answer.status, retryAfter, body });
      }
      return answers;
    });
    const all = Promise.all(waits);
    // What goes wrong first is to be said, not what that cuts off.
    all.catch(() => {});
    // Others, from the first of them on until all have been let in or sent away.
    const took: number[] = [];
    const began = performance.now();
    while (refused < WAITS - AT_ONCE || took.length < 50) {
      const startedAt = performance.now();
      assert.ok(startedAt - began < 240_000, `Only ${refused} were sent away, and the others are still let in`);
      const read = ask(other, "/v1/organization");
      const answer = await within(60_000, read, () => new Error(`No answer in a minute; ${refused} were sent away`));
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
      took.push(performance.now() - startedAt);
    }
    took.sort((a, b) => a - b);
    const median = took[Math.floor(took.length / 2)]!;
    assert.ok(median < 10_000, `Half of the others were answered within ${Math.round(median)} ms`);

    // Another token still waits: 200 are the organization's.
    const neighbour = ask(other, `/v1/runs/${run}`, { headers });
    assert.equal((await ask(busy, "/v1/connections/csv/resume", { method: "POST" })).status, 200);
    const answers = (await all).flat();
    const told = answers.filter(({ status }) => status === 200);
    assert.equal(told.length, AT_ONCE);
    for (const { body } of told) assert.equal(body.status, "succeeded");
    for (const { status, retryAfter, body } of answers.filter((each) => each.status !== 200)) {
      assert.deepEqual([status, retryAfter, body.code], [429, "5", "too_many_in_flight"]);
    }
    assert.equal((await (await neighbour).json()).status, "succeeded");
    // All of them have been given back.
    const again = await Promise.all(
      Array.from({ length: AT_ONCE }, () => ask(busy, `/v1/runs/${run}`, { headers })),
    );
    assert.deepEqual(new Set(again.map(({ status }) => status)), new Set([200]));
    await Promise.all(again.map((answer) => answer.body?.cancel()));
  }));

test("runs are watched by so many of a token, and whoever goes away makes room for another", {
  skip: onlyInCheckOnDeno,
}, () =>
  serving(async ({ ask, busy, run }) => {
    const leaving = new AbortController();
    const watch = (signal?: AbortSignal) => ask(busy, `/v1/runs/${run}/events`, { signal });
    // The head alone holds nothing.
    for (let i = 0; i < STREAMS; i++) {
      assert.equal((await ask(busy, `/v1/runs/${run}/events`, { method: "HEAD" })).status, 200);
    }
    const first = await watch(leaving.signal);
    assert.equal(first.status, 200);
    const streams = await Promise.all(Array.from({ length: STREAMS - 1 }, () => watch()));
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    const refused = await watch();
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
    assert.equal((await refused.json()).code, "too_many_in_flight");

    // One that waits goes away, too: its connection is cut, and it is not told.
    leaving.abort();
    await first.text().catch(() => {});
    let next = await watch();
    for (let i = 0; next.status === 429 && i < 600; i++) {
      await next.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 50));
      next = await watch();
    }
    assert.equal(next.status, 200);
    assert.equal((await ask(busy, "/v1/connections/csv/resume", { method: "POST" })).status, 200);
    for (const stream of [...streams, next]) assert.match(await stream.text(), /event: end\n.*"status":"succeeded"/);
  }));

test(
  "whoever stops waiting makes room for another at once",
  { skip: onlyInCheck },
  () =>
    serving(async ({ ask, busy, run }) => {
      const leaving = new AbortController();
      const wait = (seconds: number, signal?: AbortSignal) =>
        ask(busy, `/v1/runs/${run}`, { headers: { prefer: `wait=${seconds}` }, signal });
      // One more than are let in: each waits again and again, and whoever is refused says that all places are taken.
      let full = () => {};
      const taken = new Promise<void>((resolve) => full = resolve);
      const waits = Array.from({ length: AT_ONCE + 1 }, async () => {
        while (!leaving.signal.aborted) {
          const answer = await wait(60, leaving.signal).catch(() => null);
          await answer?.body?.cancel().catch(() => {});
          if (answer?.status === 429) return full();
        }
      });
      await within(120_000, taken, () => new Error("There is room for more than may wait"));
      leaving.abort();
      await Promise.all(waits);
      for (let i = 0;; i++) {
        const answer = await wait(1);
        await answer.body?.cancel();
        if (answer.status === 200) break;
        assert.ok(i < 200, "nobody waits any more, and there is no room");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }),
);
