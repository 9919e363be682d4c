/**
 * The memory through which work passes to the thread beside a command's own: WORDS words, what goes in, what comes out,
 * and the slots in which the records of a drop come.
 */
/// <reference lib="es2024.sharedmemory" />

export const STATE = 0, KIND = 1, LENGTH = 2;
/** Of the state: not there yet; free; at work; what came out may be taken; to come to an end. */
export const STARTING = 0, FREE = 1, BUSY = 2, DONE = 3, STOPPED = 4;
/** Kinds of work. CUT fills the slots that are free. */
export const GZIP = 1, GUNZIP = 2, CHECKPOINT = 3, CUT = 4;
/** Of the length that comes out: it did not work. */
export const FAILED = -1;

/** Of a reading, which begins when EPOCH changes: how far it has come, in slots; how it stands; what it wants. */
export const EPOCH = 3, PRODUCED = 4, CONSUMED = 5, READING = 6, LINE = 7, DELIMITER = 8, MAX_ROW_BYTES = 9;
export const SALTED = 10, SALT = 11, WORDS = 16;
/** Of a reading: more comes; the last slot has been filled; the rest has to be read without the thread. */
export const GOING = 0, ENDED = 1, GAVE_UP = 2;

/** Bytes that go in, or come out, at most: a drop's chunk is of 1 MiB, and takes a little more where it cannot be packed. */
export const ROOM = 1024 * 1024 + 4096;

/** Bytes of a slot, and records that its bytes are cut into, at most. */
export const SLOT_BYTES = 256 * 1024, SLOT_RECORDS = 8192;
/** Two that are read from, and two to be filled meanwhile. */
export const SLOTS = 4;

const NUMBERS_BYTES = 2 * Float64Array.BYTES_PER_ELEMENT;
const SLOT_WORDS = 16;
const SLOT_SIZE = 4 * (SLOT_WORDS + 7 * SLOT_RECORDS) + SLOT_BYTES;

/** Words of a slot. */
export const COUNT = 0, USED = 1, CLOSED = 2, LAST = 3, NEXT_LINE = 4, DIGESTED = 5, SLOT_SALT = 8;

export interface Slot {
  readonly words: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly lines: Int32Array;
  /** Four words a record. */
  readonly digests: Int32Array;
  readonly bytes: Uint8Array;
}

export interface BesideMemory {
  readonly words: Int32Array;
  /** Number of the drop; where its reading begins. */
  readonly numbers: Float64Array;
  readonly going: Uint8Array;
  readonly coming: Uint8Array;
  readonly slots: readonly Slot[];
  /** Where the bytes of each slot are in the input. */
  readonly offsets: Float64Array;
}

const ALIGNED_ROOM = ROOM - ROOM % 8 + 8;

export function createBesideMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * 4 + NUMBERS_BYTES + SLOTS * 8 + 2 * ALIGNED_ROOM + SLOTS * SLOT_SIZE);
}

export function openBesideMemory(memory: SharedArrayBuffer): BesideMemory {
  let at = 0;
  const words = (count: number) => new Int32Array(memory, (at += count * 4) - count * 4, count);
  const doubles = (count: number) => new Float64Array(memory, (at += count * 8) - count * 8, count);
  const bytes = (count: number, aligned = count) => new Uint8Array(memory, (at += aligned) - aligned, count);
  return {
    words: words(WORDS),
    numbers: doubles(NUMBERS_BYTES / 8),
    offsets: doubles(SLOTS),
    going: bytes(ROOM, ALIGNED_ROOM),
    coming: bytes(ROOM, ALIGNED_ROOM),
    slots: Array.from({ length: SLOTS }, () => ({
      words: words(SLOT_WORDS),
      starts: words(SLOT_RECORDS),
      ends: words(SLOT_RECORDS),
      lines: words(SLOT_RECORDS),
      digests: words(4 * SLOT_RECORDS),
      bytes: bytes(SLOT_BYTES),
    })),
  };
}
