/**
 * Measures the memory of this process and keeps it small, by collecting garbage earlier than V8 would.
 *
 * V8 hardly counts memory outside its heap, so it lets 64 MB of unused buffers accumulate before it collects them.
 * Collecting from time to time takes milliseconds and keeps a long run small. src/launch.sh sets four flags of
 * V8 for this:
 *
 * - `--expose-gc`, without which nothing here has an effect;
 * - `--max-semi-space-size`, because V8 holds three times this size;
 * - `--no-allocation-site-pretenuring`: V8 would take a row's objects for long-lived ones, because a page of them lives for
 *   a moment, and leave 40 MB of them per second to the next full collection;
 * - `--heap-growing-percent`: a thread that answers very many requests would otherwise hold several times what it needs.
 */
import process from "node:process";
import { getHeapStatistics } from "node:v8";

const collect = (globalThis as {
  gc?: (options: { type: "minor" | "major"; flavor?: "last-resort" }) => void;
}).gc;

/** Steps of a run between two collections of the young generation; a step reads about 256 KB. */
const MINOR_STEPS = 12;
/** How much a thread's memory may grow until a full collection. */
const GROWN_BYTES = 12_000_000;

/**
 * The same for streams of bytes, which leave four to five times their size as garbage. Collecting the young generation
 * frees nearly all of it within a millisecond; done too often, it promotes objects that are still in use. A full collection
 * takes tens of milliseconds, and a second processor.
 */
const STEP_BYTES = 2 * 1024 * 1024, GROWN_OF_BYTES = 32_000_000;

const AFTER_BYTES = 8 * 1024 * 1024, AFTER_MS = 300;

export interface SweepOptions {
  /** Steps between two collections of the young generation. */
  readonly minor?: number;
  /** Bytes that the thread's memory may grow by. */
  readonly grown?: number;
  /** Full collections are made as by `sweepAll`. */
  readonly thorough?: boolean;
}

/** The result is to be called at each step of a run. */
export function createSweep(
  { minor = MINOR_STEPS, grown = GROWN_BYTES, thorough = false }: SweepOptions = {},
): () => void {
  let steps = 0;
  let least = held();
  return () => {
    if (++steps % minor === 0) collect?.({ type: "minor" });
    let now = held();
    least = Math.min(least, now);
    if (now - least < grown) return;
    // Most of the growth may be young objects.
    collect?.({ type: "minor" });
    now = held();
    if (now - least < grown) return;
    if (thorough) sweepAll();
    else collect?.({ type: "major" });
    least = held();
  };
}

/**
 * Bytes of this thread alone, including uncollected garbage. From V8 itself, because Node's function opens a file and fails
 * when none is free.
 */
function held(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** As createSweep, for streams: the result is to be called with the number of bytes. */
export function createByteSweep(): (bytes: number) => void {
  const sweep = createSweep({ minor: 1, grown: GROWN_OF_BYTES }), sweepAfter = createSweepAfter();
  let passed = 0;
  return (bytes) => {
    for (passed += bytes; passed >= STEP_BYTES; passed -= STEP_BYTES) sweep();
    sweepAfter(bytes);
  };
}

/**
 * Makes one full collection when many bytes have passed and no more come: an idle thread would otherwise hold their memory,
 * which another thread may need. The result is to be called with the number of bytes.
 */
export function createSweepAfter(): (bytes: number) => void {
  let passed = 0, timer: ReturnType<typeof setTimeout> | undefined;
  return (bytes) => {
    passed += bytes;
    if (passed < AFTER_BYTES || collect === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      passed = 0;
      // Not thorough, so that a request that comes now does not wait for longer.
      collect({ type: "major" });
    }, AFTER_MS);
    timer.unref();
  };
}

/**
 * Makes a full collection that returns all it can to the system, also spare pages and compiled code. Hot code is slow
 * again afterwards, so it is only for times with little to compute.
 */
export function sweepAll(): void {
  collect?.({ type: "major", flavor: "last-resort" });
}

/** Memory of this process in bytes; undefined: it cannot be read now, because no file is free. */
export function readMemory(): { resident: number; heap: number } | undefined {
  try {
    const { rss, heapUsed } = process.memoryUsage();
    return { resident: rss, heap: heapUsed };
  } catch {
    return undefined;
  }
}
