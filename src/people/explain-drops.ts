/**
 * Reads the last drops of connections again, where nothing stored says what they made of somebody. Beside requests where
 * the runtime can; else in this thread, and only what is small.
 */
import type { Hub } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { isTooLargeHere, readAgainBy } from "../runs/read-again.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { Asked } from "../store/people/asked.ts";
import { type Asker, readHeavy } from "../store/people/heavy-reads.ts";
import { findDrop } from "../store/runs/drops.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import type { DropSearch, SearchedDrop } from "../store/runs/search-drop.ts";

/** How long one explanation reads drops, in milliseconds, and how many of them at most. */
const MAX_MS = 10_000, MAX_DROPS = 10;
/** How long one drop is read: what was found by then still comes in time. */
const MAX_MS_A_DROP = 9_000;

/** A run with what its drop says. `end` beyond SearchedDrop: why it was not read at all. */
export interface ReadAgain extends Omit<SearchedDrop, "end"> {
  readonly found: StoredRun;
  readonly end: SearchedDrop["end"] | "encrypted" | "too_large" | "left_out";
}

/** `runs`: the last ones of connections, by connection. One after the other, those that ended last first. */
export async function readDropsAgain(
  hub: Hub,
  runs: readonly { readonly found: StoredRun; readonly connection: Connection }[],
  asked: Asked,
  asker: Asker,
): Promise<ReadAgain[]> {
  if (runs.length === 0) return [];
  const isOver = AbortSignal.timeout(MAX_MS);
  const signal = asker.signal === undefined ? isOver : AbortSignal.any([asker.signal, isOver]);
  const read: ReadAgain[] = [];
  const latestFirst = [...runs].sort((a, b) => b.found.run.id - a.found.run.id);
  for (const [place, { found, connection }] of latestFirst.entries()) {
    const end = (end: ReadAgain["end"]): ReadAgain => ({ found, rows: [], end, reason: null });
    if (place >= MAX_DROPS) read.push(end("left_out"));
    else if (found.run.encrypted) read.push(end("encrypted"));
    else if (signal.aborted) read.push(end("out_of_time"));
    else {
      const late = lateOr(end("out_of_time"), signal);
      read.push(await searchOne(hub, found, connection, asked, { ...asker, signal }).catch(late));
    }
  }
  return read;
}

/** Reads that come too late, or find no room, have not been read. */
function lateOr(late: ReadAgain, signal: AbortSignal): (error: unknown) => ReadAgain {
  return (error) => {
    const isRefused = error instanceof Fault && (error.code === "unavailable" || error.code === "rate_limited");
    if (signal.aborted || isRefused) return late;
    throw error;
  };
}

async function searchOne(
  hub: Hub,
  found: StoredRun,
  connection: Connection,
  asked: Asked,
  asker: Asker,
): Promise<ReadAgain> {
  const { run } = found, { organizationId } = run;
  const drop = run.dropId === null ? null : await findDrop(hub.db, organizationId, run.dropId);
  const { columns = [], fields = [] } = run.input ?? {};
  if (drop === null) return { found, rows: [], end: "gone", reason: null };
  if (isTooLargeHere(hub, drop)) return { found, rows: [], end: "too_large", reason: null };
  const by = columns.length === fields.length ? await readAgainBy(hub, connection, drop) : null;
  if (by === null) return { found, rows: [], end: "unreadable", reason: null };
  const search: DropSearch = {
    dropId: drop.id,
    asked,
    fields: Object.fromEntries(columns.map((column, place) => [column, fields[place]!])),
    options: by.options,
    conditions: connection.policy.only_rows ?? [],
    maxMs: MAX_MS_A_DROP,
  };
  const searched = await readHeavy({ db: hub.db, reader: hub.dropReader }, "searchDrop", asker, organizationId, search);
  const isFetched = by.connector.input === "fetch";
  // Records that were fetched have no lines.
  return { found, ...searched, rows: searched.rows.map((row) => isFetched ? { ...row, line: null } : row) };
}
