/**
 * Carries runs of several organizations at once, in one thread. A run has its turn until it pauses; then the organization
 * that was served least has the next turn, with the run that it has started or with one that waits. So a long run delays
 * others no longer than to its next pause, and no two runs work between the same two pauses.
 *
 * An organization has one run at a time, whose lease is renewed while it waits for its turn, by a clock that never jumps.
 * A plan takes memory, so only one run with a large input is started at a time; a run that turns out to be large beside
 * another returns to the queue.
 */
import type { Hub } from "../hub.ts";
import { RENEW_EVERY_MS } from "../store/lease.ts";
import { LARGE_BYTES, LARGE_ROWS, type Lease, listRunnable, renewLease, type Runnable } from "../store/runs/queue.ts";
import { createStepwise } from "../std/stepwise.ts";
import { GivenBack, type Progress, type RunOptions } from "./stage.ts";
import { createRunTurns, type RunTurns } from "./turns.ts";

const MAX_TOGETHER = 4;
/** How often to look for runs that another process has queued; `look` is for those of this process. */
const LOOK_EVERY_MS = 2_000;
/** How long an organization waits after its run could not be carried because of an error of the hub. */
const REST_MS = 5_000;
const MAX_KNOWN_LARGE = 10_000;

/** How a run is leased (next.ts) and carried (run.ts). */
export interface Carrying<Taken extends { readonly lease: Lease }> {
  take(hub: Hub, runnable: Runnable, options: RunOptions): Promise<Taken | null>;
  carry(hub: Hub, taken: Taken, options: RunOptions): Promise<void>;
}

export interface Carrier {
  /** Gives one organization its turn. `idle`: no organization has a run that can go on. */
  turn(): Promise<"idle" | "paused" | "ended">;
  /** Looks for queued runs at the next turn. */
  look(): void;
  /** Runs that are started. */
  readonly size: number;
}

interface Started {
  readonly runnable: Runnable;
  readonly lease: Lease;
  renewedAt: number;
  isLarge: boolean;
  /** Goes on until the run pauses (false) or ends (true). */
  resume(): Promise<boolean>;
}

interface State {
  readonly hub: Hub;
  readonly options: RunOptions;
  /** Whether a run with this owner can be taken, if this carrier has not started it. */
  readonly isGone: (owner: string) => boolean;
  /** Leases the run and prepares its first turn. Null: another process was faster. */
  readonly take: (runnable: Runnable) => Promise<Started | null>;
  readonly turns: RunTurns;
  /** By organization. */
  readonly started: Map<number, Started>;
  /** Runs that turned out to be large. */
  readonly large: Set<number>;
  /** Organizations whose last run failed because of the hub, and until when they wait. */
  readonly resting: Map<number, number>;
  waiting: readonly Runnable[];
  lookedAt: number;
}

export function createCarrier<Taken extends { readonly lease: Lease }>(
  hub: Hub,
  options: RunOptions,
  { take, carry }: Carrying<Taken>,
): Carrier {
  const started = new Map<number, Started>();
  // A lease of its own that it knows nothing of is one whose answer was lost.
  const isGone = (owner: string) => owner === options.owner || options.isGone?.(owner) === true;
  const state: State = {
    hub,
    options,
    isGone,
    async take(runnable) {
      const taken = await take(hub, runnable, { ...options, isGone });
      return taken && createStarted(state, runnable, taken.lease, (own) => carry(hub, taken, own));
    },
    turns: createRunTurns(),
    started,
    large: new Set(),
    resting: new Map(),
    waiting: [],
    lookedAt: -Infinity,
  };
  return {
    get size() {
      return started.size;
    },
    look: () => void (state.lookedAt = -Infinity),
    turn: () => giveTurn(state),
  };
}

