/** Puts records of a new input together with those of a held run, which is planned again with all of them. */
import type { Held } from "../reconcile/guard.ts";
import type { Hub } from "../hub.ts";
import { bringsRow } from "../model/run.ts";
import { RECORDS_APART } from "../intake/media.ts";
import { hasContent, openDrop } from "../store/runs/drop-content.ts";
import { type Drop, findDrop } from "../store/runs/drops.ts";
import { joinDrop } from "../store/runs/joined-drops.ts";
import { listHeldWithNames, MAX_PASSING_BYTES, MAX_ROWS_NAMED } from "../store/runs/run-names.ts";
import type { Run } from "../store/runs/runs.ts";
import { retainedUntil } from "./receive-drop.ts";
import type { Stage } from "./stage.ts";
import type { OpenInput } from "./turn.ts";

/** A held run with its input as it will be. */
export interface Joined {
  readonly run: Run;
  readonly before: Drop;
  readonly content: Uint8Array;
}

/** Null: no run is held by one of these guards, or none that could take the rows at these places. */
export async function findJoined(
  { hub, run }: Stage,
  { drop }: OpenInput,
  places: ReadonlySet<number>,
  guarded: readonly Held[],
): Promise<Joined | null> {
  const guards = new Set<string>(guarded.map(({ guard }) => guard));
  for (const held of await listHeldWithNames(hub.db, run)) {
    if (!held.heldBy.some(({ guard }) => guards.has(guard)) || held.dropId === null) continue;
    const before = await findDrop(hub.db, run.organizationId, held.dropId);
    // What a person sent by hand and what a source says are planned by other rules.
    if (before !== null && before.byHand !== drop.byHand) continue;
    const there = before && await recordsOf(hub, before, (n) => bringsRow(held.rows, n));
    const more = there && await recordsOf(hub, drop, (n) => places.has(n));
    // One that can take no more stays as it is: the next one does, or a new one.
    if (!before || !there || !more || there.length + more.length > MAX_ROWS_NAMED) continue;
    const content = new TextEncoder().encode(JSON.stringify({ users: [...there, ...more] }));
    if (content.length <= MAX_PASSING_BYTES) return { run: held, before, content };
  }
  return null;
}

/** Null: they are no longer retained, or are not JSON. */
async function recordsOf(hub: Hub, drop: Drop, isWanted: (n: number) => boolean): Promise<readonly unknown[] | null> {
  if (drop.bytes > MAX_PASSING_BYTES || !await hasContent(hub.db, drop)) return null;
  const text = await new Response(openDrop(hub.db, drop, hub.packing).open()).text();
  try {
    const json = JSON.parse(text) as unknown;
    const records = Array.isArray(json) ? json : (json as { users?: unknown } | null)?.users;
    return Array.isArray(records) ? records.filter((_, n) => isWanted(n)) : null;
  } catch {
    return null;
  }
}

/** The drop that the held run reads from now on, with the statements that store it. */
export async function joinedDrop({ hub, renew }: Stage, { before, content }: Joined) {
  const times = { now: hub.now(), expiresAt: retainedUntil(hub) };
  return await joinDrop(hub.db, before, { bytes: content, type: RECORDS_APART }, times, renew, hub.packing);
}
