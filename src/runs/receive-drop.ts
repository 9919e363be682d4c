/** Stores an input: a stream of bytes becomes a sealed drop with its queued run, or leaves nothing behind. */
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { connectorFor, type Hub } from "../hub.ts";
import type { Coverage } from "../model/record.ts";
import type { Connection } from "../store/connections/connections.ts";
import { logRun } from "./log.ts";
import { resolvePolicy } from "./stage.ts";
import type { Bytes } from "../store/runs/cut-body.ts";
import { writeContent } from "../store/runs/drop-content.ts";
import { createDrop, deleteUnsealedDrop, type DropInput, sealDrop } from "../store/runs/drops.ts";
import { type NewRun, requireRoomInQueue } from "../store/runs/runs.ts";
import { reserve } from "../store/sequences.ts";
import { DAY_MS } from "../std/time.ts";

/** Stores the bytes as a drop, seals it and queues its run. If the body breaks off, the drop is deleted. */
export async function receiveDrop(
  hub: Hub,
  connection: Connection,
  input: DropInput,
  body: Bytes,
  by: By = HUB,
): Promise<{ dropId: number; runId: number }> {
  const { db, now } = hub;
  const { organizationId } = connection;
  await requireRoomInQueue(db, organizationId);
  const dropId = await createDrop(db, organizationId, connection.id, input, now());
  try {
    const content = await writeContent(db, dropId, body, hub.packing);
    const run = await prepareRun(hub, connection, dropId, input);
    const sealed = await sealDrop(db, organizationId, dropId, { ...content, rows: null }, run, {
      now: now(),
      expiresAt: retainedUntil(hub),
      stamp: null,
    }, by);
    if (!sealed) throw new Fault("conflict", "The drop was removed while it was being sent; send it again");
    logRun(hub, run, "run.queued", { trigger: run.trigger, mode: run.mode, bytes: content.bytes });
    hub.wake();
    return { dropId, runId: run.id };
  } catch (error) {
    await deleteUnsealedDrop(db, organizationId, dropId);
    throw error;
  }
}

/** The run that sealing the drop queues. If the sender did not name the entity, it is detected when the input is read. */
export async function prepareRun(
  hub: Hub,
  connection: Connection,
  dropId: number,
  named: Pick<DropInput, "mode" | "entity" | "coverage">,
): Promise<NewRun> {
  return {
    id: await reserve(hub.db, "run"),
    organizationId: connection.organizationId,
    connectionId: connection.id,
    dropId,
    trigger: "drop",
    mode: named.mode,
    entity: named.entity ?? "users",
    coverage: named.coverage ?? usualCoverage(hub, connection),
    requestId: hub.requestId ?? null,
  };
}

/** What a fetch of the connection's source brings, in the order in which it is read. */
export function broughtBy(hub: Hub, connection: Connection): Pick<NewRun, "entity" | "coverage">[] {
  const { departments, users } = connectorFor(hub.registry, connection)?.coverage ?? {};
  return [
    ...(departments === undefined ? [] : [{ entity: "departments", coverage: departments } as const]),
    ...(users === undefined ? [] : [{ entity: "users", coverage: usualCoverage(hub, connection) } as const]),
  ];
}

/** The coverage of an input whose sender does not name it. */
export function usualCoverage(hub: Hub, connection: Connection): Coverage {
  return resolvePolicy(connection, hub).coverage;
}

/** Until when a drop that is sealed now is retained, in milliseconds since 1970. */
export function retainedUntil(hub: Hub): number {
  return hub.now() + hub.retainDays * DAY_MS;
}
