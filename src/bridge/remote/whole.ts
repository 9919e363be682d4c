/**
 * Which of the listed files are whole: those that two visits found unchanged, or that a companion marks as whole. No I/O
 * and no clock: times are milliseconds of a clock that only goes forward.
 */
import { companionOf, isMeant } from "../places.ts";
import type { SeenFile } from "../contract.ts";

/** How long the size and time of a file have to be unchanged. */
const APART_MS = 30_000;
/** How long its name has to be known. */
const KNOWN_MS = 60_000;

interface Sighting {
  readonly bytes: number;
  readonly modifiedAt: number;
  /** When the name was seen first. */
  readonly firstAt: number;
  /** When it was first seen with this size and time. */
  readonly sameFrom: number;
}

/** What earlier visits saw, by name. When the process ends it is lost, and files only wait once more. */
export type Sightings = Map<string, Sighting>;

export interface Companion extends SeenFile {
  readonly kind: "done" | "sha256";
}

export interface Candidate extends SeenFile {
  /** True: it may be taken. False: a client may still be writing it. */
  readonly isWhole: boolean;
  readonly companions: readonly Companion[];
}

export interface Look {
  /** Files that match the patterns and are not empty, oldest first; files of the same second by name. */
  readonly candidates: readonly Candidate[];
  /** When the first waiting file may be whole; null: none waits. */
  readonly nextAt: number | null;
}

/** Updates `sightings`: adds what was seen, and removes what is gone. */
export function look(
  sightings: Sightings,
  files: readonly SeenFile[],
  patterns: readonly string[],
  now: number,
): Look {
  const companions = companionsOf(files);
  const candidates: Candidate[] = [];
  const names = new Set<string>();
  let nextAt: number | null = null;
  for (const file of files) {
    if (file.bytes === 0 || !isMeant(file.name, patterns)) continue;
    names.add(file.name);
    const before = sightings.get(file.name);
    const isSame = before !== undefined && before.bytes === file.bytes && before.modifiedAt === file.modifiedAt;
    const sighting = isSame
      ? before
      : { bytes: file.bytes, modifiedAt: file.modifiedAt, firstAt: before?.firstAt ?? now, sameFrom: now };
    sightings.set(file.name, sighting);
    // A companion that is older than the file belongs to an earlier file of that name.
    const own = (companions.get(file.name) ?? []).filter((each) => each.modifiedAt >= file.modifiedAt);
    const wholeAt = Math.max(sighting.firstAt + KNOWN_MS, sighting.sameFrom + APART_MS);
    const isWhole = own.length > 0 || now >= wholeAt;
    if (!isWhole) nextAt = Math.min(nextAt ?? wholeAt, wholeAt);
    candidates.push({ ...file, isWhole, companions: own });
  }
  for (const name of sightings.keys()) if (!names.has(name)) sightings.delete(name);
  return { candidates: candidates.sort(inOrder), nextAt };
}

function companionsOf(files: readonly SeenFile[]): Map<string, Companion[]> {
  const found = new Map<string, Companion[]>();
  for (const file of files) {
    const name = companionOf(file.name);
    if (name === null || file.name.startsWith(".")) continue;
    const kind = /\.sha256$/i.test(file.name) ? "sha256" : "done";
    found.set(name, [...(found.get(name) ?? []), { ...file, kind }]);
  }
  return found;
}

const { compare } = new Intl.Collator("en", { numeric: true });

function inOrder(a: SeenFile, b: SeenFile): number {
  return a.modifiedAt - b.modifiedAt || compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
}
