/**
 * Those who wait for a run, or for a bridge's check, to move on.
 *
 * What this process moves is told at once (`moved`). As another process may move it too, all that is waited for is looked
 * at again and again, in one query for all of it: however many wait, the database is asked no more often.
 */
import type { CheckResult } from "../connector.ts";
import type { StoredRun } from "./runs/runs.ts";

/** What is waited for. Its id belongs to one organization alone. */
export interface Watched {
  readonly organizationId: number;
  readonly id: number;
}

export interface Watch<T> {
  /**
   * Resolves once `isEnough` holds, `ms` have passed, or `signal` is aborted: with the thing as it was seen last, which is
   * null where it is gone. `isFresh`: the caller has just seen it, so that nobody needs to look at once.
   */
  until(
    thing: Watched,
    isEnough: (found: T | null) => boolean,
    options: { readonly ms: number; readonly signal?: AbortSignal; readonly isFresh?: boolean },
  ): Promise<T | null>;
  /** Says that it may have changed. Returns at once; costs nothing where nobody waits for it. */
  moved(id: number): void;
}

/** A check as its asker waits for it. `isHeld`: a bridge holds the connection, and so may still answer. */
export interface BridgeCheckState {
  readonly result: CheckResult | null;
  readonly isHeld: boolean;
}

export interface Waits {
  readonly runs: Watch<StoredRun>;
  readonly checks: Watch<BridgeCheckState>;
}

/** Pauses between two looks, in milliseconds; they grow from the first to the longest while somebody waits. */
export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** For all who wait in a process. */
export const TOGETHER: Pauses = { firstMs: 1_000, longestMs: 1_000 };
/** For a single request, where nothing is shared between requests and nobody says that something has moved. */
export const ALONE: Pauses = { firstMs: 20, longestMs: 500 };

interface Waiter<T> {
  isEnough(found: T | null): boolean;
  resolve(found: T | null): void;
  reject(error: unknown): void;
  /** As it was seen last; absent before the first look. */
  last?: { readonly found: T | null };
}

/** `look` finds those of the things that are there, by id. */
export function createWatch<T>(
  look: (things: readonly Watched[]) => Promise<ReadonlyMap<number, T>>,
  { firstMs, longestMs }: Pauses,
): Watch<T> {
  const waiting = new Map<number, { readonly thing: Watched; readonly waiters: Set<Waiter<T>> }>();
  /** To be looked at next. */
  const due = new Set<number>();
  let isLooking = false;
  let pauseMs = firstMs;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function lookAtDue(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      while (due.size > 0) {
        // Whoever comes in the same turn is looked after with it.
        await Promise.resolve();
        const groups = [...due].flatMap((id) => waiting.get(id) ?? []);
        due.clear();
        if (groups.length > 0) await lookAt(groups.map(({ thing, waiters }) => ({ thing, waiters: [...waiters] })));
      }
    } finally {
      isLooking = false;
    }
  }

  async function lookAt(groups: readonly { thing: Watched; waiters: readonly Waiter<T>[] }[]): Promise<void> {
    try {
      const things = await look(groups.map(({ thing }) => thing));
      for (const { thing, waiters } of groups) {
        const found = things.get(thing.id) ?? null;
        for (const waiter of waiters) {
          waiter.last = { found };
          if (waiter.isEnough(found)) waiter.resolve(found);
        }
      }
    } catch (error) {
      for (const { waiters } of groups) for (const waiter of waiters) waiter.reject(error);
    }
  }

  function keepLooking(): void {
    if (timer !== undefined || waiting.size === 0) return;
    timer = setTimeout(async () => {
      timer = undefined;
      for (const id of waiting.keys()) due.add(id);
      await lookAtDue();
      pauseMs = Math.min(pauseMs * 1.5, longestMs);
      keepLooking();
    }, pauseMs);
  }

  function add(thing: Watched, waiter: Waiter<T>, isFresh: boolean): () => void {
    const group = waiting.get(thing.id) ?? { thing, waiters: new Set() };
    waiting.set(thing.id, group);
    group.waiters.add(waiter);
    if (!isFresh) {
      due.add(thing.id);
      void lookAtDue();
    }
    keepLooking();
    return () => {
      group.waiters.delete(waiter);
      if (group.waiters.size === 0 && waiting.get(thing.id) === group) waiting.delete(thing.id);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      timer = undefined;
      pauseMs = firstMs;
    };
  }

  return {
    async until(thing, isEnough, { ms, signal, isFresh = false }) {
      let end = () => {};
      let remove = () => {};
      let timeout: ReturnType<typeof setTimeout> | undefined;
      try {
        return await new Promise<T | null>((resolve, reject) => {
          const waiter: Waiter<T> = { isEnough, resolve, reject };
          end = () => {
            if (waiter.last !== undefined) return resolve(waiter.last.found);
            // Nobody can say how it is before it was looked at: that look is then enough.
            waiter.isEnough = () => true;
            due.add(thing.id);
            void lookAtDue();
          };
          timeout = setTimeout(end, ms);
          signal?.addEventListener("abort", end, { once: true });
          remove = add(thing, waiter, isFresh);
          if (signal?.aborted) end();
        });
      } finally {
        clearTimeout(timeout);
        signal?.removeEventListener("abort", end);
        remove();
      }
    },
    moved(id) {
      if (!waiting.has(id)) return;
      due.add(id);
      void lookAtDue();
    },
  };
}
