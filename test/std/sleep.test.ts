import assert from "node:assert/strict";
import test from "node:test";
import { endsWithin, sleep } from "../../src/std/sleep.ts";

const LONG_MS = 60_000;

test("a sleep takes its time", async () => {
  const startedAt = performance.now();
  await sleep(20);
  assert.ok(performance.now() - startedAt >= 15);
});

test("an aborted sleep fails at once with the signal's reason", async () => {
  const stop = new AbortController();
  const sleeping = sleep(LONG_MS, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(sleep(LONG_MS, stop.signal), /enough/);
});

test("what ends in time is waited for, and what does not is not", async () => {
  assert.equal(await endsWithin(sleep(1), LONG_MS), true);
  assert.equal(await endsWithin(new Promise(() => {}), 5), false);
  await assert.rejects(endsWithin(Promise.reject(new Error("broken")), LONG_MS), /broken/);
});
