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
import { queueMail } from "../store/notify/mails.ts";
import type { Run } from "../store/runs/runs.ts";
import type { MailFacts } from "../store/notify/schema-mails.ts";
import type { HeldBy } from "../model/run.ts";
import { reserve } from "../store/sequences.ts";
import type { Novelty } from "../model/event.ts";
import {
  afterAskedFor,
  afterHeld,
  afterRun,
  type Ended,
  isAskedFor,
  isAutomated,
  isHoldDue,
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
  const connector = await connectorToTellOf(db, run);
  const kind = { trigger: run.trigger, mode: run.mode, connector };
  const isAnswered = isAskedFor(kind);
  if (!isAutomated(kind) && (!isAnswered || run.status === "held")) return [];
  const now = hub.now();
  const state = await loadMailState(db, run);
  const of = { organizationId: run.organizationId, connectionId: run.connectionId, runId: run.id };

  if (run.status === "held") {
    const standing = state.hold?.runId === run.id || state.holdStatus === "held";
    const { hold, mail } = afterHeld(state.hold, { runId: run.id, reason: guardsOf(run.heldBy), standing }, now);
    const facts: MailFacts = { again: mail?.again === true, heldBy: run.heldBy };
    return [
      saveMailState(db, run, { feed: state.feed, hold }),
      ...(mail === null ? [] : [queueMail(db, { ...of, id: await reserve(db, "mail"), type: "run.held", facts }, now)]),
    ];
  }

  const ended = await endedOf(run, novelty);
  const { feed, mail } = ended === null
    ? { feed: state.feed, mail: null }
    : (isAnswered ? afterAskedFor : afterRun)(state.feed, ended, now);
  const hold = state.holdStatus === "held" && state.hold?.runId !== run.id ? state.hold : null;
  return [
    saveMailState(db, run, { feed, hold }),
    ...(mail === null ? [] : [
      queueMail(db, {
        ...of,
        id: await reserve(db, "mail"),
        type: mail.type,
        facts: { again: mail.again, quietRuns: mail.quietRuns, failures: mail.failures },
      }, now),
    ]),
  ];
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

type Condition = Parameters<typeof queueMail>[3];

/** Queues the mail about a webhook endpoint that was switched off, if `condition` is true when the statement runs. */
export async function endpointDisabledMail(
  hub: Hub,
  organizationId: number,
  endpoint: { readonly id: string; readonly url: string; readonly reason: string },
  condition?: Condition,
): Promise<Statement[]> {
  if (hub.mailFrom == null) return [];
  const id = await reserve(hub.db, "mail");
  return [
    queueMail(
      hub.db,
      {
        id,
        organizationId,
        connectionId: null,
        runId: null,
        type: "endpoint.disabled",
        facts: { endpoint },
      },
      hub.now(),
      condition,
    ),
  ];
}

/** Queues the mail about a feed that has not come, if `condition` is true when the statement runs. */
export async function overdueMail(
  hub: Hub,
  connection: { readonly id: number; readonly organizationId: number; readonly name: string },
  { since, again }: { readonly since: number; readonly again: boolean },
  condition?: Condition,
): Promise<Statement[]> {
  if (hub.mailFrom == null) return [];
  const mail = {
    id: await reserve(hub.db, "mail"),
    organizationId: connection.organizationId,
    connectionId: connection.id,
    runId: null,
    type: "connection.overdue",
    facts: { again, overdue: { connection: connection.name, since } },
  } as const;
  return [queueMail(hub.db, mail, hub.now(), condition)];
}

/** Queues the mail about visits that fail, or no longer do, if `condition` is true when the statement runs. */
export async function visitsMail(
  hub: Hub,
  connection: { readonly id: number; readonly organizationId: number; readonly name: string },
  news: {
    readonly type: "connection.error" | "connection.recovered";
    readonly again: boolean;
    readonly failures: number;
    readonly message: string | null;
  },
  condition?: Condition,
): Promise<Statement[]> {
  if (hub.mailFrom == null) return [];
  const { type, again, failures, message } = news;
  const mail = {
    id: await reserve(hub.db, "mail"),
    organizationId: connection.organizationId,
    connectionId: connection.id,
    runId: null,
    type,
    facts: { again, failures, visits: { connection: connection.name, message } },
  };
  return [queueMail(hub.db, mail, hub.now(), condition)];
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
