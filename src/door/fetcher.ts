/** Reads sources beside everything else that the process does, from its start to its end. */
import { runFetcher } from "../fetch/fetcher.ts";
import type { Hub } from "../hub.ts";
import { describeError } from "./log.ts";
import { createSweep } from "./memory.ts";

/** Looking into a file costs nothing; a server is asked over the network each time. */
const LOOK_EVERY_MS = { embedded: 500, remote: 2_000 };
/** Pages between two looks at the memory: one can be a megabyte or two, in several forms at once. */
const MINOR_PAGES = 2, MAJOR_PAGES = 8;
/** Pause after a failure of the hub itself, not of a source. */
const AFTER_FAILURE_MS = 5_000;

export interface Fetcher {
  /** Breaks off what is being read; it is read again at the next start, or by another process. */
  stop(): Promise<void>;
}

export function startFetcher(
  hub: Hub,
  reader: { readonly name: string; readonly isGone?: (name: string) => boolean },
  database: keyof typeof LOOK_EVERY_MS,
): Fetcher {
  const stopping = new AbortController();
  const { signal } = stopping;
  const step = createSweep(MINOR_PAGES, MAJOR_PAGES);
  const lookEveryMs = LOOK_EVERY_MS[database];
  const ended = (async () => {
    while (!signal.aborted) {
      try {
        await runFetcher(hub, { owner: reader.name, isGone: reader.isGone, lookEveryMs, signal, step });
      } catch (error) {
        hub.log("fetcher.failed", describeError(error));
        await pause(AFTER_FAILURE_MS, signal);
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
