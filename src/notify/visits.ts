/**
 * Counts a bridge's failed visits to a connection's server. The third failure in a row puts the connection into error, as
 * the third failed input in a row does, and the next successful visit recovers it.
 */
import type { By } from "../model/audit.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { type BridgeState, findBridgeState, isStateAsRead, saveBridgeState } from "../store/bridges/bridge-states.ts";
import type { Connection } from "../store/connections/connections.ts";
import { eventStatements } from "../store/notify/events.ts";
import { connectionTurned } from "../model/event.ts";
import { afterLook, FAILURES_FOR_ERROR, type Feed } from "../model/mail-rules.ts";
import { mailWithoutRun } from "./queue-mails.ts";

/** Why files were not taken; null: they were. A report that could not be written back does not count. */
export function failureOf(trouble: BridgeState["trouble"]): BridgeState["trouble"] {
  return trouble?.code === "report_not_written" ? null : trouble;
}

/** Idempotent: visits are recognized by their time. */
export async function noteVisit(
  hub: Hub,
  connection: Connection,
  report: Pick<BridgeState, "seenAt" | "trouble" | "lying">,
  by: By,
): Promise<void> {
  const { db } = hub;
  const { id: connectionId, organizationId } = connection;
  const now = hub.now();
  const before = await findBridgeState(db, organizationId, connectionId);
  const known = feedOf(before);
  const failure = failureOf(report.trouble);
  if (before?.seenAt != null && (report.seenAt ?? 0) <= before.seenAt) {
    const failures = failure === null ? 0 : Math.max(1, known.failures);
    return await saveBridgeState(db, { ...before, ...report, failures }, [], now, by);
  }
  const { feed, mail } = afterLook(known, failure?.code ?? null, now);
  const state = { connectionId, organizationId, ...report, failures: feed.failures, mailedAt: feed.mailedAt };
  if (before === null || mail === null) return await saveBridgeState(db, state, [], now, by);

  const turned = known.state !== feed.state;
  const type = mail.type === "connection.recovered" ? mail.type : "connection.error";
  const trouble = failure ?? before.trouble;
  const named = { id: encodeId("con", connectionId), slug: connection.slug, name: connection.name };
  const from = { organizationId, connectionId, runId: null };
  const condition = isStateAsRead(before);
  const events = turned ? [connectionTurned(from, type, named, mail.failures, trouble)] : [];
  const visits = { connection: connection.name, message: failure?.message ?? null };
  const facts = { again: mail.again, failures: mail.failures, visits };
  const also = [
    ...(turned ? eventStatements(db, events, now, condition) : []),
    ...await mailWithoutRun(hub, { organizationId, connectionId, type, facts }, condition),
  ];
  await saveBridgeState(db, state, also, now, by);
  if (turned) {
    hub.log(type, {
      organization_id: encodeId("org", organizationId),
      connection_id: encodeId("con", connectionId),
    });
  }
}

/** The state of a connection's visits in the form that the mail rules use. */
function feedOf(state: BridgeState | null): Feed {
  const { failures = 0, trouble = null, mailedAt = null } = state ?? {};
  return {
    state: failures >= FAILURES_FOR_ERROR ? "error" : failures > 0 ? "failed" : "well",
    reason: failureOf(trouble)?.code ?? null,
    failures,
    mailedAt,
    quietRuns: 0,
  };
}
