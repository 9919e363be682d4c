/**
 * New people on their way to the pages of a plan. When their rows come in no order, they wait until there are many, and
 * are then put on pages in the order of their keys: applying such a page touches neighbouring parts of an index instead
 * of all of it. They get their user ids only then. No I/O of its own; reserving and writing are passed in.
 */
import { grown } from "../../std/typed-arrays.ts";
import type { UserChange } from "../planned-change.ts";
import { type Candidates, putOnPage, setUser } from "./candidates.ts";
import { BETWEEN_ENTRIES, writeTail } from "./entry.ts";
import { clearJson, createJsonBytes, type JsonBytes, writeByte, writeJson, writeValue } from "./json-bytes.ts";
import type { PageFiller } from "./pages.ts";

export interface Arrivals {
  /** Takes the change of a new person, who has no user id yet. */
  add(candidate: number, change: UserChange): void;
  /** Whether people should be placed before more are added. */
  readonly isFull: boolean;
  /** Puts all waiting people on pages, and notes user id and place of each with its candidate. */
  place(candidates: Candidates): Promise<void>;
}

/** New people who wait, by their position. */
interface Waiting {
  count: number;
  /** Candidate of each. */
  owners: Int32Array<ArrayBuffer>;
  /** Line of each; -1 for none. */
  lines: Int32Array<ArrayBuffer>;
  /** End of each one's tail in `tails`. */
  ends: Int32Array<ArrayBuffer>;
  /** The tails of their entries, from the key on, one after the other. */
  readonly tails: JsonBytes;
  /** How many people from the first on are known to be in order. */
  ordered: number;
}

/** About 25 MB of people as JSON: more would be in better order, but take memory that others need. */
const MAX_WAITING = 80_000, MAX_WAITING_BYTES = 24 * 1024 * 1024;
/** Size of a buffer that is reused; a larger one is freed. */
const KEPT_BYTES = 4 * 1024 * 1024;
const COMMA = 0x2c, OPEN = 0x5b, CLOSE = 0x5d;
/** Limit of the part of an entry before its tail. */
const HEAD_BYTES = 80;

const encoder = new TextEncoder();
const BEFORE_LINE = encoder.encode(`["create",`);
/** Version, reason, before and previous page of a new person. */
const BEFORE_TAIL = encoder.encode(",0,null,null,null,");

/** `reserve` reserves so many user ids in a row and returns the first. */
export function createArrivals(filler: PageFiller, reserve: (count: number) => Promise<number>): Arrivals {
  const most = filler.most("creates");
  const waiting = createWaiting();
  const body = createJsonBytes();

  async function place(candidates: Candidates): Promise<void> {
    const { count, owners } = waiting;
    if (count === 0) return;
    const first = await reserve(count);
    const order = inOrder(waiting);
    for (let from = 0; from < count;) {
      const to = fillPage(body, waiting, order, from, { most, maxBytes: filler.maxBytes }, first);
      const page = await filler.addPage("creates", body.bytes.subarray(0, body.used), to - from);
      for (let at = from; at < to; at++) {
        const candidate = owners[order[at]!]!;
        setUser(candidates, candidate, first + at);
        putOnPage(candidates, candidate, page, at - from);
      }
      from = to;
    }
    waiting.count = waiting.ordered = 0;
    clearJson(waiting.tails, KEPT_BYTES);
  }

  return {
    add: (candidate, change) => addPerson(waiting, candidate, change),
    get isFull() {
      if (waiting.count >= MAX_WAITING || waiting.tails.used >= MAX_WAITING_BYTES) return true;
      // People who are in order anyway gain nothing from waiting.
      return waiting.count >= most && areOrdered(waiting);
    },
    place,
  };
}

function createWaiting(): Waiting {
  return {
    count: 0,
    owners: new Int32Array(1024),
    lines: new Int32Array(1024),
    ends: new Int32Array(1024),
    tails: createJsonBytes(),
    ordered: 0,
  };
}

function addPerson(waiting: Waiting, candidate: number, change: UserChange): void {
  const person = waiting.count++;
  if (person === waiting.owners.length) {
    waiting.owners = grown(waiting.owners);
    waiting.lines = grown(waiting.lines);
    waiting.ends = grown(waiting.ends);
  }
  waiting.owners[person] = candidate;
  waiting.lines[person] = change.line ?? -1;
  writeTail(waiting.tails, change);
  waiting.ends[person] = waiting.tails.used;
}

function startOf({ ends }: Waiting, person: number): number {
  return person === 0 ? 0 : ends[person - 1]!;
}

/** Compares people by the bytes of their keys, with which their tails begin. */
function compare(waiting: Waiting, a: number, b: number): number {
  const { bytes } = waiting.tails;
  const endA = waiting.ends[a]!, endB = waiting.ends[b]!;
  for (let atA = startOf(waiting, a), atB = startOf(waiting, b); atA < endA && atB < endB; atA++, atB++) {
    const difference = bytes[atA]! - bytes[atB]!;
    if (difference !== 0) return difference;
  }
  return a - b;
}

/** Whether all people came in order. Remembers how far it got. */
function areOrdered(waiting: Waiting): boolean {
  const { count } = waiting;
  let { ordered } = waiting;
  while (ordered < count && (ordered === 0 || compare(waiting, ordered - 1, ordered) < 0)) ordered++;
  waiting.ordered = ordered;
  return ordered === count;
}

function inOrder(waiting: Waiting): Uint32Array {
  const order = Uint32Array.from({ length: waiting.count }, (_, person) => person);
  return areOrdered(waiting) ? order : order.sort((a, b) => compare(waiting, a, b));
}

/** Writes a page of at most `most` people from `order[from]` on, and returns where the next page begins. */
function fillPage(
  body: JsonBytes,
  waiting: Waiting,
  order: Uint32Array,
  from: number,
  { most, maxBytes }: { readonly most: number; readonly maxBytes: number },
  firstId: number,
): number {
  const { count, ends, lines, tails } = waiting;
  let to = from;
  clearJson(body, KEPT_BYTES);
  for (; to < count && to - from < most; to++) {
    const person = order[to]!;
    const tail = tails.bytes.subarray(startOf(waiting, person), ends[person]!);
    if (to > from && body.used + tail.length + HEAD_BYTES > maxBytes) break;
    writeEntry(body, lines[person]!, firstId + to, tail);
  }
  writeByte(body, CLOSE);
  return to;
}

/** Writes an entry with the bracket or comma before it. `writeTail` has written its end. */
function writeEntry(page: JsonBytes, line: number, userId: number, tail: Uint8Array): void {
  writeByte(page, page.used === 0 ? OPEN : COMMA);
  writeByte(page, BETWEEN_ENTRIES);
  writeJson(page, BEFORE_LINE);
  writeValue(page, line < 0 ? null : line);
  writeByte(page, COMMA);
  writeValue(page, userId);
  writeJson(page, BEFORE_TAIL);
  writeJson(page, tail);
}
