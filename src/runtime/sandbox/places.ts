/**
 * How many children there are at a time in a thread of the hub, in all and for one owner, which is an organization or, for
 * questions of no organization, a connector. Those that come later wait, in the order in which they came.
 */
import { createLane, type Lane } from "../../std/lanes.ts";

/** What the fetcher reads at a time, with the reads that wait for their source (sources/read-places.ts), has room. */
const READS = 64, READS_OF_ONE = 16;
/** Questions about settings, checks, and runs that normalize. They never wait for a read. */
const SHORT = 8, SHORT_OF_ONE = 2;

export interface Places {
  readonly reads: Lane;
  readonly short: Lane;
}

export function createPlaces(): Places {
  return { reads: createLane(READS, READS_OF_ONE), short: createLane(SHORT, SHORT_OF_ONE) };
}

/** Those of this thread. */
export const PLACES: Places = createPlaces();
