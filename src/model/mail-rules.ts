/**
 * When the technical contact of an automated feed is written to: what a run came to and what was said before, in; whether
 * there is something to say, and what is remembered, out. No I/O. No clock.
 *
 * One mail on entering a state, one when its reason changes, a summary each week while it lasts; silence when all is
 * well. A hold is said again after a day, then each week.
 */
import { HOUR_MS } from "../std/time.ts";

export const WEEK_MS = 7 * 24 * HOUR_MS;
const HOLD_AGAIN_MS = 24 * HOUR_MS;
/** Failures in a row that make a connection's own state of it. */
export const FAILURES_FOR_ERROR = 3;

/** What is remembered of a feed: one connection's inputs of one kind. */
export interface Feed {
  /** `issues`: its last run left rows or values out; `failed`: it failed as a whole; `error`: it keeps failing. */
  readonly state: "well" | "issues" | "failed" | "error";
  /** Why it failed, in a form that is equal for equal reasons; null in the other states. */
  readonly reason: string | null;
  /** Runs in a row that failed as a whole. */
  readonly failures: number;
  /** When it was last written about, since it was last well. */
  readonly mailedAt: number | null;
  /** Runs since then that had nothing new to say. */
  readonly quietRuns: number;
}

export const WELL: Feed = { state: "well", reason: null, failures: 0, mailedAt: null, quietRuns: 0 };

/** What a run came to. */
export interface Ended {
  /** `skipped`: the input is the one that was applied last. */
  readonly outcome: "applied" | "failed" | "skipped";
  /** As for Feed, where it failed. */
  readonly reason: string | null;
  readonly issues: number;
  /** Of these, how many the run before did not have. */
  readonly newIssues: number;
}

export interface FeedMail {
  readonly type: "run.failures" | "connection.error" | "connection.recovered";
  /** The week's summary of what was said before. */
  readonly again: boolean;
  readonly quietRuns: number;
  readonly failures: number;
}

/** What is remembered after the run, and the mail that it is worth; null: none. */
export function afterRun(
  feed: Feed,
  ended: Ended,
  now: number,
): { readonly feed: Feed; readonly mail: FeedMail | null } {
  const { state, reason, failures } = nextState(feed, ended);
  const recovered = feed.state === "error" && state !== "error";
  const entered = state !== feed.state && state !== "well";
  const changed = ended.outcome !== "skipped" && state !== "well" && (reason !== feed.reason || ended.newIssues > 0);
  const weekPassed = feed.mailedAt === null || now - feed.mailedAt >= WEEK_MS;
  const standing = state !== "well" && ended.outcome !== "skipped";
  const speaks = recovered || entered || changed || (standing && weekPassed);
  if (!speaks) {
    const next = state === "well"
      ? WELL
      : { state, reason, failures, mailedAt: feed.mailedAt, quietRuns: feed.quietRuns + 1 };
    return { feed: next, mail: null };
  }
  const next: Feed = state === "well" ? WELL : { state, reason, failures, mailedAt: now, quietRuns: 0 };
  return {
    feed: next,
    mail: {
      type: recovered ? "connection.recovered" : state === "error" ? "connection.error" : "run.failures",
      again: !(recovered || entered || changed),
      quietRuns: feed.quietRuns,
      failures: recovered ? feed.failures : failures,
    },
  };
}

/**
 * The same of a run that somebody has asked for, and is answered: what it came to is theirs to know, but that the
 * connection is in error by it, or well again, is everybody's. What is kept quiet so is said by the next run that nobody
 * waits for.
 */
export function afterAskedFor(feed: Feed, ended: Ended, now: number): ReturnType<typeof afterRun> {
  const after = afterRun(feed, ended, now);
  const turned = (feed.state === "error") !== (after.feed.state === "error");
  if (after.mail === null || turned) return after;
  return { feed: ended.outcome === "failed" ? { ...feed, failures: after.feed.failures } : WELL, mail: null };
}

/** The same of a look at a source that brings nothing by itself: what went badly once or twice is not worth a mail. */
export function afterLook(feed: Feed, reason: string | null, now: number): ReturnType<typeof afterRun> {
  const ended = { outcome: reason === null ? "applied" : "failed", reason, issues: 0, newIssues: 0 } as const;
  const after = afterRun(feed, ended, now);
  return after.mail?.type !== "run.failures" ? after : { feed: { ...after.feed, mailedAt: feed.mailedAt }, mail: null };
}

function nextState(feed: Feed, ended: Ended): Pick<Feed, "state" | "reason" | "failures"> {
  if (ended.outcome === "failed") {
    const failures = feed.failures + 1;
    return { state: failures >= FAILURES_FOR_ERROR ? "error" : "failed", reason: ended.reason, failures };
  }
  if (ended.outcome === "applied") return { state: ended.issues > 0 ? "issues" : "well", reason: null, failures: 0 };
  // The source works, and of its rows nothing new is known.
  return { state: feed.state === "issues" ? "issues" : "well", reason: null, failures: 0 };
}

/** What is remembered of a hold. */
export interface Hold {
  readonly runId: number;
  /** Which guards hold it, in a form that is equal for equal reasons. */
  readonly reason: string;
  readonly mailedAt: number;
  readonly mails: number;
}

/**
 * What is remembered when a run is held, and whether it is said: `again` when it was said before. `standing`: the run
 * that `hold` is about still waits, is being planned afresh, or gives its place to this one.
 */
export function afterHeld(
  hold: Hold | null,
  held: { readonly runId: number; readonly reason: string; readonly standing: boolean },
  now: number,
): { readonly hold: Hold; readonly mail: { readonly again: boolean } | null } {
  const { runId, reason } = held;
  if (hold === null || !held.standing || hold.reason !== reason) {
    return { hold: { runId, reason, mailedAt: now, mails: 1 }, mail: { again: false } };
  }
  if (!isHoldDue(hold, now)) return { hold: { ...hold, runId }, mail: null };
  return { hold: remind({ ...hold, runId }, now), mail: { again: true } };
}

/** Whether a hold that lasts is to be said again. */
export function isHoldDue(hold: Hold, now: number): boolean {
  return now - hold.mailedAt >= (hold.mails === 1 ? HOLD_AGAIN_MS : WEEK_MS);
}

/** The hold once it has been said again. */
export function remind(hold: Hold, now: number): Hold {
  return { ...hold, mailedAt: now, mails: hold.mails + 1 };
}

/** Whether somebody has asked a source for this run, and sees what it comes to. */
export function isAskedFor(
  run: { readonly trigger: string; readonly mode: string; readonly connector: string | null },
) {
  return run.trigger === "manual" && run.mode !== "plan" && run.connector !== null;
}

/** Connectors whose inputs are handed in by somebody who is answered at once. */
const ANSWERED: ReadonlySet<string> = new Set(["csv-upload", "rest-import"]);

/**
 * Whether nobody waits for the run's answer, so that it is worth a mail. Handing in a file or records over the API is
 * answered on the spot, and so is asking for a run, for a plan alone, or for a run to be taken back. Days that come,
 * schedules, and inputs that a connector takes from elsewhere are answered to nobody.
 */
export function isAutomated(run: {
  readonly trigger: string;
  readonly mode: string;
  readonly connector: string | null;
}): boolean {
  if (run.mode === "plan" || run.connector === null) return false;
  switch (run.trigger) {
    case "due":
    case "schedule":
      return true;
    case "drop":
    case "retry":
      return !ANSWERED.has(run.connector);
    default:
      return false;
  }
}
