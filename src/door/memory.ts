/**
 * The memory of this process: how much it is, and how to keep it small.
 *
 * To V8 a megabyte outside its heap weighs little, so it lets 64 MB of buffers that nobody needs pile up before it looks;
 * a look now and then takes milliseconds and keeps a long run small.
 */
import process from "node:process";

/** There only with V8's flag `--expose-gc`, which the package's own commands set. */
const collect = (globalThis as { gc?: (options: { type: "minor" | "major" }) => void }).gc;

/** Steps of a run between two looks, at what is young and at everything; a step reads about 256 KB. */
const MINOR_STEPS = 24, MAJOR_STEPS = 96;

/**
 * To be called at each step of one run. Everything is looked at the first time after `minor` steps, then at double that,
 * until it is `major` steps from one look to the next: a short run leaves as little behind as a long one.
 */
export function createSweep(minor = MINOR_STEPS, major = MAJOR_STEPS): () => void {
  let steps = 0, next = minor;
  return () => {
    steps++;
    if (steps >= next) {
      next = steps + Math.min(steps, major);
      sweepAll();
    } else if (steps % minor === 0) collect?.({ type: "minor" });
  };
}

/** A look at everything: where there is nothing else to do, so that the next run begins with little. */
export function sweepAll(): void {
  collect?.({ type: "major" });
}

/** What memory this process has. */
export function readMemory(): { resident: number; heap: number } {
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}
