/**
 * Files that are never taken as they are, such as an upload that was cut off, an empty file, or one that is too large.
 * Reported after an hour. No I/O.
 */
import type { WhyLeft } from "../model/bridge-wire.ts";
import { HOUR_MS } from "../std/time.ts";
import type { SeenFile } from "./contract.ts";
import { companionOf, isMeant, isTemporary } from "./places.ts";

export interface Leftover {
  readonly name: string;
  readonly since: number;
  readonly why: WhyLeft;
  /** Its size, where that is why. */
  readonly bytes?: number;
}

/** As many are reported as an admin would read, and remembered as a folder would reasonably hold. */
const MAX_REPORTED = 20, MAX_REMEMBERED = 1_000;
/** As many notes are written as a folder of reports can reasonably hold. */
const MAX_ANSWERED = 100;

/** Since when each file has been left as it is; by name. */
export type Seen = ReadonlyMap<string, Leftover>;

/**
 * What is remembered after a listing. A file counts from its own time of change on, unless that is in the future: so a
 * bridge that was restarted need not wait for another hour.
 */
export function rememberLeftovers(
  before: Seen,
  files: readonly SeenFile[],
  patterns: readonly string[],
  now: number,
): Seen {
  const seen = new Map<string, Leftover>();
  for (const file of files) {
    const why = whyLeft(file, patterns);
    if (why === null || seen.size >= MAX_REMEMBERED) continue;
    const known = before.get(file.name);
    const since = known?.why === why ? known.since : Math.min(now, file.modifiedAt > 0 ? file.modifiedAt : now);
    seen.set(file.name, { name: file.name, since, why, ...why === "too_large" ? { bytes: file.bytes } : {} });
  }
  return seen;
}

/** Those that are to be reported, the oldest first. */
export function oldLeftovers(seen: Seen, now: number): Leftover[] {
  return old(seen, now).slice(0, MAX_REPORTED);
}

/**
 * Those whose sender gets a note: complete files that will not be taken. An upload in progress may still become one that is.
 */
export function leftoversToAnswer(seen: Seen, now: number): Leftover[] {
  const answered = [...seen.values()].filter(({ why, since }) =>
    REFUSED.has(why) || (now - since >= HOUR_MS && (why === "empty" || why === "unmatched"))
  );
  return answered.sort(oldestFirst).slice(0, MAX_ANSWERED);
}

/** A whole file was looked at and refused: nobody has to wait to know that. */
const REFUSED: ReadonlySet<WhyLeft> = new Set(["too_large", "wrong_digest"]);

function old(seen: Seen, now: number): Leftover[] {
  return [...seen.values()].filter(({ since }) => now - since >= HOUR_MS).sort(oldestFirst);
}

function oldestFirst(a: Leftover, b: Leftover): number {
  return a.since - b.since || (a.name < b.name ? -1 : 1);
}

function whyLeft(file: SeenFile, patterns: readonly string[]): Leftover["why"] | null {
  if (isTemporary(file.name)) return "temporary";
  // Companions are empty on purpose.
  if (file.bytes === 0 && companionOf(file.name) === null && isMeant(file.name, patterns)) return "empty";
  return file.left ?? null;
}
