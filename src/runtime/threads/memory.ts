/**
 * The memory of this process: how much it is, and how to keep it small.
 *
 * To V8 a megabyte outside its heap weighs little, so it lets 64 MB of buffers that nobody needs pile up before it looks;
 * a look now and then takes milliseconds and keeps a long run small. src/launch.sh sets four flags of V8 for
 * this: `--expose-gc`, without which nothing here does anything; `--max-semi-space-size`, as three times as much is
 * held; `--no-allocation-site-pretenuring`, as V8 would take a row's objects for long-lived ones, because a page of
 * them lives for a moment, and let 40 MB of them a second wait for a look at everything; and `--heap-growing-percent`, as
 * a thread that answers very many requests would hold several times what it needs until that look.
 */
import process from "node:process";
import { getHeapStatistics } from "node:v8";

const collect = (globalThis as {
  gc?: (options: { type: "minor" | "major"; flavor?: "last-resort" }) => void;
}).gc;

/** Steps of a run between two looks at what is young; a step reads about 256 KB. */
const MINOR_STEPS = 12;
/** How much more a thread may hold until everything is looked at. */
const GROWN_BYTES = 12_000_000;

/**
 * The same for bytes that pass through, which leave four to five times as much behind. A look at what is young frees
 * nearly all of it within a millisecond. It must not come too often, or what is still in use is taken for old; and a
 * look at everything takes tens of milliseconds, and a second processor.
 */
const STEP_BYTES = 2 * 1024 * 1024, GROWN_OF_BYTES = 32_000_000;

const AFTER_BYTES = 8 * 1024 * 1024, AFTER_MS = 300;

export interface SweepOptions {
  /** Steps between two looks at what is young. */
  readonly minor?: number;
  /** Bytes that the thread may hold more. */
  readonly grown?: number;
  /** As `sweepAll` does it. */
  readonly thorough?: boolean;
}

/** To be called at each step of a run. */
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
    // Most of it may be young.
    collect?.({ type: "minor" });
    now = held();
    if (now - least < grown) return;
    if (thorough) sweepAll();
    else collect?.({ type: "major" });
    least = held();
  };
}

/**
 * Bytes that this thread alone holds, or let go of without V8 having noticed. Asked of V8 itself: Node would open a file
 * to answer, and fail where none is free.
 */
function held(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** The same for what bytes pass through: to be called with how many there were. */
export function createByteSweep(): (bytes: number) => void {
  const sweep = createSweep({ minor: 1, grown: GROWN_OF_BYTES }), sweepAfter = createSweepAfter();
  let passed = 0;
  return (bytes) => {
    for (passed += bytes; passed >= STEP_BYTES; passed -= STEP_BYTES) sweep();
    sweepAfter(bytes);
  };
}

/**
 * Looks at everything once, when many bytes have passed and no more come: a thread that then has nothing to do would
 * keep what they took while another one needs it.
 */
export function createSweepAfter(): (bytes: number) => void {
  let passed = 0, timer: ReturnType<typeof setTimeout> | undefined;
  return (bytes) => {
    passed += bytes;
    if (passed < AFTER_BYTES || collect === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      passed = 0;
      // Whoever asks something now should not wait for more than this.
      collect({ type: "major" });
    }, AFTER_MS);
    timer.unref();
  };
}

/**
 * A look at everything that gives back what it can, pages that V8 would keep for later and compiled code too: where
 * there is nothing else to do, or little to compute, as whatever runs often begins slow again.
 */
export function sweepAll(): void {
  collect?.({ type: "major", flavor: "last-resort" });
}

/** What memory this process has; undefined: that cannot be read now, as no file is free. */
export function readMemory(): { resident: number; heap: number } | undefined {
  try {
    const { rss, heapUsed } = process.memoryUsage();
    return { resident: rss, heap: heapUsed };
  } catch {
    return undefined;
  }
}
