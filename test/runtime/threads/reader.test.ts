/** Reads beside requests: in turns, within limits, and given up when they take too long. */
import assert from "node:assert/strict";
import test from "node:test";
import { createReader, type ReaderLimits } from "../../../src/runtime/threads/reader.ts";

function open(limits: Partial<ReaderLimits> = {}) {
  const events: string[] = [];
  const reader = createReader("file::memory:", {
    log: (event) => void events.push(event),
    limits,
    file: new URL("./reader-fake.ts", import.meta.url),
  });
  const ask = (what: string, turn = 1, signal?: AbortSignal) =>
    (reader.read as (...args: unknown[]) => Promise<unknown>)("listEvents", { turn, signal }, what);
  return { reader, ask, events };
}

test("organizations take turns, however much one of them asks", async () => {
  const { reader, ask } = open();
  const order: unknown[] = [];
  const note = async (name: string, read: Promise<unknown>) => {
    await read;
    order.push(name);
  };
  const reads = ["a1", "a2", "a3", "a4"].map((name) => note(name, ask("slow", 1)));
  reads.push(note("b1", ask("slow", 2)), note("b2", ask("slow", 2)));
  await Promise.all(reads);
  assert.deepEqual(order, ["a1", "b1", "a2", "b2", "a3", "a4"]);
  await reader.stop();
});

test("who has too many reads waiting is told when to come again, and others go on", async () => {
  const { reader, ask } = open({ maxWaitingOfOne: 2, maxWaiting: 3 });
  const first = ask("slow", 1);
  // The thread has the first when it answers; until then all wait.
  await ask("any", 1).catch(() => {});
  await first;
  const reads = [ask("slow", 1), ask("slow", 1), ask("slow", 1)];
  await assert.rejects(ask("slow", 1), { code: "rate_limited", retryAfterS: 2 });
  const other = ask("slow", 2);
  await assert.rejects(ask("slow", 3), { code: "unavailable", retryAfterS: 2 });
  await Promise.all([...reads, other]);
  await reader.stop();
});

test("a read that takes too long is given up, and the next has another thread", async () => {
  const { reader, ask, events } = open({ maxMs: 300 });
  assert.equal(await ask("any"), "any");
  await assert.rejects(ask("spin"), { code: "unavailable", retryAfterS: 2 });
  assert.equal(await ask("any"), "any");
  assert.ok(events.includes("reader.gave_up"));
  await reader.stop();
});

test("who waits no longer is taken out of the queue, and who waits too long is sent away", async () => {
  const { reader, ask } = open({ maxWaitMs: 50 });
  const gone = new AbortController();
  const slow = assert.rejects(ask("slow"), { code: "unavailable" });
  const left = assert.rejects(ask("any", 1, gone.signal), /Nobody waits/);
  gone.abort();
  await Promise.all([slow, left]);
  await reader.stop();
});

test("a thread that ends fails what it was asked, and an error keeps its code", async () => {
  const { reader, ask, events } = open();
  await assert.rejects(ask("fail"), { code: "SQLITE_CORRUPT", message: /malformed/ });
  await assert.rejects(ask("die"), { code: "unavailable" });
  assert.equal(await ask("any"), "any");
  assert.ok(events.includes("reader.ended"));
  await reader.stop();
  await assert.rejects(ask("any"), { code: "unavailable" });
});
