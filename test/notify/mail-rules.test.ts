import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  afterAskedFor,
  afterHeld,
  afterLook,
  afterMissing,
  afterRun,
  type Ended,
  type Feed,
  type FeedMail,
  type Hold,
  isAskedFor,
  isAutomated,
  isHoldDue,
  isKnownToSender,
  remind,
  WEEK_MS,
  WELL,
} from "../../src/model/mail-rules.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const applied = (issues = 0, newIssues = 0): Ended => ({ outcome: "applied", reason: null, issues, newIssues });
const failed = (reason: string, newIssues = 0): Ended => ({ outcome: "failed", reason, issues: 1, newIssues });
const SKIPPED: Ended = { outcome: "skipped", reason: null, issues: 0, newIssues: 0 };

/** What is mailed when a run ends each night so. */
function nights(...each: readonly Ended[]): (string | null)[] {
  let feed: Feed = WELL;
  return each.map((ended, night) => {
    const after = afterRun(feed, ended, night * DAY_MS);
    feed = after.feed;
    return after.mail === null ? null : `${after.mail.type}${after.mail.again ? " again" : ""}`;
  });
}

test("all is well, and nothing is said", () => {
  assert.deepEqual(nights(applied(), applied(), SKIPPED, applied()), [null, null, null, null]);
});

test("issues are said once, and again when there are new ones", () => {
  assert.deepEqual(nights(applied(3, 3), applied(3, 0), applied(2, 0), applied(4, 1), applied(4, 0)), [
    "run.failures",
    null,
    null,
    "run.failures",
    null,
  ]);
});

test("issues that come back after all was well are said again, new or not", () => {
  assert.deepEqual(nights(applied(1, 1), applied(), applied(1, 0)), ["run.failures", null, "run.failures"]);
});

test("what stands is summed up each week, with the number of runs that said nothing new", () => {
  const feeds: (FeedMail | null)[] = [];
  let feed: Feed = WELL;
  for (let night = 0; night < 15; night++) {
    const after = afterRun(feed, applied(2, night === 0 ? 2 : 0), night * DAY_MS);
    feed = after.feed;
    feeds.push(after.mail);
  }
  assert.deepEqual(feeds.flatMap((mail, night) => mail === null ? [] : [[night, mail.again, mail.quietRuns]]), [
    [0, false, 0],
    [7, true, 6],
    [14, true, 6],
  ]);
});

test("a failure is said once, another reason once more, and the third in a row is the connection's error", () => {
  assert.deepEqual(nights(failed("a", 1), failed("a"), failed("a"), failed("a"), failed("b"), failed("b")), [
    "run.failures",
    null,
    "connection.error",
    null,
    "connection.error",
    null,
  ]);
  assert.deepEqual(nights(failed("a", 1), failed("b", 1), failed("c", 1)), [
    "run.failures",
    "run.failures",
    "connection.error",
  ]);
});

test("a connection in error recovers with one mail; one that failed twice says nothing of it", () => {
  const error = [failed("a"), failed("a"), failed("a")];
  assert.equal(nights(...error, applied()).at(-1), "connection.recovered");
  assert.equal(nights(...error, applied(2, 2)).at(-1), "connection.recovered");
  assert.equal(nights(...error, SKIPPED).at(-1), "connection.recovered");
  assert.deepEqual(nights(...error, applied(), applied()).slice(-2), ["connection.recovered", null]);
  assert.deepEqual(nights(failed("a"), failed("a"), applied()), ["run.failures", null, null]);
  assert.deepEqual(nights(failed("a"), failed("a"), applied(), failed("a"), failed("a")).slice(-2), [
    "run.failures",
    null,
  ]);
});

/** The same of runs that somebody asked for (`asked`) between those that nobody waits for. */
function mixed(...each: readonly (readonly [Ended, "asked" | "night"])[]): (string | null)[] {
  let feed: Feed = WELL;
  return each.map(([ended, how], day) => {
    const after = (how === "asked" ? afterAskedFor : afterRun)(feed, ended, day * HOUR_MS);
    feed = after.feed;
    return after.mail?.type ?? null;
  });
}

test("of runs that somebody asked for only what turns the connection is said, and the rest by the next night", () => {
  assert.deepEqual(
    mixed([failed("a"), "asked"], [failed("a"), "asked"], [failed("a"), "asked"], [applied(), "asked"]),
    [
      null,
      null,
      "connection.error",
      "connection.recovered",
    ],
  );
  assert.deepEqual(
    mixed([failed("a"), "night"], [failed("a"), "asked"], [failed("a"), "night"], [failed("a"), "night"]),
    [
      "run.failures",
      null,
      "connection.error",
      null,
    ],
  );
  // What was seen by whoever asked has not been said to anybody else.
  assert.deepEqual(mixed([applied(2, 2), "asked"], [applied(2, 0), "night"], [applied(2, 0), "night"]), [
    null,
    "run.failures",
    null,
  ]);
  assert.deepEqual(mixed([failed("a"), "night"], [applied(), "asked"], [failed("a"), "night"]), [
    "run.failures",
    null,
    "run.failures",
  ]);
  assert.deepEqual(mixed([failed("a"), "night"], [applied(1, 1), "asked"], [failed("a"), "night"]), [
    "run.failures",
    null,
    "run.failures",
  ]);
});

test("looks at a source are said of from the third in a row that went badly, as its inputs are", () => {
  let feed: Feed = WELL;
  const said = ["a", "a", "a", "a", "b", null, "a", "a", null].map((reason, n) => {
    const after = afterLook(feed, reason, n * HOUR_MS);
    feed = after.feed;
    return after.mail?.type ?? null;
  });
  assert.deepEqual(said, [
    null,
    null,
    "connection.error",
    null,
    "connection.error",
    "connection.recovered",
    null,
    null,
    null,
  ]);
});

