import assert from "node:assert/strict";
import test from "node:test";
import { createStepwise, type Stepwise } from "../../src/std/stepwise.ts";

test("work begins when it is resumed, stops at each pause, and shows when it has ended", async () => {
  const done: number[] = [];
  const steps: Stepwise = createStepwise(async () => {
    for (const n of [1, 2]) {
      done.push(n);
      await steps.pause();
    }
    done.push(3);
  });
  await Promise.resolve();
  assert.deepEqual(done, []);
  assert.equal(await steps.resume(), false);
  assert.deepEqual(done, [1]);
  assert.equal(await steps.resume(), false);
  assert.equal(await steps.resume(), true);
  assert.deepEqual(done, [1, 2, 3]);
});

test("parts that pause at the same time go on together", async () => {
  const done: string[] = [];
  const steps: Stepwise = createStepwise(async () => {
    await Promise.all(["a", "b"].map(async (part) => {
      await steps.pause();
      done.push(part);
    }));
  });
  assert.equal(await steps.resume(), false);
  assert.equal(await steps.resume(), true);
  assert.deepEqual(done, ["a", "b"]);
});

test("an error of the work fails the turn in which it happens", async () => {
  const steps: Stepwise = createStepwise(async () => {
    await steps.pause();
    throw new Error("broken");
  });
  assert.equal(await steps.resume(), false);
  await assert.rejects(steps.resume(), /broken/);
});
