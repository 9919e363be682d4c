/**
 * The places of a process for reads of sources: some for those that work, and more for those that wait for a silent
 * source, as each takes memory. An organization has only a few of either.
 *
 * Where all are taken, nobody waits without end: a read that has been silent for long ends for one that would begin, of its
 * own organization where that has no other place, else of the organization that has most of them. No I/O.
 */
import { hasPlace } from "../std/turns.ts";

/** Of reads that work. */
const MAX_TOGETHER = 16, MAX_OF_ORGANIZATION = 4;
/** With those that wait for their source. */
const MAX_IN_ALL = 64, MAX_IN_ALL_OF_ORGANIZATION = 16;
/** How long a read may give no row, and get no answer, before it counts as waiting. */
const SILENT_MS = 10_000;
/** And before it ends for another: as long as a request has by default. */
export const YIELDS_AFTER_MS = 120_000;

export interface ReadPlace {
  /** Aborted: another read needs the place. */
  readonly yields: AbortSignal;
  /** The read has given a row, or got an answer. */
  sign(): void;
  giveBack(): void;
}

export interface ReadPlaces {
  /** Whether there is a place for an organization that is not busy. */
  hasRoom(): boolean;
  /** Organizations that may not have another read now. */
  busy(): number[];
  /** Takes a place, for which another read may have to end. */
  take(organizationId: number): ReadPlace;
}

interface Taken {
  readonly organizationId: number;
  readonly yielding: AbortController;
  lastSignAt: number;
}

export function createReadPlaces(now: () => number): ReadPlaces {
  /** Without those that are about to end for others. */
  const taken = new Set<Taken>();
  const silentFor = (ms: number) => ({ lastSignAt }: Taken) => lastSignAt <= now() - ms;
  const active = () => [...taken].filter((each) => !silentFor(SILENT_MS)(each));
  const mayYield = () => [...taken].filter(silentFor(YIELDS_AFTER_MS));

  /** Which read ends if one of this organization begins; null: none has to. */
  function leaving(organizationId: number): Taken | null {
    const inAll = countBy([...taken]), candidates = mayYield();
    if ((inAll.get(organizationId) ?? 0) >= MAX_IN_ALL_OF_ORGANIZATION) {
      return longestSilent(candidates.filter((each) => each.organizationId === organizationId));
    }
    if (taken.size < MAX_IN_ALL) return null;
    const most = Math.max(...candidates.map((each) => inAll.get(each.organizationId)!));
    return longestSilent(candidates.filter((each) => inAll.get(each.organizationId) === most));
  }

  return {
    hasRoom: () => active().length < MAX_TOGETHER && (taken.size < MAX_IN_ALL || mayYield().length > 0),
    busy() {
      const working = active(), places = { taken: working.length, all: MAX_TOGETHER, most: MAX_OF_ORGANIZATION };
      const mine = countBy(working), yielding = countBy(mayYield());
      const isFull = (id: number, count: number) => count >= MAX_IN_ALL_OF_ORGANIZATION && !yielding.has(id);
      return [...countBy([...taken])]
        .filter(([id, count]) => isFull(id, count) || !hasPlace({ mine: mine.get(id) ?? 0, ...places }))
        .map(([id]) => id);
    },
    take(organizationId) {
      const leaves = leaving(organizationId);
      if (leaves !== null) {
        taken.delete(leaves);
        leaves.yielding.abort();
      }
      const one: Taken = { organizationId, yielding: new AbortController(), lastSignAt: now() };
      taken.add(one);
      return {
        yields: one.yielding.signal,
        sign: () => void (one.lastSignAt = now()),
        giveBack: () => void taken.delete(one),
      };
    },
  };
}

function longestSilent(all: readonly Taken[]): Taken | null {
  return all.reduce<Taken | null>((a, b) => a === null || b.lastSignAt < a.lastSignAt ? b : a, null);
}

function countBy(all: readonly Taken[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { organizationId } of all) counts.set(organizationId, (counts.get(organizationId) ?? 0) + 1);
  return counts;
}
