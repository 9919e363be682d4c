/** Days of a zone as moments. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfDay, startOfDay, toInstantOrNull } from "../../src/std/time.ts";

test("a day begins and ends at midnight of its zone, also when clocks change on it", () => {
  const day = (timezone: string, text: string) =>
    [startOfDay(timezone, text), endOfDay(timezone, text)].map(toInstantOrNull);
  assert.deepEqual(day("UTC", "2026-03-01"), ["2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"]);
  assert.deepEqual(day("Europe/Berlin", "2026-03-29"), ["2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]);
  assert.deepEqual(day("Europe/Berlin", "2026-10-25"), ["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
  assert.deepEqual(day("Pacific/Auckland", "2026-04-05"), ["2026-04-04T11:00:00.000Z", "2026-04-05T12:00:00.000Z"]);
  assert.deepEqual(day("America/New_York", "2026-12-31"), ["2026-12-31T05:00:00.000Z", "2027-01-01T05:00:00.000Z"]);
});

test("what is no day has no moments", () => {
  for (const text of ["", "soon", "2026-13-01", "2026-03-01T08:00:00Z"]) {
    assert.equal(startOfDay("UTC", text), null, text);
  }
});
