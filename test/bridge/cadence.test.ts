import assert from "node:assert/strict";
import test from "node:test";
import { nextDue } from "../../src/bridge/cadence.ts";

const next = (at: string, timeZone: string, after: string) =>
  new Date(nextDue({ kind: "daily", at, timeZone }, Date.parse(after))).toISOString();

test("a daily hour is one of its zone", () => {
  assert.equal(next("06:30", "Europe/Berlin", "2026-01-10T05:29:59Z"), "2026-01-10T05:30:00.000Z");
  assert.equal(next("06:30", "Europe/Berlin", "2026-01-10T05:30:00Z"), "2026-01-11T05:30:00.000Z");
  assert.equal(next("06:30", "Europe/Berlin", "2026-07-10T04:00:00Z"), "2026-07-10T04:30:00.000Z");
  assert.equal(next("00:00", "Asia/Kathmandu", "2026-01-10T00:00:00Z"), "2026-01-10T18:15:00.000Z");
});

test("an hour that a day does not have is due as soon as it is past, at midnight too, and no day is left out", () => {
  assert.equal(next("02:30", "America/Los_Angeles", "2026-03-08T08:00:00Z"), "2026-03-08T10:00:00.000Z");
  assert.equal(next("00:30", "America/Santiago", "2026-09-06T01:00:00Z"), "2026-09-06T04:00:00.000Z");
  assert.equal(next("00:00", "Asia/Beirut", "2026-03-28T12:00:00Z"), "2026-03-28T22:00:00.000Z");
});

test("an hour that a day has twice is due once", () => {
  assert.equal(next("01:30", "America/Los_Angeles", "2026-11-01T07:00:00Z"), "2026-11-01T08:30:00.000Z");
  assert.equal(next("01:30", "America/Los_Angeles", "2026-11-01T08:30:00Z"), "2026-11-02T09:30:00.000Z");
});
