/**
 * Waiting for a run, or for a bridge's check, to change.
 *
 * A change by this process is noticed at once (`moved`). Another process may change it too, so everything that is waited
 * for is also polled, in one query for all of it: more waiting requests do not mean more queries.
 */
import type { CheckResult } from "../connector.ts";
import type { StoredRun } from "./runs/runs.ts";

/** What is waited for, by an id that no other organization has. */
export interface Watched {
  readonly organizationId: number;
  readonly id: number;
}

export interface Watch<T> {
  /**
   * Resolves once `isEnough` holds, `ms` have passed, or `signal` is aborted: with the thing as it was last read, or null
   * if it is gone. `isFresh`: the caller has just read it, so the first poll can wait.
   */
  until(
    thing: Watched,
    isEnough: (found: T | null) => boolean,
    options: { readonly ms: number; readonly signal?: AbortSignal; readonly isFresh?: boolean },
  ): Promise<T | null>;
  /** The thing may have changed. Returns at once; costs nothing if nothing waits for it. */
  moved(id: number): void;
}

/** A check that an admin waits for. `isHeld`: a bridge holds the connection, so it may still answer. */
export interface BridgeCheckState {
  readonly result: CheckResult | null;
  readonly isHeld: boolean;
}

export interface Waits {
  readonly runs: Watch<StoredRun>;
  readonly checks: Watch<BridgeCheckState>;
}

/** Pauses between two polls, in milliseconds: they grow from the first to the longest while anything is waited for. */
export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** For all requests of a process together. */
export const TOGETHER: Pauses = { firstMs: 1_000, longestMs: 1_000 };
/** For a single request, where requests share nothing and `moved` is never called. */
export const ALONE: Pauses = { firstMs: 20, longestMs: 500 };

interface Waiter<T> {
  isEnough(found: T | null): boolean;
  resolve(found: T | null): void;
  reject(error: unknown): void;
  /** As it was last read; absent before the first read. */
  last?: { readonly found: T | null };
}

/** The waiters for one thing. */
interface Group<T> {
  readonly thing: Watched;
  readonly waiters: Set<Waiter<T>>;
}

interface State<T> {
  readonly waiting: Map<number, Group<T>>;
  /** Ids to read next. */
  readonly due: Set<number>;
  readonly look: (things: readonly Watched[]) => Promise<ReadonlyMap<number, T>>;
  readonly pauses: Pauses;
  pauseMs: number;
  isLooking: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

/** `look` reads those of the things that exist, by id. */
export function createWatch<T>(
  look: (things: readonly Watched[]) => Promise<ReadonlyMap<number, T>>,
  pauses: Pauses,
): Watch<T> {
  const state: State<T> = {
    waiting: new Map(),
    due: new Set(),
    look,
    pauses,
    pauseMs: pauses.firstMs,
    isLooking: false,
  };
  return {
    until: (thing, isEnough, options) => waitFor(state, thing, isEnough, options),
    moved(id) {
      if (state.waiting.has(id)) lookSoon(state, id);
    },
  };
}

async function waitFor<T>(
  state: State<T>,
  thing: Watched,
  isEnough: (found: T | null) => boolean,
  { ms, signal, isFresh = false }: { readonly ms: number; readonly signal?: AbortSignal; readonly isFresh?: boolean },
): Promise<T | null> {
  let waiter!: Waiter<T>;
  const result = new Promise<T | null>((resolve, reject) => waiter = { isEnough, resolve, reject });
  const end = () => {
    if (waiter.last !== undefined) return waiter.resolve(waiter.last.found);
    // It was never read: the next read then ends the wait, whatever it finds.
    waiter.isEnough = () => true;
    lookSoon(state, thing.id);
  };
  const timeout = setTimeout(end, ms);
  signal?.addEventListener("abort", end, { once: true });
  const remove = addWaiter(state, thing, waiter);
  if (!isFresh) lookSoon(state, thing.id);
  keepLooking(state);
  if (signal?.aborted) end();
  try {
    return await result;
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener("abort", end);
    remove();
  }
}

/** Gives what removes the waiter again; with the last one, polling ends. */
function addWaiter<T>(state: State<T>, thing: Watched, waiter: Waiter<T>): () => void {
  const { waiting } = state;
  const group = waiting.get(thing.id) ?? { thing, waiters: new Set() };
  waiting.set(thing.id, group);
  group.waiters.add(waiter);
  return () => {
    group.waiters.delete(waiter);
    if (group.waiters.size === 0 && waiting.get(thing.id) === group) waiting.delete(thing.id);
    if (waiting.size > 0) return;
    clearTimeout(state.timer);
    state.timer = undefined;
    state.pauseMs = state.pauses.firstMs;
  };
}

function lookSoon<T>(state: State<T>, id: number): void {
  state.due.add(id);
  void lookAtDue(state);
}

function keepLooking<T>(state: State<T>): void {
  if (state.timer !== undefined || state.waiting.size === 0) return;
  state.timer = setTimeout(async () => {
    state.timer = undefined;
    for (const id of state.waiting.keys()) state.due.add(id);
    await lookAtDue(state);
    state.pauseMs = Math.min(state.pauseMs * 1.5, state.pauses.longestMs);
    keepLooking(state);
  }, state.pauseMs);
}

async function lookAtDue<T>(state: State<T>): Promise<void> {
  if (state.isLooking) return;
  state.isLooking = true;
  try {
    while (state.due.size > 0) {
      // Waits that begin in the same turn of the event loop share the query.
      await Promise.resolve();
      const groups = [...state.due].flatMap((id) => state.waiting.get(id) ?? []);
      state.due.clear();
      // A waiter that is added during the query waits for the next one: this one may have begun before its change.
      const snapshot = groups.map(({ thing, waiters }) => ({ thing, waiters: [...waiters] }));
      if (snapshot.length > 0) await lookAt(state.look, snapshot);
    }
  } finally {
    state.isLooking = false;
  }
}

async function lookAt<T>(
  look: State<T>["look"],
  groups: readonly { readonly thing: Watched; readonly waiters: readonly Waiter<T>[] }[],
): Promise<void> {
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
