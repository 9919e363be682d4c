/** Waiting for what may ignore an abort signal: a promise, or the values of an async iterator. */

/**
 * Yields the same values, gives the same result at their end, and fails with the signal's reason as soon as it is aborted, even while the next value is still
 * awaited. The iterator is then asked to return, without waiting for it. Holds one value at a time.
 */
export async function* untilAborted<T, R = void>(
  values: AsyncIterable<T, R>,
  signal: AbortSignal,
): AsyncGenerator<T, R> {
  const iterator = values[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await orAborted(iterator.next(), signal);
      if (next.done) {
        ended = true;
        return next.value;
      }
      yield next.value;
    }
  } finally {
    if (!ended) void iterator.return?.()?.then(undefined, () => {});
  }
}

/**
 * Resolves with the promise's value, or rejects with the signal's reason if that comes first. This is not a race against
 * one promise for the whole iteration: that promise would hold the outcome of each race, and so every value, to the end.
 */
export function orAborted<T>(promised: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promised.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
