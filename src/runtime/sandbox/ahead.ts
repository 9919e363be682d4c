/**
 * Asks for the next page while the hub stores the one before: hub and child then work at the same time. What the connector
 * wants done with all that it has yielded waits until that is stored.
 */
import type { Meanwhile } from "./call-clock.ts";
import { ConnectorFault } from "./faults.ts";

export interface Ahead<T, R> {
  /** The same pages. One counts as stored when the next is asked for. */
  readonly pages: AsyncGenerator<T, R>;
  /** Does the work once the pages that were given out are stored, which takes none of the child's time. */
  afterwards<V>(work: () => Promise<V>, meanwhile: Meanwhile): Promise<V>;
}

export function createAhead<T, R>(of: () => AsyncGenerator<T, R>): Ahead<T, R> {
  /** Null: no page is being stored. */
  let storing: Storing | null = null;

  async function* read(): AsyncGenerator<T, R> {
    const pages = of();
    let next = pages.next();
    try {
      for (;;) {
        const { done, value } = await next;
        if (done) return value;
        storing = createStoring();
        next = pages.next();
        // Where the pages are given up, nobody waits for it.
        next.catch(() => {});
        yield value;
        storing.done();
        storing = null;
      }
    } finally {
      storing?.giveUp();
    }
  }

  return {
    pages: read(),
    async afterwards(work, meanwhile) {
      const { stored } = storing ?? {};
      if (stored !== undefined) await meanwhile(() => stored);
      return await work();
    },
  };
}

interface Storing {
  readonly stored: Promise<void>;
  done(): void;
  giveUp(): void;
}

function createStoring(): Storing {
  let done = () => {}, giveUp = () => {};
  const stored = new Promise<void>((resolve, reject) => {
    done = resolve;
    giveUp = () => reject(new ConnectorFault("has ended"));
  });
  stored.catch(() => {});
  return { stored, done, giveUp };
}
