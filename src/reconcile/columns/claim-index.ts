/**
 * Which candidates claim what: a key, an email, an employee id, a user. Two claims to one thing are found without
 * keeping the text, by a salted 64-bit hash. (A million rows collide by chance once in about 40 million inputs; two
 * good rows would then be reported as duplicates, never silently lost.) About 20 bytes a claim. No I/O. No clock.
 */
import { hashText } from "../../intake/digest.ts";
import type { Salt } from "../../model/record.ts";
import { addTo } from "../../std/add-to.ts";
import { grown } from "../../std/typed-arrays.ts";
import { slotCount } from "./known.ts";

export interface Claims {
  /** Notes that `owner` (a candidate) claims this text; owners come in ascending order. */
  claim(text: string, owner: number): void;
  /** The same for a user. */
  claimUser(userId: number, owner: number): void;
  /** The first owner of this text. */
  owner(text: string): number | null;
  /** Every claim with more than one owner, its owners in order. */
  shared(): Iterable<readonly number[]>;
  /** Forgets every claim, and gives its memory back. */
  clear(): void;
}

/** Claims by their hash: the first owner of each, and all others. */
interface Table {
  size: number;
  /** Words of the hash, and the first owner, by entry. */
  high: Int32Array<ArrayBuffer>;
  low: Int32Array<ArrayBuffer>;
  owners: Int32Array<ArrayBuffer>;
  /** Entry + 1 by hash, 0 is free; length is a power of two. */
  slots: Int32Array;
  /** Further owners, by entry. */
  readonly others: Map<number, number[]>;
}

/** Claims are noted in batches, so that the processor can fetch their slots together. */
const BATCH = 128;
/** Sink that keeps V8 from removing the loop that prefetches. */
let prefetched = 0;
/** Salt of these hashes: they never leave the process. */
const SALT: Salt = new Int32Array([0x6d757374, 0x65722063, 0x6c61696d, 0x73000000]);
/** The hash of the current claim: two words. */
const hash = new Int32Array(2);

export function createClaims(): Claims {
  let table = createTable();
  /** Claims that are not in the table yet: hash and owner of each, three words. */
  const waiting = new Int32Array(BATCH * 3);
  let waits = 0;

  function add(high: number, low: number, owner: number): void {
    waiting[waits * 3] = high;
    waiting[waits * 3 + 1] = low;
    waiting[waits * 3 + 2] = owner;
    if (++waits === BATCH) flush();
  }

  function flush(): void {
    addAll(table, waiting, waits);
    waits = 0;
  }

  return {
    claim(text, owner) {
      hashText(text, SALT, hash, 0);
      add(hash[0]!, hash[1]!, owner);
    },
    claimUser: (userId, owner) => add(userId | 0, Math.floor(userId / 0x100000000), owner),
    owner(text) {
      flush();
      hashText(text, SALT, hash, 0);
      const slot = findSlot(table, hash[0]!, hash[1]!);
      return slot < 0 ? null : table.owners[table.slots[slot]! - 1]!;
    },
    clear() {
      table = createTable();
      waits = 0;
    },
    *shared() {
      flush();
      for (const [entry, others] of table.others) yield [table.owners[entry]!, ...others];
    },
  };
}

function createTable(): Table {
  return {
    size: 0,
    high: new Int32Array(512),
    low: new Int32Array(512),
    owners: new Int32Array(512),
    slots: new Int32Array(1024),
    others: new Map(),
  };
}

/** Adds the first `count` of the waiting claims. */
function addAll(table: Table, waiting: Int32Array, count: number): void {
  while (table.size + count > table.high.length) grow(table);
  const { slots } = table;
  const mask = slots.length - 1;
  for (let i = 0; i < count; i++) prefetched |= slots[waiting[i * 3]! & mask]!;
  for (let i = 0; i < count; i++) addClaim(table, waiting[i * 3]!, waiting[i * 3 + 1]!, waiting[i * 3 + 2]!);
}

function addClaim(table: Table, high: number, low: number, owner: number): void {
  const slot = findSlot(table, high, low);
  if (slot < 0) {
    const entry = table.size++;
    table.high[entry] = high;
    table.low[entry] = low;
    table.owners[entry] = owner;
    table.slots[~slot] = entry + 1;
    return;
  }
  addTo(table.others, table.slots[slot]! - 1, owner);
}

/** The slot of this hash, or the complement (~) of the free slot where it belongs. */
function findSlot({ slots, high, low }: Table, a: number, b: number): number {
  const mask = slots.length - 1;
  let slot = a & mask;
  for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const entry = slots[slot]! - 1;
    if (high[entry] === a && low[entry] === b) return slot;
  }
  return ~slot;
}

function grow(table: Table): void {
  table.high = grown(table.high);
  table.low = grown(table.low);
  table.owners = grown(table.owners);
  table.slots = new Int32Array(slotCount(table.high.length));
  for (let entry = 0; entry < table.size; entry++) {
    table.slots[~findSlot(table, table.high[entry]!, table.low[entry]!)] = entry + 1;
  }
}
