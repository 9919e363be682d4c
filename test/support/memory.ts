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

/** How many bytes more than before were in use at most while the work went on, looked at again and again. */
export async function mostMemoryOf(work: () => Promise<unknown>): Promise<number> {
  const before = memoryInUse();
  let most = 0;
  const look = () => most = Math.max(most, memoryInUse() - before);
  const timer = setInterval(look, 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  look();
  return most;
}
