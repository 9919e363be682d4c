/**
 * New people on their way to the pages of a plan. Where their rows are in no order they wait until there are many, and
 * are then put on pages in the order of their keys: applying a page touches an index where neighbours of each other lie,
 * and not all over it. Only then do they get their numbers. No I/O of its own; reserving and writing are handed in.
 */
import type { Candidates } from "./candidates.ts";
import { encodeTail, type UserChange } from "./page.ts";
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
/** Characters that are encoded together: a call for each person would cost more than its bytes. */
const TOGETHER = 16 * 1024;
/** UTF-8 of a UTF-16 unit takes three bytes at most. */
const MOST_BYTES = 3;
const LF = 0x0a, COMMA = 0x2c, OPEN = 0x5b, CLOSE = 0x5d;
/** Digits of two numbers and commas, at most. */
const HEAD_BYTES = 40;

const encoder = new TextEncoder();
const BEFORE_LINE = encoder.encode(`["create",`);
/** Version, reason, before and previous page of somebody new. */
const BEFORE_TAIL = encoder.encode("0,null,null,null,");
const NULL = encoder.encode("null");

/** `reserve` takes so many numbers for users and gives the first. */
export function createArrivals(filler: PageFiller, reserve: (count: number) => Promise<number>): Arrivals {
  const most = filler.most("creates");
  let owners = new Int32Array(1024), lines = new Int32Array(1024), ends = new Int32Array(1024);
  let bytes = new Uint8Array(64 * 1024);
  /** People added; of them, those whose text is in `bytes`, which is filled so far. */
  let count = 0, encoded = 0, used = 0;
  /** People that are in order from the first on; all of them, as long as their rows are. */
  let ordered = 0;
  let waiting = "";

  function encode(): void {
    if (waiting === "") return;
    const room = used + waiting.length * MOST_BYTES;
    if (room > bytes.length) {
      const larger = new Uint8Array(Math.max(bytes.length * 2, room));
      larger.set(bytes.subarray(0, used));
      bytes = larger;
    }
    const from = used;
    used += encoder.encodeInto(waiting, bytes.subarray(used)).written;
    waiting = "";
    // No text has a line end of its own: JSON escapes it.
    for (let at = from; at < used; at = ends[encoded++]! + 1) ends[encoded] = bytes.indexOf(LF, at);
  }

  function add(candidate: number, change: UserChange): void {
    if (count === owners.length) {
      owners = doubled(owners);
      lines = doubled(lines);
      ends = doubled(ends);
    }
    owners[count] = candidate;
    lines[count++] = change.line ?? -1;
    waiting += encodeTail(change) + "\n";
    if (waiting.length > TOGETHER) encode();
  }

  const start = (person: number) => person === 0 ? 0 : ends[person - 1]! + 1;

  /** By the bytes of their keys, which come first in their texts. */
  function compare(a: number, b: number): number {
    const endA = ends[a]!, endB = ends[b]!;
    for (let atA = start(a), atB = start(b); atA < endA && atB < endB; atA++, atB++) {
      const difference = bytes[atA]! - bytes[atB]!;
      if (difference !== 0) return difference;
    }
    return a - b;
  }

  /** Whether all of them came in order. */
  function areOrdered(): boolean {
    encode();
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
    const body = createBody();
    for (let from = 0; from < count;) {
      let to = from;
      body.begin();
      for (; to < count && to - from < most; to++) {
        const person = order[to]!;
        if (!body.add(lines[person]!, first + to, bytes, start(person), ends[person]!)) break;
      }
      const page = await filler.addPage("creates", body.end(), to - from);
      for (let at = from; at < to; at++) {
        const candidate = owners[order[at]!]!;
        candidates.user[candidate] = first + at;
        candidates.page[candidate] = page;
        candidates.index[candidate] = at - from;
      }
      from = to;
    }
    count =
      encoded =
      ordered =
      used =
        0;
    // What a small input needed is small; what a large one did is not needed while it is settled.
    if (bytes.length > MAX_PAGE_BYTES) bytes = new Uint8Array(64 * 1024);
  }

  return {
    add,
    get isFull() {
      if (count >= MAX_WAITING || used >= MAX_WAITING_BYTES) return true;
      // Waiting brings those no gain that are in order anyhow.
      return count >= most && areOrdered();
    },
    place,
  };
}

/** The JSON array of a page, from texts that are in bytes already. */
function createBody() {
  let body = new Uint8Array(0);
  let used = 0;

  function put(part: Uint8Array): void {
    body.set(part, used);
    used += part.length;
  }

  function putNumber(value: number): void {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    for (let at = used + digits - 1, rest = value; at >= used; at--, rest = Math.floor(rest / 10)) {
      body[at] = 48 + rest % 10;
    }
    used += digits;
  }

  return {
    begin() {
      if (body.length === 0) body = new Uint8Array(MAX_PAGE_BYTES);
      used = 0;
    },
    /** False, and nothing is added, when the page has no room for it. The first always has. */
    add(line: number, userId: number, bytes: Uint8Array, from: number, to: number): boolean {
      const room = used + BEFORE_LINE.length + HEAD_BYTES + BEFORE_TAIL.length + to - from + 2;
      if (room > body.length) {
        if (used > 0) return false;
        body = new Uint8Array(room);
      }
      body[used] = used === 0 ? OPEN : COMMA;
      used++;
      put(BEFORE_LINE);
      if (line < 0) put(NULL);
      else putNumber(line);
      body[used++] = COMMA;
      putNumber(userId);
      body[used++] = COMMA;
      put(BEFORE_TAIL);
      // Without the bracket that opens it.
      put(bytes.subarray(from + 1, to));
      return true;
    },
    end(): Uint8Array {
      body[used++] = CLOSE;
      return body.subarray(0, used);
    },
  };
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
