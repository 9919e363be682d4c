/** Places for so many at a time, given in the order asked for, but never too many of them to one owner. No I/O. */

export interface Lane {
  /**
   * Resolves when there is a place. What it resolves with gives the place back; twice is once. Rejects with the signal's
   * reason when that is aborted first.
   */
  take(owner: string, signal?: AbortSignal): Promise<() => void>;
}

export function createLane(places: number, placesOfOne = places): Lane {
  const taken = new Map<string, number>();
  const waiting: { readonly owner: string; readonly go: () => void }[] = [];
  let free = places;

  const of = (owner: string) => taken.get(owner) ?? 0;

  function serve(): void {
    for (let i = 0; i < waiting.length && free > 0;) {
      const { owner, go } = waiting[i]!;
      if (of(owner) >= placesOfOne) {
        i++;
        continue;
      }
      waiting.splice(i, 1);
      free--;
      taken.set(owner, of(owner) + 1);
      go();
    }
  }

  return {
    take(owner, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        let isGiven = false;
        const giveBack = () => {
          if (isGiven) return;
          isGiven = true;
          free++;
          if (of(owner) > 1) taken.set(owner, of(owner) - 1);
          else taken.delete(owner);
          serve();
        };
        const one = {
          owner,
          go() {
            signal?.removeEventListener("abort", abort);
            resolve(giveBack);
          },
        };
        const abort = () => {
          waiting.splice(waiting.indexOf(one), 1);
          reject(signal!.reason);
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(one);
        serve();
      });
    },
  };
}
