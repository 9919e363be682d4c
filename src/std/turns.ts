/**
 * Orders those that wait, the least served first, so that one with many requests does not delay the others.
 *
 * Service is counted from the level at which the one that was served last began. So those that come back after a while
 * have not saved up turns, and newcomers begin level with the least served. While one waits, each of the others is served
 * at most what the two of them take in one turn. No I/O, no clock.
 */

export interface Turns<Key = number> {
  /** The least served first; equally served ones stay in the given order. */
  order<T>(waiting: readonly T[], keyOf: (each: T) => Key): T[];
  /** Notes a turn of `key` that cost `amount` (above 0, such as milliseconds). */
  took(key: Key, amount: number): void;
  /** Nothing waits: all begin level again. */
  forget(): void;
}

export function createTurns<Key = number>(): Turns<Key> {
  const served = new Map<Key, number>();
  let level = 0;
  const servedOf = (key: Key) => Math.max(served.get(key) ?? 0, level);
  return {
    order: (waiting, keyOf) =>
      waiting.map((each) => ({ each, served: servedOf(keyOf(each)) }))
        .sort((a, b) => a.served - b.served).map(({ each }) => each),
    took(key, amount) {
      level = servedOf(key);
      served.set(key, level + amount);
      // Entries below the level have no effect any more.
      for (const [other, sum] of served) if (sum <= level) served.delete(other);
    },
    forget() {
      served.clear();
      level = 0;
    },
  };
}

/** Whether an owner of `mine` places out of `all` may take another: at most `most`, and never more than are left to others. */
export function hasPlace(
  { mine, taken, all, most }: { mine: number; taken: number; all: number; most: number },
): boolean {
  return mine < most && mine < all - taken;
}
