/**
 * A pause that ends early when there is something to do.
 *
 * A wake-up is never lost: if nothing waits, it ends the next wait at once. Several count as one. Only one loop may wait at
 * a time. No timer is left behind.
 */

export interface Idle {
  /** Resolves after `ms`, or at a wake-up. */
  wait(ms: number): Promise<void>;
  wake(): void;
}

export function createIdle(): Idle {
  let isWoken = false;
  let end: (() => void) | null = null;
  return {
    async wait(ms) {
      if (!isWoken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        end = null;
      }
      isWoken = false;
    },
    wake() {
      isWoken = true;
      end?.();
    },
  };
}
