/** A run that ends or is held, in; the statements that queue its mail and remember what was said, for the same batch. */
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
 * To be written with what brings the run to this: `run` is as it is afterwards. None where nobody is to be told. The
 * state is read before the batch; the organization's lease sees to it that no other run of it ends in between.
 * `novelty` of its issues; null where it has not finished.
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

/** Says holds again that have stood long enough. Safe to repeat, and for two at once. */
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

/** The statement that queues the mail about a webhook endpoint that was switched off, if `condition` holds when it runs. */
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

/** The statement that queues the mail about a feed that did not come, if `condition` holds when it runs. */
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

/** The statement that queues the mail about visits that fail, or no longer do, if `condition` holds when it runs. */
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

/** What holds the run, whatever the numbers. */
function guardsOf(heldBy: readonly HeldBy[]): string {
  return heldBy.map(({ guard, field }) => field === undefined ? guard : `${guard}:${field}`).sort().join(" ");
}

/** Null: the run says nothing of its feed. */
async function endedOf(run: Run, novelty: Novelty | null): Promise<Ended | null> {
  if (run.status === "skipped") return { outcome: "skipped", reason: null, issues: 0, newIssues: 0 };
  if (novelty === null) return null;
  const { new: newIssues, repeated } = novelty;
  const issues = newIssues + repeated;
  // What was read of a source that broke off is used, and the source has failed all the same.
  if (run.status === "failed" || run.error != null) {
    return { outcome: "failed", reason: await reasonOf(run), issues, newIssues };
  }
  return { outcome: "applied", reason: null, issues, newIssues };
}

/**
 * Equal for failures of the same kind: lines and counts are another each night. As a digest, since a message may quote
 * what a person has written.
 */
async function reasonOf({ error }: Run): Promise<string> {
  const text = `${error?.code} ${error?.message.replace(/\d+/g, "#")}`;
  return (await sha256Hex(text)).slice(0, 24);
}
