/** A child that is kept between calls, and ended when none has come for a while. */
import type { Child } from "./child.ts";

export interface Session {
  /** Starts the child where there is none. One use at a time; after an error the next one gets a new child. */
  use<T>(call: (child: Child) => Promise<T>): Promise<T>;
}

const KEPT_MS = 2_000;

export function createSession(start: () => Promise<Child>, keptMs = KEPT_MS): Session {
  let child: Promise<Child> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function end(): Promise<void> {
    const ended = child;
    child = null;
    await (await ended?.catch(() => null))?.end();
  }

  return {
    async use(call) {
      clearTimeout(timer);
      child ??= start();
      try {
        const result = await call(await child);
        timer = setTimeout(() => void end(), keptMs);
        return result;
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
}
