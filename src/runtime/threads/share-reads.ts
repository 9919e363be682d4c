/** Reads that are asked for while the same read waits or runs get its result. No I/O of its own. */
import type { ArgumentsOf, Asker, HeavyRead, Reader, ResultOf } from "../../store/people/heavy-reads.ts";
import { orAborted } from "../../std/until-aborted.ts";

interface Shared {
  readonly result: Promise<unknown>;
  /** Ends the read if it still waits. */
  readonly stop: AbortController;
  askers: number;
}

/** The read is given up once nobody waits for it any more. */
export function shareReads(reader: Reader): Reader {
  const shared = new Map<string, Shared>();

  function join<K extends HeavyRead>(name: K, { turn }: Asker, args: ArgumentsOf<K>): Shared {
    const key = JSON.stringify([name, args]), known = shared.get(key);
    if (known !== undefined && !known.stop.signal.aborted) return known;
    const stop = new AbortController();
    const result = reader.read(name, { turn, signal: stop.signal }, ...args);
    const begun: Shared = { result, stop, askers: 0 };
    const end = () => void (shared.get(key) === begun && shared.delete(key));
    result.then(end, end);
    shared.set(key, begun);
    return begun;
  }

  return {
    async read<K extends HeavyRead>(name: K, asker: Asker, ...args: ArgumentsOf<K>): Promise<ResultOf<K>> {
      const read = join(name, asker, args);
      read.askers++;
      try {
        const result = read.result as Promise<ResultOf<K>>;
        return await (asker.signal === undefined ? result : orAborted(result, asker.signal));
      } finally {
        if (--read.askers === 0) read.stop.abort();
      }
    },
  };
}
