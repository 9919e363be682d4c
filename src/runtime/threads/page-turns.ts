/**
 * Lets reads store their pages one by one, with all else that the thread does between two of them. A page takes some
 * milliseconds, in which nobody is answered: those of several reads in a row would add up.
 */
import { createLane } from "../../std/lanes.ts";

/** Gives what a read waits for before it goes on to its next page. */
export function createPageTurns(): () => Promise<void> {
  const lane = createLane(1);
  return async () => {
    const giveBack = await lane.take("");
    await new Promise((resolve) => setImmediate(resolve));
    giveBack();
  };
}
