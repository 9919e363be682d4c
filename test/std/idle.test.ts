import assert from "node:assert/strict";
import test from "node:test";
import { createIdle } from "../../src/std/idle.ts";

const LONG_MS = 60_000;

test("a wait ends after its time", async () => {
  const startedAt = performance.now();
  await createIdle().wait(20);
  assert.ok(performance.now() - startedAt >= 15);
});

test("a wake-up ends the wait at once, and the next one is a whole wait again", async () => {
  const idle = createIdle();
  const waiting = idle.wait(LONG_MS);
  idle.wake();
  idle.wake();
  await waiting;
  const startedAt = performance.now();
  await idle.wait(20);
  assert.ok(performance.now() - startedAt >= 15);
});

test("a wake-up that nothing waits for ends the next wait, and only that", async () => {
  const idle = createIdle();
  idle.wake();
  await idle.wait(LONG_MS);
  const startedAt = performance.now();
  await idle.wait(20);
  assert.ok(performance.now() - startedAt >= 15);
});
