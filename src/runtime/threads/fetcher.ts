/** Reads sources in the background, for as long as the process runs. */
import { runFetcher } from "../../sources/fetcher.ts";
import type { Hub } from "../../hub.ts";
import { type Background, startBackground, type Where } from "./background.ts";
import { createSweep, sweepAll } from "./memory.ts";
import { createPageTurns } from "./page-turns.ts";

const LOOK_EVERY_MS: Readonly<Record<Where, number>> = { embedded: 500, remote: 2_000 };
/** Pages between two collections of the young generation: one page can take several megabytes. */
const MINOR_PAGES = 1;
/** Fewer pages do not justify a full collection at the end. */
const MANY_PAGES = 4;
/** Memory that a read may take, however many people it has. */
const GROWN_BYTES = 24_000_000;

export function startFetcher(
  hub: Hub,
  reader: { readonly name: string; readonly isGone?: (name: string) => boolean },
  database: Where,
): Background {
  const sweep = createSweep({ minor: MINOR_PAGES, grown: GROWN_BYTES, thorough: true });
  const turn = createPageTurns();
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
        async step() {
          pages++;
          sweep();
          await turn();
        },
        rest() {
          // The runner thread plans the run next, and needs the memory.
          if (pages >= MANY_PAGES) sweepAll();
          pages = 0;
        },
      }),
  );
}