async function giveTurn(state: State): ReturnType<Carrier["turn"]> {
  const { hub, options, turns, started, resting } = state;
  if (!options.signal.aborted && started.size < MAX_TOGETHER) await lookForRuns(state);
  for (const runnable of candidates(state)) {
    const startedAt = hub.now();
    const run = await start(state, runnable);
    if (run === null) continue;
    await renewLeases(state, run);
    let isEnded = true;
    try {
      isEnded = await run.resume();
    } catch (error) {
      resting.set(runnable.organizationId, performance.now() + REST_MS);
      throw error;
    } finally {
      turns.took(runnable, hub.now() - startedAt);
      if (isEnded) {
        started.delete(runnable.organizationId);
        // The organization's next run can start now.
        state.lookedAt = -Infinity;
      }
    }
    return isEnded ? "ended" : "paused";
  }
  if (started.size === 0) turns.forget();
  return "idle";
}

async function lookForRuns(state: State): Promise<void> {
  const { hub, isGone, resting } = state;
  if (performance.now() - state.lookedAt < LOOK_EVERY_MS) return;
  state.lookedAt = performance.now();
  for (const [id, until] of resting) if (until <= state.lookedAt) resting.delete(id);
  state.waiting = await listRunnable(hub.db, hub.now(), null, isGone);
}

/** Runs that may have the turn: those that are started and, while there is room, those that wait. */
function candidates({ options, turns, started, large, resting, waiting }: State): Runnable[] {
  const all = [...started.values()];
  const runnables = all.map(({ runnable }) => runnable);
  if (started.size >= MAX_TOGETHER || options.signal.aborted) return turns.order(runnables);
  const hasLarge = all.some(({ isLarge }) => isLarge);
  const free = waiting.filter(({ id, organizationId, isLarge }) =>
    !started.has(organizationId) && !resting.has(organizationId) && !(hasLarge && (isLarge || large.has(id)))
  );
  return turns.order([...runnables, ...free]);
}

/** The organization's run, leased now if it has not been started. Null: it cannot start any more. */
async function start(state: State, runnable: Runnable): Promise<Started | null> {
  const { hub, isGone, started } = state;
  const already = started.get(runnable.organizationId);
  if (already !== undefined) return already;
  state.waiting = state.waiting.filter((each) => each !== runnable);
  // It was listed some time ago, and its connection may have been paused since.
  if ((await listRunnable(hub.db, hub.now(), runnable.id, isGone)).length === 0) return null;
  const run = await state.take(runnable);
  if (run !== null) started.set(runnable.organizationId, run);
  return run;
}

/** A run that works only during its turns, and returns to the queue when it is large beside another large one. */
function createStarted(
  { options, started, large }: State,
  runnable: Runnable,
  lease: Lease,
  carry: (options: RunOptions) => Promise<void>,
): Started {
  const stop = new AbortController();
  const steps = createStepwise(() => carry({ ...options, signal: stop.signal, onProgress, pause }));
  const run: Started = {
    runnable,
    lease,
    renewedAt: performance.now(),
    isLarge: runnable.isLarge || large.has(runnable.id),
    resume: steps.resume,
  };

  function onProgress(progress: Progress): void {
    options.onProgress?.(progress);
    if (run.isLarge || !isLarge(progress)) return;
    run.isLarge = true;
    if (large.size >= MAX_KNOWN_LARGE) large.clear();
    large.add(runnable.id);
  }

  async function pause(): Promise<void> {
    if (run.isLarge && [...started.values()].some((other) => other !== run && other.isLarge)) {
      stop.abort(new GivenBack());
    } else {
      await steps.pause();
      if (options.signal.aborted) stop.abort(options.signal.reason);
    }
    stop.signal.throwIfAborted();
  }
  return run;
}

/** Renews the leases of runs that wait for their turn; `run` is about to go on, and renews its own. */
async function renewLeases({ hub, started }: State, run: Started): Promise<void> {
  const now = performance.now();
  run.renewedAt = now;
  const late = [...started.values()].filter(({ renewedAt }) => now - renewedAt >= RENEW_EVERY_MS);
  for (const each of late) each.renewedAt = now;
  await hub.db.write(late.flatMap(({ lease }) => renewLease(hub.db, lease)));
}

function isLarge({ phase, done }: Progress): boolean {
  if (phase === "apply") return false;
  return done > (phase === "decrypt" ? LARGE_BYTES : LARGE_ROWS);
}
