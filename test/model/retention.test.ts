/** When leavers and history are due, and when a pass decides: by the clock alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { historyDueAt, monthsBefore, NO_RETENTION, passDue } from "../../src/model/retention.ts";
import { DAY_MS } from "../../src/std/time.ts";

test("years of history go a month at a pass, so that a wrong clock takes little of it", () => {
  const retention = { ...NO_RETENTION, history_months: 12 };
  const now = Date.UTC(2030, 5, 15), oldest = Date.UTC(2025, 0, 1);
  let deleted: number | null = null, passes = 0;
  for (let at = oldest; at < monthsBefore(now, 12); passes++) {
    const until: number = historyDueAt(retention, now, { deleted, oldest: at })!;
    assert.ok(until > at && until <= at + 31 * DAY_MS && until <= monthsBefore(now, 12));
    deleted = at = until;
  }
  assert.ok(passes > 40 && passes < 60, String(passes));
  assert.equal(historyDueAt(retention, now, { deleted, oldest: monthsBefore(now, 12) }), null);
  assert.equal(historyDueAt(NO_RETENTION, now, { deleted, oldest }), null);
});

test("months are those of the calendar, and a later instant never has fewer people due", () => {
  const at = (text: string) => Date.parse(`${text}T10:00:00Z`);
  assert.equal(monthsBefore(at("2028-03-29"), 1), at("2028-02-29"));
  assert.equal(monthsBefore(at("2028-03-31"), 1), Date.parse("2028-02-29T23:59:59.999Z"));
  assert.equal(monthsBefore(at("2027-03-29"), 1), Date.parse("2027-02-28T23:59:59.999Z"));
  assert.equal(monthsBefore(at("2026-01-15"), 3), at("2025-10-15"));
  for (const months of [3, 11, 24, 1200]) {
    let before = -Infinity;
    for (let ms = at("2027-01-01"); ms < at("2029-03-02"); ms += 7 * 3_600_000) {
      const due = monthsBefore(ms, months);
      assert.ok(due >= before && due < ms);
      before = due;
    }
  }
});

test("a pass decides only if it follows another within three days", () => {
  const last = Date.UTC(2027, 0, 1);
  assert.equal(passDue(null, last), "note");
  assert.equal(passDue(last, last + DAY_MS - 1), "none");
  assert.equal(passDue(last, last - 60_000), "none", "two processes' clocks differ a little");
  assert.equal(passDue(last, last + DAY_MS), "decide");
  assert.equal(passDue(last, last + 3 * DAY_MS), "decide");
  assert.equal(passDue(last, last + 3 * DAY_MS + 1), "note");
  assert.equal(passDue(last, last - 366 * DAY_MS), "note");
});
