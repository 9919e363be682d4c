/** The time that a call into a child has to show something. It does not run while the hub works for the connector. */

export interface CallClock {
  /** The hub waits for the child from now on, for the whole time. */
  begin(): void;
  /** The hub has what it waited for. */
  rest(): void;
  /** The whole time again: the child has shown that it goes on. */
  renew(): void;
  /** Stops the time for as long as the work lasts, and gives the whole time again when that succeeds. */
  readonly meanwhile: Meanwhile;
}

export type Meanwhile = <T>(work: () => Promise<T>) => Promise<T>;

/** `ms`: the whole time. Calls `onOver` when it is over. */
export function createCallClock(ms: number, onOver: () => void): CallClock {
  let leftMs = ms, since = 0, works = 0, isWaiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function stop(): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    leftMs -= performance.now() - since;
  }

  function go(): void {
    if (!isWaiting || works > 0 || timer !== undefined) return;
    since = performance.now();
    timer = setTimeout(onOver, Math.max(0, leftMs));
  }

  function renew(): void {
    stop();
    leftMs = ms;
    go();
  }

  return {
    begin() {
      isWaiting = true;
      renew();
    },
    rest() {
      stop();
      isWaiting = false;
    },
    renew,
    async meanwhile(work) {
      works++;
      stop();
      try {
        const result = await work();
        leftMs = ms;
        return result;
      } finally {
        works--;
        go();
      }
    },
  };
}
