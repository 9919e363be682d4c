/**
 * Who is next of those that wait, so that nobody who asks for much keeps the others waiting. In come those that wait and
 * what each was served; out comes their order, the least served first.
 *
 * What somebody was served counts from where the one who was served last began: whoever comes back after a while has no
 * claim to what they did not use, and whoever comes for the first time begins level with the least served. So while
 * somebody waits, each of the others is served at most what the two of them take at a time. No I/O. No clock.
 */

export interface Turns<Key = number> {
  /** The least served first; those that were served alike stay in the order they are given in. */
  order<T>(waiting: readonly T[], keyOf: (each: T) => Key): T[];
  /** `key` had a turn, which cost `amount` (above 0, such as milliseconds). */
  took(key: Key, amount: number): void;
  /** Nobody waits: all begin level again. */
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
      // Who is below the level counts as if never served.
      for (const [other, sum] of served) if (sum <= level) served.delete(other);
    },
    forget() {
      served.clear();
      level = 0;
    },
  };
}

/** Whether somebody who has `mine` places of `all` may take one more: no more than are left to others, and at most `most`. */
export function hasPlace(
  { mine, taken, all, most }: { mine: number; taken: number; all: number; most: number },
): boolean {
  return mine < most && mine < all - taken;
}
