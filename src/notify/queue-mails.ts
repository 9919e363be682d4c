/** Makes the statements that queue a mail and update the state of what was mailed, for the batch of the event itself. */
import { sha256Hex } from "../std/hex.ts";
import type { Hub } from "../hub.ts";
import type { Statement } from "../store/database.ts";
import {
  connectorToTellOf,
  holdIsStill,
  listStandingHolds,
  loadMailState,
  saveHold,
  saveMailState,
} from "../store/notify/mail-states.ts";
import { type NewMail, queueMail } from "../store/notify/mails.ts";
import type { Run } from "../store/runs/runs.ts";
import type { HeldBy } from "../model/run.ts";
import { reserve } from "../store/sequences.ts";
import type { Novelty } from "../model/event.ts";
import {
  afterAskedFor,
  afterHeld,
  afterMissing,
  afterRun,
  type Ended,
  isAskedFor,
  isAutomated,
  isHoldDue,
  isKnownToSender,
  remind,
} from "../model/mail-rules.ts";

/**
 * Statements for the batch that ends or holds the run, whose final state is `run`; none if no mail is due. They rely on the
 * mail state that is read here, which only the holder of the organization's lease changes. `novelty`: of the run's issues;
 * null: it has not finished.
 */
export async function mailStatements(hub: Hub, run: Run, novelty: Novelty | null): Promise<Statement[]> {
  if (hub.mailFrom == null) return [];
  const { db } = hub;
  const { id: runId, organizationId, connectionId, trigger, mode } = run;
  const kind = { trigger, mode, connector: await connectorToTellOf(db, run) };
  const isAnswered = isAskedFor(kind);
  if (!isAutomated(kind) && (!isAnswered || run.status === "held")) return [];
  const now = hub.now();
  const state = await loadMailState(db, run);
  const { feed, hold, mail: due } = run.status === "held"
    ? afterHolding(state, run, now)
    : afterEnding(state, run, await endedOf(run, novelty), ruleFor(run, isAnswered), now);
  const saved = saveMailState(db, run, { feed, hold });
  const mail = isKnownToSender({ ...kind, status: run.status }) ? null : due;
  if (mail === null) return [saved];
  const id = await reserve(db, "mail");
  return [saved, queueMail(db, { id, organizationId, connectionId, runId, ...mail }, now)];
}

function ruleFor({ error }: Run, isAnswered: boolean): typeof afterRun {
  if (isAnswered) return afterAskedFor;
  return error?.code === "connector_missing" ? afterMissing : afterRun;
}

type MailState = Awaited<ReturnType<typeof loadMailState>>;
type NextState = Pick<MailState, "feed" | "hold"> & { readonly mail: Pick<NewMail, "type" | "facts"> | null };

function afterHolding({ feed, hold, holdStatus }: MailState, { id, heldBy }: Run, now: number): NextState {
  const standing = hold?.runId === id || holdStatus === "held";
  const next = afterHeld(hold, { runId: id, reason: guardsOf(heldBy), standing }, now);
  const facts = { again: next.mail?.again === true, heldBy };
  return { feed, hold: next.hold, mail: next.mail && { type: "run.held", facts } };
}

function afterEnding(
  { feed, hold, holdStatus }: MailState,
  { id }: Run,
  ended: Ended | null,
  after: typeof afterRun,
  now: number,
): NextState {
  const left = holdStatus === "held" && hold?.runId !== id ? hold : null;
  if (ended === null) return { feed, hold: left, mail: null };
  const next = after(feed, ended, now);
  if (next.mail === null) return { feed: next.feed, hold: left, mail: null };
  const { type, ...facts } = next.mail;
  return { feed: next.feed, hold: left, mail: { type, facts } };
}

/** Queues reminders of runs that have been held for a while. Idempotent, also when two processes do it at once. */
export async function remindOfHolds(hub: Hub): Promise<void> {
  if (hub.mailFrom == null) return;
  const { db } = hub;
  const now = hub.now();
  for (const standing of await listStandingHolds(db)) {
    const { hold, organizationId, connectionId, heldBy } = standing;
    if (!isHoldDue(hold, now)) continue;
    const mail = {
      id: await reserve(db, "mail"),
      organizationId,
      connectionId,
      runId: hold.runId,
      type: "run.held",
      facts: { again: true, heldBy },
    } as const;
    await db.write([
      queueMail(db, mail, now, holdIsStill(standing)),
      saveHold(db, standing, remind(hold, now)),
    ]);
  }
}

/** Queues a mail that is not about a run, if `condition` is true when the statement runs. */
export async function mailWithoutRun(
  hub: Hub,
  mail: Pick<NewMail, "organizationId" | "connectionId" | "type" | "facts">,
  condition: Parameters<typeof queueMail>[3],
): Promise<Statement[]> {
  if (hub.mailFrom == null) return [];
  return [queueMail(hub.db, { ...mail, id: await reserve(hub.db, "mail"), runId: null }, hub.now(), condition)];
}

/** The guards that hold the run, without their counts. */
function guardsOf(heldBy: readonly HeldBy[]): string {
  return heldBy.map(({ guard, field }) => field === undefined ? guard : `${guard}:${field}`).sort().join(" ");
}

/** Null: the run does not show how its feed does. */
async function endedOf(run: Run, novelty: Novelty | null): Promise<Ended | null> {
  if (run.status === "skipped") return { outcome: "skipped", reason: null, issues: 0, newIssues: 0 };
  if (novelty === null) return null;
  const { new: newIssues, repeated } = novelty;
  const issues = newIssues + repeated;
  // A source that broke off has failed, even though the rows before that were used.
  if (run.status === "failed" || run.error != null) {
    return { outcome: "failed", reason: await reasonOf(run), issues, newIssues };
  }
  return { outcome: "applied", reason: null, issues, newIssues };
}

/**
 * Equal for failures of the same kind, whose lines and counts differ from night to night. It is a digest, because a message
 * may quote a person's data.
 */
async function reasonOf({ error }: Run): Promise<string> {
  const text = `${error?.code} ${error?.message.replace(/\d+/g, "#")}`;
  return (await sha256Hex(text)).slice(0, 24);
}
