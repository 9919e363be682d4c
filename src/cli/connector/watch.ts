/**
 * Sees when files change, by looking at them several times a second. The system's own watch follows a file that an editor
 * has moved away and not the new one in its place, and sees nothing in many shared folders.
 */
import { statSync } from "node:fs";
import { sleep } from "../../std/sleep.ts";

const LOOK_EVERY_MS = 150;

export interface Watch {
  /** From now on a change of this file counts. It may be missing: that it comes is a change. */
  note(path: string): void;
  /**
   * Resolves when a file is no longer as it was when it was noted, and all have been the same for two looks: saves that
   * follow each other count as one. Rejects when the signal is aborted.
   */
  change(signal: AbortSignal): Promise<void>;
}

export function createWatch(): Watch {
  const noted = new Map<string, string>();
  return {
    note(path) {
      if (!noted.has(path)) noted.set(path, stateOf(path));
    },
    async change(signal) {
      for (let last = "";;) {
        await sleep(LOOK_EVERY_MS, signal);
        const now = [...noted.keys()].map(stateOf).join();
        if (now === last && now !== [...noted.values()].join()) return;
        last = now;
      }
    },
  };
}

/** What tells two states of a file apart. A folder is no file. */
function stateOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? [found.mtimeMs, found.size, found.ino].join(" ") : "missing";
}
