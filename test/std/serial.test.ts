import assert from "node:assert/strict";
import test from "node:test";
import { createSerial } from "../../src/std/serial.ts";
import { sleep } from "../../src/std/sleep.ts";

test("work begins in the order it came in, and never before the last has ended", async () => {
  const inTurn = createSerial();
  const seen: string[] = [];
  const work = (name: string, ms: number) =>
    inTurn(async () => {
      seen.push(`${name} begins`);
      await sleep(ms);
      seen.push(`${name} ends`);
      return name;
    });
  assert.deepEqual(await Promise.all([work("a", 10), work("b", 0)]), ["a", "b"]);
  assert.deepEqual(seen, ["a begins", "a ends", "b begins", "b ends"]);
});

test("what fails fails for its own caller alone", async () => {
  const inTurn = createSerial();
  const failing = inTurn(() => Promise.reject(new Error("broken")));
  const next = inTurn(() => Promise.resolve(1));
  await assert.rejects(failing, /broken/);
  assert.equal(await next, 1);
});
