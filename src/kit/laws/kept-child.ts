/**
 * One child for many calls, as a start takes a tenth of a second or more. A connector that keeps nothing between two reads
 * does not notice; one that does fails the laws that read twice.
 */
import { SourceFault } from "../../connector.ts";
import { type Child, type ChildOptions, startChild } from "../../runtime/sandbox/child.ts";

/** A child that nobody has used for so long is ended, so that it keeps no process alive. */
const KEPT_MS = 500;

/** To be used as startChild. */
export function createKeptChild(): typeof startChild {
  let kept: Promise<Child> | null = null;
  let onLog: ChildOptions["onLog"];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** A hub may end one use after it has begun the next. */
  let uses = 0;

  async function forget(): Promise<void> {
    const ended = kept;
    kept = null;
    await (await ended?.catch(() => null))?.end();
  }

  /** What a source or its answer did is no reason for a new child. */
  async function forgetAfter(error: unknown): Promise<never> {
    if (!(error instanceof SourceFault || error instanceof SyntaxError)) await forget();
    throw error;
  }

  return async (options) => {
    clearTimeout(timer);
    uses++;
    onLog = options.onLog;
    kept ??= startChild({ ...options, onLog: (line) => onLog?.(line) });
    const child = await kept.catch((error) => {
      kept = null;
      uses--;
      throw error;
    });
    let isEnded = false;
    return {
      pid: child.pid,
      call: (...given) => (child.call(...given) as Promise<never>).catch(forgetAfter),
      async *pages<T, R>(...given: Parameters<Child["pages"]>): AsyncGenerator<T, R> {
        try {
          return yield* child.pages<T, R>(...given);
        } catch (error) {
          return await forgetAfter(error);
        }
      },
      end() {
        if (!isEnded) uses--;
        isEnded = true;
        clearTimeout(timer);
        if (uses === 0) timer = setTimeout(() => void forget(), KEPT_MS);
        return Promise.resolve();
      },
    };
  };
}
