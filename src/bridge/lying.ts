/** Files that nobody takes and that lie about: an upload that was cut off, an empty file. Said after an hour. */
import type { SeenFile } from "./contract.ts";
import { companionOf, isMeant, isTemporary } from "./places.ts";
import { HOUR_MS } from "../std/time.ts";

export interface LyingFile {
  readonly name: string;
  readonly since: number;
  readonly why: "temporary" | "empty" | "unfinished" | "unmatched";
}

const SAID_AFTER_MS = HOUR_MS;
/** As many are said as an admin would read, and remembered as a folder would reasonably hold. */
const MAX_SAID = 20, MAX_REMEMBERED = 1_000;

/** Since when each name lies there as it is; by name. */
export type Seen = ReadonlyMap<string, LyingFile>;

/**
 * What is remembered after this look. A file counts from its own time of change on, where that is not in the future: a
 * bridge that was started anew need not wait for an hour.
 */
export function rememberLying(
  before: Seen,
  files: readonly SeenFile[],
  patterns: readonly string[],
  now: number,
): Seen {
  const seen = new Map<string, LyingFile>();
  for (const file of files) {
    const why = whyLeft(file, patterns);
    if (why === null || seen.size >= MAX_REMEMBERED) continue;
    const known = before.get(file.name);
    const since = known?.why === why ? known.since : Math.min(now, file.modifiedAt > 0 ? file.modifiedAt : now);
    seen.set(file.name, { name: file.name, since, why });
  }
  return seen;
}

/** Those that are to be said, the longest first. */
export function longLying(seen: Seen, now: number): LyingFile[] {
  return [...seen.values()].filter(({ since }) => now - since >= SAID_AFTER_MS)
    .sort((a, b) => a.since - b.since || (a.name < b.name ? -1 : 1)).slice(0, MAX_SAID);
}

function whyLeft(file: SeenFile, patterns: readonly string[]): LyingFile["why"] | null {
  if (isTemporary(file.name)) return "temporary";
  // A companion is empty by nature.
  if (file.bytes === 0 && companionOf(file.name) === null && isMeant(file.name, patterns)) return "empty";
  return file.left ?? null;
}
