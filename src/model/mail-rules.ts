/**
 * When the technical contact of an automated feed gets a mail. The outcome of a run and the feed's last state come in; a
 * mail, if there is news, and the new state go out. No I/O. No clock.
 *
 * There is one mail when a state begins, one when its reason changes, and a weekly summary while it lasts; none while the
 * feed is well. A reminder of a held run follows after a day, then each week.
 */
import { HOUR_MS } from "../std/time.ts";

export const WEEK_MS = 7 * 24 * HOUR_MS;
const HOLD_AGAIN_MS = 24 * HOUR_MS;
/** From this many failures in a row, the connection is in error. */
export const FAILURES_FOR_ERROR = 3;

/** The state of a feed, which is one connection's inputs of one kind. */
export interface Feed {
  /** `issues`: the last run left out rows or values; `failed`: it failed as a whole; `error`: it keeps failing. */
  readonly state: "well" | "issues" | "failed" | "error";
  /** Why it failed, in a form that is equal for equal reasons; null in the other states. */
  readonly reason: string | null;
  /** Runs in a row that failed as a whole. */
  readonly failures: number;
  /** When the last mail about it was sent, since it was last well. */
  readonly mailedAt: number | null;
  /** Runs since then without news. */
  readonly quietRuns: number;
}

export const WELL: Feed = { state: "well", reason: null, failures: 0, mailedAt: null, quietRuns: 0 };

/** The outcome of a run. */
export interface Ended {
  /** `skipped`: the input is the one that was applied last. */
  readonly outcome: "applied" | "failed" | "skipped";
  /** As in Feed, if it failed. */
  readonly reason: string | null;
  readonly issues: number;
  /** How many of them the run before did not have. */
  readonly newIssues: number;
}

export interface FeedMail {
  readonly type: "run.failures" | "connection.error" | "connection.recovered";
  /** The weekly summary, without news. */
  readonly again: boolean;
  readonly quietRuns: number;
  readonly failures: number;
}

/** The state after the run, and the mail about it; null: none. */
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
 * As afterRun, for a run whose requester sees the outcome. There is only a mail when the connection enters or leaves the
 * state `error`. The next run that nobody waits for mails about what remains.
 */
export function afterAskedFor(feed: Feed, ended: Ended, now: number): ReturnType<typeof afterRun> {
  const after = afterRun(feed, ended, now);
  const turned = (feed.state === "error") !== (after.feed.state === "error");
  if (after.mail === null || turned) return after;
  return { feed: ended.outcome === "failed" ? { ...feed, failures: after.feed.failures } : WELL, mail: null };
}

/** As afterRun, for a visit of a server without an input: one or two failures are not mailed. */
export function afterLook(feed: Feed, reason: string | null, now: number): ReturnType<typeof afterRun> {
  return afterMissing(feed, { outcome: reason === null ? "applied" : "failed", reason, issues: 0, newIssues: 0 }, now);
}

/** As afterRun, for a connector that is not installed, which the operator may be about to add: one or two are not mailed. */
export function afterMissing(feed: Feed, ended: Ended, now: number): ReturnType<typeof afterRun> {
  const after = afterRun(feed, ended, now);
  return after.mail?.type !== "run.failures" ? after : { feed: { ...after.feed, mailedAt: feed.mailedAt }, mail: null };
}

function nextState(feed: Feed, ended: Ended): Pick<Feed, "state" | "reason" | "failures"> {
  if (ended.outcome === "failed") {
    const failures = feed.failures + 1;
    return { state: failures >= FAILURES_FOR_ERROR ? "error" : "failed", reason: ended.reason, failures };
  }
  if (ended.outcome === "applied") return { state: ended.issues > 0 ? "issues" : "well", reason: null, failures: 0 };
  // The source works, and its rows are the same as before.
  return { state: feed.state === "issues" ? "issues" : "well", reason: null, failures: 0 };
}

/** A held run that was mailed about. */
export interface Hold {
  readonly runId: number;
  /** The guards that hold it, in a form that is equal for equal reasons. */
  readonly reason: string;
  readonly mailedAt: number;
  readonly mails: number;
}

/**
 * The hold after a run was held, and the mail about it; `again`: it is a reminder. `standing`: the run in `hold` still
 * waits, is being planned again, or is superseded by this one.
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

/** Whether a reminder of the hold is due. */
export function isHoldDue(hold: Hold, now: number): boolean {
  return now - hold.mailedAt >= (hold.mails === 1 ? HOLD_AGAIN_MS : WEEK_MS);
}

/** The hold after a reminder. */
export function remind(hold: Hold, now: number): Hold {
  return { ...hold, mailedAt: now, mails: hold.mails + 1 };
}

/** Whether a person requested this run of a source, and sees its outcome. */
export function isAskedFor(
  run: { readonly trigger: string; readonly mode: string; readonly connector: string | null },
) {
  return run.trigger === "manual" && run.mode !== "plan" && run.connector !== null;
}

/** Connectors whose senders get the outcome as an answer. */
const ANSWERED: ReadonlySet<string> = new Set(["csv-upload", "rest-import"]);

/** Whether clients that send input to a connection of this connector get the outcome as an answer. */
export function isAnswered(connector: string): boolean {
  return ANSWERED.has(connector);
}

/** Connectors whose senders get the outcome of each record, and are programs that cannot decide about a held run. */
const ANSWERED_UNLESS_HELD: ReadonlySet<string> = new Set(["scim"]);

/** Whether the sender has the outcome of this run, so that a mail would only repeat it. */
export function isKnownToSender(
  run: { readonly trigger: string; readonly status: string; readonly connector: string | null },
): boolean {
  return run.trigger === "drop" && run.status !== "held" && ANSWERED_UNLESS_HELD.has(run.connector ?? "");
}

/**
 * Whether no client waits for the run's outcome, so that it is mailed: runs of due dates and schedules, and inputs that a
 * connector takes from elsewhere. A client that sends a file or records, or requests a run, a plan or a revert, gets the
 * outcome as an answer.
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
      return !isAnswered(run.connector);
    default:
      return false;
  }
}
