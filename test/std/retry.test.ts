import assert from "node:assert/strict";
import test from "node:test";
import { ladder, retry } from "../../src/std/retry.ts";

function failing(times: number) {
  let calls = 0;
  return () => {
    if (++calls <= times) throw new Error(`failure ${calls}`);
    return calls;
  };
}

test("an action is tried until it succeeds, and the pauses follow its failures", async () => {
  const seen: string[] = [];
  const result = await retry(failing(2), (error, failures) => {
    seen.push(`${failures}: ${(error as Error).message}`);
    return failures - 1;
  });
  assert.equal(result, 3);
  assert.deepEqual(seen, ["1: failure 1", "2: failure 2"]);
});

test("where there is no pause any more, the last error is passed on", async () => {
  await assert.rejects(retry(failing(9), (_, failures) => failures < 3 ? 0 : null), /failure 3/);
});

test("a signal ends the pause", async () => {
  const stop = new AbortController();
  const trying = retry(failing(9), () => 60_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(trying, /enough/);
});

test("a ladder ends with its last gap", () => {
  assert.deepEqual([1, 2, 3, 4].map((failures) => ladder([5, 15, 60], failures)), [5, 15, 60, 60]);
});
