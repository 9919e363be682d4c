import assert from "node:assert/strict";
import test from "node:test";
import { spread } from "../../src/std/spread.ts";

test("a text has the same place every time, and many texts have about as many at each place", () => {
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[spread(`con_${i}`, 10)]++;
  assert.equal(spread("con_1", 3_600), spread("con_1", 3_600));
  for (const count of counts) assert.ok(count > 700 && count < 1_300, String(counts));
});