test("an input that is the one applied last changes nothing of standing issues", () => {
  assert.deepEqual(nights(applied(1, 1), SKIPPED, applied(1, 0)), ["run.failures", null, null]);
});

const ENDED: fc.Arbitrary<Ended> = fc.oneof(
  fc.record({
    outcome: fc.constant("applied" as const),
    reason: fc.constant(null),
    issues: fc.nat(3),
    newIssues: fc.nat(3),
  }).map((each) => ({ ...each, newIssues: Math.min(each.newIssues, each.issues) })),
  fc.record({
    outcome: fc.constant("failed" as const),
    reason: fc.constantFrom("a", "b"),
    issues: fc.constant(1),
    newIssues: fc.nat(1),
  }),
  fc.constant(SKIPPED),
);

test("whatever happens: what is new is always said, what is not never twice within a week", () => {
  fc.assert(fc.property(fc.array(fc.tuple(ENDED, fc.integer({ min: 1, max: 40 }))), (runs) => {
    let feed: Feed = WELL, now = 0;
    for (const [ended, hours] of runs) {
      now += hours * HOUR_MS;
      const before = feed;
      const { feed: after, mail } = afterRun(before, ended, now);
      if (ended.newIssues > 0) assert.notEqual(mail, null);
      if (mail === null && after.mailedAt !== null) assert.ok(now - after.mailedAt < WEEK_MS || ended === SKIPPED);
      if (mail?.again) assert.ok(now - before.mailedAt! >= WEEK_MS && ended.newIssues === 0);
      if (mail?.type === "connection.recovered") assert.equal(before.state, "error");
      if (ended.outcome === "applied" && ended.issues === 0) assert.deepEqual(after, WELL);
      if (after.state === "error") assert.ok(after.failures >= 3);
      feed = after;
    }
  }));
});

test("a hold is said on its first night, after 24 hours, then each week, however many runs it holds", () => {
  let hold: Hold | null = null;
  const said: [number, boolean][] = [];
  for (let hour = 0; hour <= 24 * 20; hour++) {
    if (hour % 8 === 0) {
      const after = afterHeld(hold, { runId: 1 + hour / 8, reason: "deactivate", standing: hour > 0 }, hour * HOUR_MS);
      hold = after.hold;
      if (after.mail !== null) said.push([hour, after.mail.again]);
    } else if (isHoldDue(hold!, hour * HOUR_MS)) {
      hold = remind(hold!, hour * HOUR_MS);
      said.push([hour, true]);
    }
  }
  assert.deepEqual(said, [[0, false], [24, true], [24 + 168, true], [24 + 336, true]]);
});

test("a hold for another reason, and one after the last was decided, is a new one", () => {
  const { hold } = afterHeld(null, { runId: 1, reason: "deactivate", standing: false }, 0);
  assert.equal(afterHeld(hold, { runId: 2, reason: "deactivate", standing: true }, HOUR_MS).mail, null);
  assert.deepEqual(afterHeld(hold, { runId: 2, reason: "identity", standing: true }, HOUR_MS).mail, { again: false });
  assert.deepEqual(afterHeld(hold, { runId: 2, reason: "deactivate", standing: false }, HOUR_MS).mail, {
    again: false,
  });
});

test("a provider knows what became of its record, and people have to know what is held", () => {
  const of = (status: string, connector: string, trigger = "drop") => isKnownToSender({ trigger, status, connector });
  assert.deepEqual([of("failed", "scim"), of("succeeded", "scim"), of("held", "scim")], [true, true, false]);
  assert.deepEqual([of("failed", "sftp-drop"), of("succeeded", "scim", "due")], [false, false]);
});

test("only what nobody waits for is automated", () => {
  const table: [trigger: string, mode: string, connector: string | null, automated: boolean][] = [
    ["drop", "auto", "csv-upload", false],
    ["drop", "auto", "rest-import", false],
    ["drop", "auto", "sftp-drop", true],
    ["drop", "auto", "acme-payroll", true],
    ["drop", "plan", "sftp-drop", false],
    ["schedule", "auto", "bamboohr", true],
    ["manual", "auto", "bamboohr", false],
    ["due", "auto", "csv-upload", true],
    ["retry", "auto", "csv-upload", false],
    ["retry", "auto", "sftp-drop", true],
    ["revert", "plan", "sftp-drop", false],
    ["schedule", "auto", null, false],
  ];
  for (const [trigger, mode, connector, automated] of table) {
    assert.equal(isAutomated({ trigger, mode, connector }), automated, `${trigger} ${mode} ${connector}`);
    assert.equal(isAskedFor({ trigger, mode, connector }), trigger === "manual", `${trigger} ${mode} ${connector}`);
  }
});

test("a missing connector is mailed about from the third run in a row on, and another failure at once", () => {
  const missing = failed("connector_missing");
  let feed: Feed = WELL;
  const mailed = [missing, missing, applied(0), missing, failed("a"), missing, missing, applied(0)].map((ended, n) => {
    const after = (ended === missing ? afterMissing : afterRun)(feed, ended, n * HOUR_MS);
    feed = after.feed;
    return after.mail?.type ?? null;
  });
  assert.deepEqual(mailed, [
    null,
    null,
    null,
    null,
    "run.failures",
    "connection.error",
    null,
    "connection.recovered",
  ]);
});
