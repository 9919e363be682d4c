/**
 * New people on their way to the pages of a plan. Where their rows are in no order they wait until there are many, and
 * are then put on pages in the order of their keys: applying a page touches an index where neighbours of each other lie,
 * and not all over it. Only then do they get their numbers. No I/O of its own; reserving and writing are passed in.
 */
import { type Candidates, putOnPage, setUser } from "./candidates.ts";
import { createJsonBytes, type JsonBytes } from "./json-bytes.ts";
import { BETWEEN_ENTRIES, writeTail } from "./entry.ts";
import type { UserChange } from "../planned-change.ts";
import { MAX_PAGE_BYTES, type PageFiller } from "./pages.ts";

export interface Arrivals {
  /** Takes the change of a new person, whose number is not known yet. */
  add(candidate: number, change: UserChange): void;
  /** They should be placed before more are added. */
  readonly isFull: boolean;
  /** Puts all of them on pages, and notes number and place of each with its candidate. */
  place(candidates: Candidates): Promise<void>;
}

/** About 25 MB of people as JSON: more would be in better order, and take memory that others need. */
const MAX_WAITING = 80_000, MAX_WAITING_BYTES = 24 * 1024 * 1024;
/** Of either text; what more a large input took is given back. */
const KEPT_BYTES = 4 * 1024 * 1024;
const COMMA = 0x2c, OPEN = 0x5b, CLOSE = 0x5d;
/** Of an entry, what comes before its tail, at most. */
const HEAD_BYTES = 80;

const encoder = new TextEncoder();
const BEFORE_LINE = encoder.encode(`["create",`);
/** Version, reason, before and previous page of somebody new. */
const BEFORE_TAIL = encoder.encode(",0,null,null,null,");

/** `reserve` takes so many numbers for users and gives the first. */
export function createArrivals(filler: PageFiller, reserve: (count: number) => Promise<number>): Arrivals {
  const most = filler.most("creates");
  let owners = new Int32Array(1024), lines = new Int32Array(1024), ends = new Int32Array(1024);
  /** The ends of their entries, from the key on, one after the other. */
  const tails = createJsonBytes();
  const body = createJsonBytes();
  let count = 0;
  /** People that are in order from the first on; all of them, as long as their rows are. */
  let ordered = 0;

  function add(candidate: number, change: UserChange): void {
    if (count === owners.length) {
      owners = doubled(owners);
      lines = doubled(lines);
      ends = doubled(ends);
    }
    owners[count] = candidate;
    lines[count] = change.line ?? -1;
    writeTail(tails, change);
    ends[count++] = tails.used;
  }

  const start = (person: number) => person === 0 ? 0 : ends[person - 1]!;

  /** By the bytes of their keys, which come first in their texts. */
  function compare(a: number, b: number): number {
    const { bytes } = tails;
    const endA = ends[a]!, endB = ends[b]!;
    for (let atA = start(a), atB = start(b); atA < endA && atB < endB; atA++, atB++) {
      const difference = bytes[atA]! - bytes[atB]!;
      if (difference !== 0) return difference;
    }
    return a - b;
  }

  /** Whether all of them came in order. */
  function areOrdered(): boolean {
    while (ordered < count && (ordered === 0 || compare(ordered - 1, ordered) < 0)) ordered++;
    return ordered === count;
  }

  function inOrder(): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, person) => person);
    return areOrdered() ? order : order.sort(compare);
  }

  async function place(candidates: Candidates): Promise<void> {
    if (count === 0) return;
    const first = await reserve(count);
    const order = inOrder();
    for (let from = 0; from < count;) {
      let to = from;
      body.clear(KEPT_BYTES);
      for (; to < count && to - from < most; to++) {
        const person = order[to]!;
        const tail = tails.bytes.subarray(start(person), ends[person]!);
        if (to > from && body.used + tail.length + HEAD_BYTES > MAX_PAGE_BYTES) break;
        writeEntry(body, lines[person]!, first + to, tail);
      }
      body.sign(CLOSE);
      const page = await filler.addPage("creates", body.bytes.subarray(0, body.used), to - from);
      for (let at = from; at < to; at++) {
        const candidate = owners[order[at]!]!;
        setUser(candidates, candidate, first + at);
        putOnPage(candidates, candidate, page, at - from);
      }
      from = to;
    }
    count = ordered = 0;
    tails.clear(KEPT_BYTES);
  }

  return {
    add,
    get isFull() {
      if (count >= MAX_WAITING || tails.used >= MAX_WAITING_BYTES) return true;
      // Waiting brings those no gain that are in order anyhow.
      return count >= most && areOrdered();
    },
    place,
  };
}

/** Begins an array, or goes on with it: an entry as `writeTail` ends it. */
function writeEntry(page: JsonBytes, line: number, userId: number, tail: Uint8Array): void {
  page.sign(page.used === 0 ? OPEN : COMMA);
  page.sign(BETWEEN_ENTRIES);
  page.copy(BEFORE_LINE);
  page.value(line < 0 ? null : line);
  page.sign(COMMA);
  page.value(userId);
  page.copy(BEFORE_TAIL);
  page.copy(tail);
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
