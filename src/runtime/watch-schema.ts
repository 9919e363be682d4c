/** Notices, while a hub serves, that a later version has brought the database up to date. */
import type { Fault } from "../model/errors.ts";
import { sleep } from "../std/sleep.ts";

export interface SchemaWatch {
  /** What was found; null: nothing so far. */
  found(): Fault | null;
  /** Resolves once it is found; never, if it is not. */
  readonly whenFound: Promise<Fault>;
  stop(): Promise<void>;
}

/** `look`: OpenDatabase.newer. What it throws, such as that a server does not answer, says nothing about the tables. */
export function watchSchema(look: () => Promise<Fault | null>, everyMs: number): SchemaWatch {
  const stopping = new AbortController();
  const { signal } = stopping;
  let found: Fault | null = null;
  let resolve: (newer: Fault) => void = () => {};
  const whenFound = new Promise<Fault>((found) => resolve = found);
  const ended = (async () => {
    while (!signal.aborted && found === null) {
      found = await look().catch(() => null);
      if (found === null) await sleep(everyMs, signal).catch(() => {});
      else resolve(found);
    }
  })();
  return {
    found: () => found,
    whenFound,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
