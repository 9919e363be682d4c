/** Runs work in the background of a process, and restarts it a while after it has failed. */
import { setMaxListeners } from "node:events";
import type { Hub } from "../../hub.ts";
import { sleep } from "../../std/sleep.ts";
import { describeError } from "../log.ts";

/** Where the database is: reading a file often is cheap, but each query of a server uses the network. */
export type Where = "embedded" | "remote";

/** Pause after an error of the hub itself, not of a receiver or a source. */
const AFTER_FAILURE_MS = 5_000;

export interface Background {
  /** Aborts work in progress, which is done again at the next start or by another process. */
  stop(): Promise<void>;
}

/** `name`: for the log. `work` is called again as soon as it ends, or after a pause if it fails. */
export function startBackground(
  hub: Hub,
  name: string,
  work: (signal: AbortSignal) => Promise<unknown>,
  { afterFailureMs = AFTER_FAILURE_MS } = {},
): Background {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Each request in flight has a listener; Node would warn of more than ten as a leak.
  setMaxListeners(0, signal);
  const ended = (async () => {
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        hub.log(`${name}.failed`, describeError(error));
        // The signal ends the pause, and then the loop.
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
