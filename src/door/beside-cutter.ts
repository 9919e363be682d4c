/** The thread's side of a reading: a drop's chunks out of the database, unpacked, cut, and digested into the slots. */
/// <reference lib="es2024.sharedmemory" />
import { createCutter, type Cutter } from "../intake/cut.ts";
import { digestBytes } from "../intake/digest.ts";
import type { Salt } from "../record.ts";
import {
  type BesideMemory,
  CLOSED,
  CONSUMED,
  COUNT,
  DELIMITER,
  DIGESTED,
  ENDED,
  EPOCH,
  GAVE_UP,
  GOING,
  LAST,
  LINE,
  MAX_ROW_BYTES,
  NEXT_LINE,
  PRODUCED,
  READING,
  SALT,
  SALTED,
  SLOT_BYTES,
  SLOT_RECORDS,
  SLOT_SALT,
  SLOTS,
  USED,
} from "./beside-memory.ts";
import { gunzipNow } from "./packing.ts";
import type { SqliteFile } from "./sqlite.ts";

const NEXT_CHUNK = `select part, chunk, body from drop_chunks where drop_id = ? and (part, chunk) > (?, ?)
  order by part, chunk limit 1`;

/** Fills the slots that are free; to be called again when more are. Throws nothing: it gives up instead. */
export function createFilling(memory: BesideMemory, open: () => SqliteFile): () => void {
  const { words } = memory;
  let epoch = 0;
  let reading: Reading | null = null;
  return () => {
    try {
      if (epoch !== words[EPOCH]) {
        epoch = words[EPOCH]!;
        reading = openReading(memory, open());
      }
      while (
        Atomics.load(words, READING) === GOING && Atomics.load(words, PRODUCED) < Atomics.load(words, CONSUMED) + SLOTS
      ) {
        const how = reading!.fill(Atomics.load(words, PRODUCED) % SLOTS);
        if (how !== GAVE_UP) Atomics.add(words, PRODUCED, 1);
        if (how !== GOING) {
          Atomics.store(words, READING, how);
          reading = null;
        }
        Atomics.notify(words, PRODUCED);
      }
    } catch {
      reading = null;
      Atomics.store(words, READING, GAVE_UP);
      Atomics.notify(words, PRODUCED);
    }
  };
}

interface Reading {
  fill(slot: number): typeof GOING | typeof ENDED | typeof GAVE_UP;
}

function openReading({ words, numbers, offsets, slots }: BesideMemory, database: SqliteFile): Reading {
  const dropId = numbers[0]!;
  const cutter: Cutter = createCutter(words[DELIMITER]!, words[MAX_ROW_BYTES]!, words[LINE]!);
  let place: readonly [part: number, chunk: number] = [-1, -1];
  /** What has been unpacked and not been cut yet is `[at, length)` of it. */
  let buffer = new Uint8Array(0);
  let at = 0, length = 0, offset = numbers[1]!;
  /** Bytes before the first record that is wanted. */
  let skip = offset;
  let isAtEnd = false;

  function load(): void {
    const [row] = database.all(NEXT_CHUNK, [dropId, ...place]);
    if (row === undefined) {
      isAtEnd = true;
      return;
    }
    place = [row[0] as number, row[1] as number];
    const chunk = gunzipNow(row[2] as Uint8Array);
    const wanted = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - wanted.length;
    const rest = length - at;
    if (rest + wanted.length > buffer.length) {
      const larger = new Uint8Array(rest + wanted.length);
      larger.set(buffer.subarray(at, length));
      buffer = larger;
    } else buffer.copyWithin(0, at, length);
    buffer.set(wanted, rest);
    at = 0;
    length = rest + wanted.length;
  }

  return {
    fill(index) {
      while (!isAtEnd && length - at < SLOT_BYTES) load();
      const to = Math.min(length, at + SLOT_BYTES);
      const isRest = isAtEnd && to === length;
      const cuts = cutter.cut(buffer, at, to, isRest, offset - at, SLOT_RECORDS);
      const used = cuts.used - at;
      // A record that is larger than a slot.
      if (used === 0 && !isRest) return GAVE_UP;
      const { words: told, starts, ends, lines, digests, bytes } = slots[index]!;
      bytes.set(buffer.subarray(at, at + used));
      for (let record = 0; record < cuts.count; record++) {
        starts[record] = cuts.starts[record]! - at;
        ends[record] = cuts.ends[record]! - at;
        lines[record] = cuts.lines[record]!;
      }
      const last = isRest && cuts.used >= to;
      const digested = Atomics.load(words, SALTED) === 1;
      if (digested) {
        const salt: Salt = words.slice(SALT, SALT + 4);
        told.set(salt, SLOT_SALT);
        for (let record = 0; record < cuts.count; record++) {
          digestBytes(buffer, cuts.starts[record]!, cuts.ends[record]!, salt, digests, record * 4);
        }
      }
      told[COUNT] = cuts.count;
      told[USED] = used;
      told[CLOSED] = cuts.closed ? 1 : 0;
      told[LAST] = last ? 1 : 0;
      told[NEXT_LINE] = cutter.line;
      told[DIGESTED] = digested ? 1 : 0;
      offsets[index] = offset;
      at += used;
      offset += used;
      return last ? ENDED : GOING;
    },
  };
}
