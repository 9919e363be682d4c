/**
 * Whether two files are versions of one: their names are alike, and at least half of the keys of the smaller one are in the
 * other. Files with different people are parts of something larger (parts.ts). Reads each file once, and keeps a sample
 * of its keys.
 */
import { nameWithoutDates } from "../intake/alike-names.ts";
import { hashText } from "../intake/digest.ts";
import { Fault } from "../model/errors.ts";
import type { Cell } from "../model/record.ts";
import { foldName } from "../reconcile/fold.ts";
import { whyBroken } from "../reconcile/issues/people.ts";
import {
  createKeySampler,
  createKeySearch,
  type KeySample,
  sharedKeys,
  smallerFirst,
} from "../reconcile/key-sample.ts";
import { createKeyReader } from "../reconcile/values/fields.ts";
import { withoutDoubt } from "../reconcile/values/value.ts";
import type { Database } from "../store/database.ts";
import type { Drop } from "../store/runs/drops.ts";
import { fixedKey } from "./input.ts";
import { valueRulesOf } from "./plans/value-rules.ts";
import { saltOf } from "./read-drop.ts";
import type { Stage } from "./stage.ts";
import { lookAt, memoryName, openIfReadable } from "./waiting.ts";

const ENOUGH = 0.5;
/** Rows that are decoded together. */
const ROWS_AT_ONCE = 1_000;

/** In this process's memory; at most 128 KiB each. */
const SAMPLES = new WeakMap<Database, Map<string, KeySample | null>>();
const MAX_SAMPLES = 32;

/** False as well if one of them cannot be read to its end, which its own run will report. */
export async function areVersions(stage: Stage, one: Drop, other: Drop): Promise<boolean> {
  if (nameWithoutDates(one.name) !== nameWithoutDates(other.name)) return false;
  const key = await keyOfBoth(stage, one, other);
  if (key === null) return false;
  const samples = [await sampleOf(stage, one, key), await sampleOf(stage, other, key)] as const;
  if (samples[0] === null || samples[1] === null) return false;
  const shared = sharedKeys(samples[0], samples[1]);
  if (shared !== null) return shared >= ENOUGH;
  // One of them has so many more keys that its sample has hardly any of the other's.
  const [few] = smallerFirst(samples[0], samples[1]);
  const search = createKeySearch(few);
  return await readKeys(stage, few === samples[0] ? other : one, key, search.look) && search.share() >= ENOUGH;
}

/** The field by which both are compared; null: they hold different things. */
async function keyOfBoth(stage: Stage, one: Drop, other: Drop): Promise<string | null> {
  const [a, b] = [await lookAt(stage, one), await lookAt(stage, other)];
  if (a === null || b === null || a.entity !== b.entity) return null;
  if (a.entity === "departments") return "name";
  return fixedKey(stage) ?? (a.hasEmployeeId && b.hasEmployeeId ? "employee_id" : "email");
}

/** Null: the drop cannot be read to its end. */
async function sampleOf(stage: Stage, drop: Drop, key: string): Promise<KeySample | null> {
  const known = SAMPLES.get(stage.hub.db) ?? new Map<string, KeySample | null>();
  SAMPLES.set(stage.hub.db, known);
  const name = `${memoryName(stage, drop)} ${key}`;
  let sample = known.get(name);
  if (sample === undefined) {
    const sampler = createKeySampler();
    sample = await readKeys(stage, drop, key, sampler.add) ? sampler.sample() : null;
    if (known.size >= MAX_SAMPLES) known.clear();
    known.set(name, sample);
  }
  return sample;
}

/** Gives the hash of each key that can be read; a key may come twice. False: the drop cannot be read to its end. */
async function readKeys(stage: Stage, drop: Drop, key: string, take: (hash: number) => void): Promise<boolean> {
  const reading = await openIfReadable(stage, drop);
  if (reading === null) return false;
  const read = keyReader(stage, key), salt = saltOf(stage.connection.salt, ["keys"]), words = new Int32Array(2);
  let rows = 0;
  try {
    for await (const block of reading.rows()) {
      for (let from = 0; from < block.count; from += ROWS_AT_ONCE) {
        const count = Math.min(ROWS_AT_ONCE, block.count - from);
        for (const row of await block.rows(Array.from({ length: count }, (_, i) => from + i))) {
          const value = whyBroken(row) === null ? read(reading.normalize(row)[key]) : null;
          if (value === null) continue;
          hashText(value, salt, words, 0);
          take((words[0]! >>> 0) * 2 ** 21 + (words[1]! >>> 11));
        }
      }
      rows += block.count;
      await stage.step({ phase: "compare", done: rows, total: drop.rows });
    }
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
  return true;
}

/** Reads a cell into the key's comparable form; null: it has none. */
function keyReader(stage: Stage, key: string): (cell: Cell) => string | null {
  if (key === "name") return (cell) => typeof cell === "string" && cell.trim() !== "" ? foldName(cell) : null;
  const read = createKeyReader({ key: key as Parameters<typeof createKeyReader>[0]["key"], ...valueRulesOf(stage) });
  return (cell) => {
    const value = cell === undefined ? null : withoutDoubt(read(cell));
    return typeof value === "string" ? value : null;
  };
}
