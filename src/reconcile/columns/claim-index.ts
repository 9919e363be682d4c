/**
 * Who in this input claims what: a key, an email, an employee id, a user. Two claims to one thing are found without
 * keeping the text: by a keyed 64-bit hash. (A million rows collide by chance once in about 40 million inputs; two good
 * rows would then be reported as duplicates, never silently lost.) About 20 bytes a claim. No I/O. No clock.
 */
import { hashText } from "../../intake/digest.ts";
import type { Salt } from "../../model/record.ts";
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

const TOGETHER = 128;
/** Sink that keeps V8 from removing the loop that looks ahead. */
let looked = 0;
/** Salt of these hashes: they never leave the process. */
const SALT: Salt = new Int32Array([0x6d757374, 0x65722063, 0x6c61696d, 0x73000000]);
/** The hash of the claim at hand: two words. */
const hash = new Int32Array(2);

export function createClaims(): Claims {
  let slots = new Int32Array(1024);
  let high = new Int32Array(512), low = new Int32Array(512), owners = new Int32Array(512);
  let size = 0;
  const more = new Map<number, number[]>();
  /** Claims that wait to be noted together: three words each. */
  const waiting = new Int32Array(TOGETHER * 3);
  let waits = 0;

  function find(a: number, b: number): number {
    const mask = slots.length - 1;
    let slot = a & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (high[entry] === a && low[entry] === b) return slot;
    }
    return ~slot;
  }

  function grow(): void {
    high = doubled(high);
    low = doubled(low);
    owners = doubled(owners);
    slots = new Int32Array(slotCount(high.length));
    for (let entry = 0; entry < size; entry++) slots[~find(high[entry]!, low[entry]!)] = entry + 1;
  }

  function note(a: number, b: number, owner: number): void {
    const slot = find(a, b);
    if (slot < 0) {
      high[size] = a;
      low[size] = b;
      owners[size] = owner;
      slots[~slot] = ++size;
      return;
    }
    const entry = slots[slot]! - 1;
    const others = more.get(entry);
    if (others === undefined) more.set(entry, [owner]);
    else others.push(owner);
  }

  function noteWaiting(): void {
    while (size + waits > high.length) grow();
    const mask = slots.length - 1;
    // Looks at every slot first: the processor then fetches them from memory at once, and not one after the other.
    for (let i = 0; i < waits; i++) looked |= slots[waiting[i * 3]! & mask]!;
    for (let i = 0; i < waits; i++) note(waiting[i * 3]!, waiting[i * 3 + 1]!, waiting[i * 3 + 2]!);
    waits = 0;
  }

  function wait(a: number, b: number, owner: number): void {
    waiting[waits * 3] = a;
    waiting[waits * 3 + 1] = b;
    waiting[waits * 3 + 2] = owner;
    if (++waits === TOGETHER) noteWaiting();
  }

  return {
    claim(text, owner) {
      hashText(text, SALT, hash, 0);
      wait(hash[0]!, hash[1]!, owner);
    },
    claimUser(userId, owner) {
      wait(userId | 0, Math.floor(userId / 0x100000000), owner);
    },
    owner(text) {
      noteWaiting();
      hashText(text, SALT, hash, 0);
      const slot = find(hash[0]!, hash[1]!);
      return slot < 0 ? null : owners[slots[slot]! - 1]!;
    },
    clear() {
      slots = new Int32Array(1024);
      high = new Int32Array(512);
      low = new Int32Array(512);
      owners = new Int32Array(512);
      size = 0;
      waits = 0;
      more.clear();
    },
    *shared() {
      noteWaiting();
      for (const [entry, others] of more) yield [owners[entry]!, ...others];
    },
  };
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
