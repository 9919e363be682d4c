/** Work that stops at each of its pauses until it is resumed. No I/O, no clock. */

export interface Stepwise {
  /** Starts or resumes the work. Resolves with false at its next pause, with true at its end; rejects if it fails. */
  resume(): Promise<boolean>;
  /**
   * To be awaited by the work: resolves at the next `resume`. Several parts of the work may pause at the same time; they
   * are resumed together.
   */
  pause(): Promise<void>;
}

export function createStepwise(work: () => Promise<void>): Stepwise {
  let paused: (() => void)[] = [];
  let settled: { resolve: (isEnded: boolean) => void; reject: (error: unknown) => void };
  const begun = new Promise<void>((resolve) => void paused.push(resolve));
  void begun.then(work).then(() => settled.resolve(true), (error) => settled.reject(error));
  return {
    resume: () =>
      new Promise((resolve, reject) => {
        settled = { resolve, reject };
        const now = paused;
        paused = [];
        for (const go of now) go();
      }),
    pause: () =>
      new Promise((resolve) => {
        paused.push(resolve);
        settled.resolve(false);
      }),
  };
}
