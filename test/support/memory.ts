/** How much memory is in use by what runs in a test's own thread; other tests run in the same process. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** Lets go of whatever nobody holds any more. */
export const collect = runInNewContext("gc") as () => void;

/** In bytes, once all that nobody holds any more is gone: objects, and buffers outside of the heap. */
export function memoryInUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A look takes as long as collecting the heap does: the work is left this many times as long until the next one. */
const WORK_FOR_A_LOOK = 5, LEAST_MS = 50;

/** How many bytes more than before were in use at most while the work went on, looked at again and again. */
export async function mostMemoryOf(work: () => Promise<unknown>): Promise<number> {
  const before = memoryInUse();
  let most = 0;
  const look = () => most = Math.max(most, memoryInUse() - before);
  let timer: ReturnType<typeof setTimeout>;
  const lookAgain = () => {
    const startedAt = performance.now();
    look();
    timer = setTimeout(lookAgain, Math.max(LEAST_MS, WORK_FOR_A_LOOK * (performance.now() - startedAt)));
  };
  timer = setTimeout(lookAgain, LEAST_MS);
  try {
    await work();
  } finally {
    clearTimeout(timer);
  }
  look();
  return most;
}
