/**
 * Reads that may take long: functions of the store by name, so that another thread can do them. Their arguments and
 * results can be cloned from one thread to another.
 */
import { listAudit } from "../audit.ts";
import type { Database } from "../database.ts";
import { listEvents } from "../notify/events.ts";
import { listContradictions } from "../runs/contradictions.ts";
import { listPeople } from "../runs/run-people.ts";
import { sampleDrop } from "../runs/sample-drop.ts";
import { searchDrop } from "../runs/search-drop.ts";
import { findMentions, findRowsAt } from "./mentions.ts";
import { findUserIds } from "./search.ts";

export const HEAVY_READS = {
  findMentions,
  findRowsAt,
  findUserIds,
  listAudit,
  listContradictions,
  listEvents,
  listPeople,
  sampleDrop,
  searchDrop,
};

export type HeavyReads = typeof HEAVY_READS;
export type HeavyRead = keyof HeavyReads;
type Rest<T> = T extends [Database, ...infer Others] ? Others : never;
export type ArgumentsOf<K extends HeavyRead> = Rest<Parameters<HeavyReads[K]>>;
export type ResultOf<K extends HeavyRead> = Awaited<ReturnType<HeavyReads[K]>>;

/** The caller of a read. `signal`: the answer is no longer needed. */
export interface Asker {
  /** Whose turn it takes: an organization's id; 0 for the hub itself. */
  readonly turn: number;
  readonly signal?: AbortSignal;
}

/** Reads on another thread. Fails with `unavailable` or `rate_limited` when it cannot read now. */
export interface Reader {
  read<K extends HeavyRead>(name: K, asker: Asker, ...args: ArgumentsOf<K>): Promise<ResultOf<K>>;
}

/** On another thread if there is one; else on this one. */
export async function readHeavy<K extends HeavyRead>(
  hub: { readonly db: Database; readonly reader?: Reader },
  name: K,
  asker: Asker,
  ...args: ArgumentsOf<K>
): Promise<ResultOf<K>> {
  if (hub.reader !== undefined) return await hub.reader.read(name, asker, ...args);
  const read = HEAVY_READS[name] as unknown as (db: Database, ...args: ArgumentsOf<K>) => Promise<ResultOf<K>>;
  return await read(hub.db, ...args);
}
