/** Finds what a run reads: a drop that was sent, a drop that a fetch has filled, or nothing. */
import { connectorFor, connectorOf } from "../hub.ts";
import { Fault, type FaultCode } from "../model/errors.ts";
import { type InForce, traceLayers } from "../model/layers.ts";
import { getPreset } from "../model/preset.ts";
import type { KeyField } from "../model/record.ts";
import { type Fetch, findFetch, findFetchOfDrop } from "../store/connections/fetches.ts";
import { hasContent } from "../store/runs/drop-content.ts";
import { type Drop, findDrop } from "../store/runs/drops.ts";
import { logRun } from "./log.ts";
import { openProven } from "./open-drop.ts";
import { readDropOf, type Reading } from "./read-drop.ts";
import type { Stage } from "./stage.ts";

export const MAX_PACKED_BYTES = 32 * 1024 * 1024;

/** `none`: the run is planned from what the hub holds, such as people whose day to leave has come. */
export type FoundInput = { readonly kind: "none" } | FoundDrop;

export interface FoundDrop {
  readonly kind: "drop";
  readonly drop: Drop;
  /** Null: the drop was sent. */
  readonly fetched: Fetch | null;
}

/** Fails with `content_expired` when the drop is no longer retained, or with the error of the fetch. */
export async function findInput(stage: Stage): Promise<FoundInput> {
  const { hub, run } = stage;
  if (run.dropId === null) {
    const fetch = await findFetch(hub.db, run);
    if (fetch === null) return { kind: "none" };
    if (fetch.error != null) throw new Fault(fetch.error.code as FaultCode, fetch.error.message);
  }
  const drop = run.dropId === null ? null : await findDrop(hub.db, run.organizationId, run.dropId);
  if (drop === null || drop.sealedAt === null || !await hasContent(hub.db, drop)) {
    throw new Fault("content_expired", "The input is no longer retained; send it again");
  }
  return { kind: "drop", drop, fetched: await findFetchOfDrop(hub.db, run.organizationId, drop.id) };
}

/** The key, if it is known before the input is read; null: the input's columns decide. */
export function fixedKey(stage: Pick<Stage, "hub" | "connection">): KeyField | null {
  return traceKey(stage).value;
}

/** As fixedKey, with what the key comes from. A connection gets its preset's key when it is made: that one is not its own. */
export function traceKey({ hub, connection }: Pick<Stage, "hub" | "connection">): InForce<KeyField | null> {
  const usual = traceLayers<{ key: KeyField | null }>(
    ["default", { key: null }],
    ["connector", { key: connectorFor(hub.registry, connection)?.key }],
    ["preset", { key: getPreset(connection.preset).key ?? undefined }],
  ).key;
  return connection.key === null || connection.key === usual.value
    ? usual
    : { value: connection.key, from: "connection" };
}

/** Reads until the columns are known. `fetched` as in FoundDrop. */
export async function openDropOf(stage: Stage, drop: Drop, fetched: Fetch | null): Promise<Reading> {
  const { hub, run, connection, customFields, options } = stage;
  const connector = connectorOf(hub, connection);
  return await readDropOf(
    {
      connection,
      connector,
      drop: await openProven(stage, drop),
      origins: fetched?.origins ?? null,
      customFields,
      today: stage.today,
      signal: options.signal,
      maxPackedBytes: hub.maxPackedBytes ?? MAX_PACKED_BYTES,
      onRowFailed: (failed) => logRun(hub, run, "connector.row_failed", { ...failed }),
    },
    drop.entity,
    fixedKey(stage),
  );
}
