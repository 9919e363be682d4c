import assert from "node:assert/strict";
import test from "node:test";
import { DELIVERY_GAPS_MS, nextAttempt, parseRetryAfter } from "../../src/notify/schedule.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE;

test("ten attempts are spread over 75 hours and 35 minutes", () => {
  let now = 0, attempts = 1;
  for (let at = nextAttempt(attempts, now, 0.5, null); at !== null; at = nextAttempt(++attempts, now, 0.5, null)) {
    now = at;
  }
  assert.equal(attempts, 10);
  assert.equal(now, 75 * HOUR + 35 * MINUTE + 5_000);
  assert.deepEqual(DELIVERY_GAPS_MS.slice(0, 3), [5_000, 5 * MINUTE, 30 * MINUTE]);
});

test("chance moves an attempt by a fifth at most, to either side", () => {
  assert.equal(nextAttempt(1, 1000, 0, null), 5_000);
  assert.equal(nextAttempt(1, 1000, 1, null), 7_000);
  assert.equal(nextAttempt(10, 1000, 1, null), null);
});

test("a receiver may ask for more time, for a day at most, and never for less", () => {
  assert.equal(nextAttempt(1, 0, 0.5, 60_000), 60_000);
  assert.equal(nextAttempt(2, 0, 0.5, 1_000), 5 * MINUTE);
  assert.equal(nextAttempt(1, 0, 0.5, 1e12), 24 * HOUR);
  assert.equal(nextAttempt(10, 0, 0.5, 60_000), null);
  const now = Date.parse("2026-03-02T08:00:00Z");
  assert.equal(parseRetryAfter("120", now), 120_000);
  assert.equal(parseRetryAfter("Mon, 02 Mar 2026 08:01:00 GMT", now), 60_000);
  assert.equal(parseRetryAfter("Mon, 02 Mar 2026 07:00:00 GMT", now), 0);
  for (const odd of [null, "", "soon", "-5", "1e9", "2026"]) {
    assert.equal(parseRetryAfter(odd, now) ?? 0, odd === "2026" ? 2_026_000 : 0);
  }
});
