/** Pages of several reads: between two of them the thread does what else there is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPageTurns } from "../../../src/runtime/threads/page-turns.ts";

test("reads that go on at once do so one after the other, and what else waits comes between them", async () => {
  const turn = createPageTurns(), happened: string[] = [];
  let isOver = false;
  const answer = () => {
    happened.push("an answer");
    if (!isOver) setImmediate(answer);
  };
  setImmediate(answer);
  await Promise.all(["one", "two", "three"].map(async (name) => {
    await turn();
    happened.push(name);
  }));
  isOver = true;
  assert.deepEqual(happened.filter((each) => each !== "an answer"), ["one", "two", "three"]);
  for (const name of ["two", "three"]) {
    assert.equal(happened[happened.indexOf(name) - 1], "an answer", happened.join());
  }
});
