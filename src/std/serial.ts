/**
 * One after another: each piece of work starts when those before it have ended, whether they failed or not. In comes the
 * work, out comes what comes of it. No I/O.
 */
export function createSerial(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
