/** Work that goes on beside everything else that the process does, and is begun anew a while after it failed. */
import { setMaxListeners } from "node:events";
import type { Hub } from "../../hub.ts";
import { sleep } from "../../std/sleep.ts";
import { describeError } from "../log.ts";

/** Looking into a file costs nothing; a server is asked over the network each time. */
export type Where = "embedded" | "remote";

/** Pause after a failure of the hub itself, not of whom the work is about. */
const AFTER_FAILURE_MS = 5_000;

export interface Background {
  /** Breaks off what is at hand; it is done again at the next start, or by another process. */
  stop(): Promise<void>;
}

/** `name`: what the log calls it. `work` is called again as soon as it ends, and after a pause when it fails. */
export function startBackground(
  hub: Hub,
  name: string,
  work: (signal: AbortSignal) => Promise<unknown>,
  { afterFailureMs = AFTER_FAILURE_MS } = {},
): Background {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Everything in flight listens; Node warns of more than ten, taking them for forgotten ones.
  setMaxListeners(0, signal);
  const ended = (async () => {
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        hub.log(`${name}.failed`, describeError(error));
        // Asked to stop meanwhile, it stops.
        await sleep(afterFailureMs, signal).catch(() => {});
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
