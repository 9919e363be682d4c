/** Limits how many work at a time, in all and for each owner. Places are given in the order of requests. No I/O. */

export interface Lane {
  /**
   * Resolves when there is a place, with a function that gives it back; calling that again has no effect. Rejects with the
   * signal's reason if that is aborted first.
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
