/**
 * What a bridge says of a connection, counted and told: the third look in a row that went badly puts the connection into
 * error, as the third input in a row that failed does, and the next one that goes well recovers it.
 */
import type { By } from "../audit.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../id.ts";
import { type BridgeState, findBridgeState, saveBridgeState, stateStands } from "../store/bridge-states.ts";
import type { Connection } from "../store/connections.ts";
import { eventStatements } from "../store/events.ts";
import { connectionTurned } from "./event.ts";
import { FAILURES_FOR_ERROR, WEEK_MS } from "./mail-rules.ts";
import { visitsMail } from "./queue-mails.ts";

/** Whether files were not taken because of it. */
export function isFailure(trouble: BridgeState["trouble"]): boolean {
  return trouble !== null && trouble.code !== "report_not_written";
}

/** Safe to repeat: a look is told from others by its moment. */
export async function noteVisit(
  hub: Hub,
  connection: Connection,
  said: Pick<BridgeState, "seenAt" | "trouble" | "lying">,
  by: By,
): Promise<void> {
  const { db } = hub;
  const { id: connectionId, organizationId } = connection;
  const now = hub.now();
  const before = await findBridgeState(db, organizationId, connectionId);
  const isAnother = before?.seenAt == null || (said.seenAt ?? 0) > before.seenAt;
  const failures = !isFailure(said.trouble) ? 0 : Math.max(1, (before?.failures ?? 0) + (isAnother ? 1 : 0));
  const wasError = before !== null && before.failures >= FAILURES_FOR_ERROR;
  const isError = failures >= FAILURES_FOR_ERROR;
  const turned = wasError === isError ? null : isError ? "connection.error" : "connection.recovered";
  const changed = wasError && isError && before.trouble?.code !== said.trouble!.code;
  const again = isError && !changed && turned === null && now - (before?.saidAt ?? 0) >= WEEK_MS;
  const speaks = turned !== null || changed || again;
  const state = { connectionId, organizationId, ...said, failures, saidAt: speaks ? now : before?.saidAt ?? null };
  if (before === null || !speaks) return await saveBridgeState(db, state, [], now, by);

  const trouble = isError ? said.trouble : before.trouble;
  const counted = isError ? failures : before.failures;
  const named = { id: encodeId("con", connectionId), slug: connection.slug, name: connection.name };
  const from = { organizationId, connectionId, runId: null };
  const condition = stateStands(before);
  await saveBridgeState(
    db,
    state,
    [
      ...(turned === null
        ? []
        : eventStatements(db, [connectionTurned(from, turned, named, counted, trouble)], now, condition)),
      ...await visitsMail(
        hub,
        connection,
        { type: turned ?? "connection.error", again, failures: counted, message: isError ? trouble!.message : null },
        condition,
      ),
    ],
    now,
    by,
  );
  if (turned !== null) {
    hub.log(turned, {
      organization_id: encodeId("org", organizationId),
      connection_id: encodeId("con", connectionId),
    });
  }
}
