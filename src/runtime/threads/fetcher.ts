/** Reads sources beside everything else that the process does, from its start to its end. */
import { runFetcher } from "../../sources/fetcher.ts";
import type { Hub } from "../../hub.ts";
import { type Background, startBackground, type Where } from "./background.ts";
import { createSweep, sweepAll } from "./memory.ts";

const LOOK_EVERY_MS: Readonly<Record<Where, number>> = { embedded: 500, remote: 2_000 };
/** Pages between two looks at the memory: one can be a megabyte or two, in several forms at once. */
const MINOR_PAGES = 1;
/** So few leave nothing behind that is worth a look at everything. */
const MANY_PAGES = 4;
/** A read should take as much of many people as of few. */
const GROWN_BYTES = 24_000_000;

export function startFetcher(
  hub: Hub,
  reader: { readonly name: string; readonly isGone?: (name: string) => boolean },
  database: Where,
): Background {
  const sweep = createSweep({ minor: MINOR_PAGES, grown: GROWN_BYTES, thorough: true });
  let pages = 0;
  const lookEveryMs = LOOK_EVERY_MS[database];
  return startBackground(
    hub,
    "fetcher",
    (signal) =>
      runFetcher(hub, {
        owner: reader.name,
        isGone: reader.isGone,
        lookEveryMs,
        signal,
        step() {
          pages++;
          sweep();
        },
        rest() {
          // What was read is planned next, in a thread beside this one.
          if (pages >= MANY_PAGES) sweepAll();
          pages = 0;
        },
      }),
  );
}
