import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cronFault,
  lastExpected,
  nextExpected,
  nextFetch,
  nextMoment,
  RETRY_GAPS_MS,
} from "../../src/model/schedule.ts";
import { HOUR_MS } from "../../src/std/time.ts";

const at = (text: string) => Date.parse(text);
const MINUTE_MS = 60_000;

/** Moments as a hub that looks every minute sees them come. */
function moments(schedule: Parameters<typeof nextMoment>[0], zone: string, from: string, to: string): string[] {
  const found: string[] = [];
  let next = nextMoment(schedule, zone, 0, at(from));
  for (let now = at(from); now <= at(to); now += MINUTE_MS) {
    if (next === null || now < next) continue;
    found.push(new Date(next).toISOString().slice(0, 16));
    next = nextMoment(schedule, zone, 0, now);
  }
  return found;
}

test("a nightly moment keeps its hour through the year, and comes once on days when the clocks change", () => {
  const nightly = { cron: "0 3 * * *", timezone: "America/Los_Angeles" };
  assert.deepEqual(moments(nightly, "UTC", "2026-03-06T12:00Z", "2026-03-09T12:00Z"), [
    "2026-03-07T11:00",
    "2026-03-08T10:00",
    "2026-03-09T10:00",
  ]);
  assert.deepEqual(moments(nightly, "UTC", "2026-10-30T12:00Z", "2026-11-02T12:00Z"), [
    "2026-10-31T10:00",
    "2026-11-01T11:00",
    "2026-11-02T11:00",
  ]);
});

test("an hour that is left out is made up for, one that comes twice counts once", () => {
  assert.deepEqual(moments({ cron: "30 2 * * *" }, "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-30T12:00Z"), [
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  assert.deepEqual(moments({ cron: "30 2 * * *" }, "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-26T12:00Z"), [
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
  assert.deepEqual(moments({ cron: "30 1 * * *" }, "America/New_York", "2026-10-31T12:00Z", "2026-11-02T12:00Z"), [
    "2026-11-01T05:30",
    "2026-11-02T06:30",
  ]);
});

test("every so often is every so often, whatever the clocks do", () => {
  const night = moments({ every_minutes: 30 }, "Europe/Berlin", "2026-10-24T23:45Z", "2026-10-25T03:15Z");
  assert.deepEqual(night.map((each) => each.slice(11)), [
    "00:00",
    "00:30",
    "01:00",
    "01:30",
    "02:00",
    "02:30",
    "03:00",
  ]);
  assert.equal(nextMoment({ every_minutes: 5 }, "UTC", 7, 7), 7 + 5 * MINUTE_MS);
  assert.equal(nextMoment({ every_minutes: 5 }, "UTC", 7, 6 + 5 * MINUTE_MS), 7 + 5 * MINUTE_MS);
});

test("an expression that is none, or that no day fits, says what it should be", () => {
  assert.equal(cronFault("*/15 6-22 * * mon-fri"), null);
  for (const wrong of ["", "@daily", "0 3 * *", "0 0 3 * * *", "61 * * * *", "0 3 30 2 *", "x y z a b"]) {
    assert.match(cronFault(wrong) ?? "nothing", /^should /, wrong);
  }
});

/** Minutes until each try of a connection that keeps failing. */
function tries(schedule: Parameters<typeof nextFetch>[0], from: string, isRefused: boolean, count: number): number[] {
  const found: number[] = [];
  for (let failures = 1, now = at(from); failures <= count; failures++) {
    const next = nextFetch(schedule, "UTC", 0, { failures, isRefused }, now).at!;
    found.push((next - now) / MINUTE_MS);
    now = next;
  }
  return found;
}

test("a connection that fails is tried again after 5 min, 15 min, 1 h, 6 h and 24 h", () => {
  assert.deepEqual(RETRY_GAPS_MS.map((gap) => gap / MINUTE_MS), [5, 15, 60, 360, 1440]);
  assert.deepEqual(tries({ every_minutes: 5 }, "2026-03-02T03:00Z", false, 7), [5, 15, 60, 360, 1440, 1440, 1440]);
  assert.deepEqual(tries({ cron: "*/5 * * * *" }, "2026-03-02T03:00Z", false, 6), [5, 15, 60, 360, 1440, 1440]);
});

test("what comes once a day keeps its hour while it fails", () => {
  // 03:00, then 03:05, 03:20, 04:20, 10:20, and 03:00 again.
  assert.deepEqual(tries({ cron: "0 3 * * *" }, "2026-03-02T03:00Z", false, 6), [5, 15, 60, 360, 1000, 1440]);
});

test("credentials that are refused are not tried out on the source", () => {
  assert.deepEqual(tries({ every_minutes: 5 }, "2026-03-02T03:00Z", true, 4), [60, 1440, 1440, 1440]);
  assert.equal(nextFetch({ every_minutes: 5 }, "UTC", 0, { failures: 0, isRefused: false }, 0).at, 5 * MINUTE_MS);
});

test("a feed is expected at its time of day, on its days, in its time zone", () => {
  const weekdays = { time: "06:30", timezone: "Europe/Berlin", days: ["mon", "tue", "wed", "thu", "fri"] } as const;
  const expected = { ...weekdays, days: [...weekdays.days] };
  const friday = at("2026-03-27T05:30Z"), monday = at("2026-03-30T04:30Z");
  assert.equal(nextExpected(expected, "UTC", friday), monday);
  assert.equal(lastExpected(expected, "UTC", monday), friday);
  assert.equal(lastExpected(expected, "UTC", monday + 1), monday);
  assert.equal(nextExpected({ time: "06:30" }, "America/New_York", friday), friday + 5 * HOUR_MS);
});
