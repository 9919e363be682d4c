/**
 * Carries runs of several organizations at once in one thread, by turns: a run has its turn until it pauses, and then the
 * least served organization goes on, with its run at hand or with one that waits. So a run of a minute keeps nobody
 * waiting for longer than to its next pause, and never do two of them work between two pauses.
 *
 * One organization has one run at a time, whose lease is renewed while it waits for its turn. Of large inputs one is at
 * work at a time, as a plan takes memory; a run that turns out to be large beside another is given back to the queue.
 */
import type { Hub } from "../hub.ts";
import { LARGE_BYTES, LARGE_ROWS, type Lease, listRunnable, renewLease, type Runnable } from "../store/runs/queue.ts";
import { GivenBack, type Progress, type RunOptions } from "./stage.ts";
import { createRunTurns } from "./turns.ts";

const MAX_TOGETHER = 4;
/** How often to look for what another process queued; `look` is for what this one did. */
const LOOK_EVERY_MS = 2_000;
/** A third of a lease. */
const RENEW_EVERY_MS = 10_000;
/** How long an organization rests whose run could not be carried for a reason of the hub's. */
const REST_MS = 5_000;
const MAX_GIVEN_BACK = 10_000;

/** How a run is leased (next.ts) and carried (run.ts). */
export interface Carrying<Taken extends { readonly lease: Lease }> {
  take(hub: Hub, runnable: Runnable, options: RunOptions): Promise<Taken | null>;
  carry(hub: Hub, taken: Taken, options: RunOptions): Promise<void>;
}

export interface Carrier {
  /** Gives one organization its turn. `idle`: there was none to give it to. */
  turn(): Promise<"idle" | "paused" | "ended">;
  /** Runs may have been queued. */
  look(): void;
  /** Runs at work. */
  readonly size: number;
}

interface Carried {
  readonly runnable: Runnable;
  readonly lease: Lease;
  renewedAt: number;
  isLarge: boolean;
  /** Its run goes on until it pauses (false) or ends (true). */
  goOn(): Promise<boolean>;
}

export function createCarrier<Taken extends { readonly lease: Lease }>(
  hub: Hub,
  options: RunOptions,
  { take, carry }: Carrying<Taken>,
): Carrier {
  const { isGone = () => false } = options;
  const turns = createRunTurns();
  /** By organization. */
  const carried = new Map<number, Carried>();
  /** Runs that have turned out to be large. */
  const large = new Set<number>();
  const resting = new Map<number, number>();
  let waiting: readonly Runnable[] = [];
  let lookedAt = -Infinity;

  async function lookForRuns(): Promise<void> {
    if (Math.abs(hub.now() - lookedAt) < LOOK_EVERY_MS) return;
    lookedAt = hub.now();
    for (const [id, until] of resting) if (until <= lookedAt) resting.delete(id);
    waiting = await listRunnable(hub.db, hub.now(), null, isGone);
  }

  function isTooMuch(runnable: Runnable): boolean {
    return (runnable.isLarge || large.has(runnable.id)) && [...carried.values()].some(({ isLarge }) => isLarge);
  }

  /** Those that could have the turn: runs at work, and, while there is room for it, those that wait. */
  function candidates(): Runnable[] {
    const atWork = [...carried.values()].map(({ runnable }) => runnable);
    if (carried.size >= MAX_TOGETHER || options.signal.aborted) return turns.order(atWork);
    const free = waiting.filter((each) =>
      !carried.has(each.organizationId) && !resting.has(each.organizationId) && !isTooMuch(each)
    );
    return turns.order([...atWork, ...free]);
  }

  function open(runnable: Runnable, taken: Taken): Carried {
    /** Whatever of the run waits for the run's next turn: what reads its input may wait beside what uses it. */
    let paused: (() => void)[] = [];
    let settled: { resolve: (ended: boolean) => void; reject: (error: unknown) => void };
    const run: Carried = {
      runnable,
      lease: taken.lease,
      renewedAt: hub.now(),
      isLarge: runnable.isLarge || large.has(runnable.id),
      goOn: () =>
        new Promise((resolve, reject) => {
          settled = { resolve, reject };
          const now = paused;
          paused = [];
          for (const resume of now) resume();
        }),
    };
    const stop = new AbortController();
    const own: RunOptions = {
      ...options,
      signal: stop.signal,
      onProgress(progress) {
        options.onProgress?.(progress);
        if (!run.isLarge && isLarge(progress)) growLarge(run);
      },
      async pause() {
        const isTooMuch = run.isLarge && [...carried.values()].some((other) => other !== run && other.isLarge);
        if (isTooMuch) stop.abort(new GivenBack());
        else {
          await new Promise<void>((resolve) => {
            paused.push(resolve);
            settled.resolve(false);
          });
          if (options.signal.aborted) stop.abort(options.signal.reason);
        }
        stop.signal.throwIfAborted();
      },
    };
    const begun = new Promise<void>((resolve) => void paused.push(resolve));
    void begun.then(() => carry(hub, taken, own)).then(() => settled.resolve(true), (error) => settled.reject(error));
    return run;
  }

  function growLarge(run: Carried): void {
    run.isLarge = true;
    if (large.size >= MAX_GIVEN_BACK) large.clear();
    large.add(run.runnable.id);
  }

  async function carriedOf(runnable: Runnable): Promise<Carried | null> {
    const { id, organizationId } = runnable;
    const atWork = carried.get(organizationId);
    if (atWork !== undefined) return atWork;
    waiting = waiting.filter((each) => each !== runnable);
    // It was seen some time ago, and its connection may have been paused since.
    if ((await listRunnable(hub.db, hub.now(), id, isGone)).length === 0) return null;
    const taken = await take(hub, runnable, options);
    if (taken === null) return null;
    const run = open(runnable, taken);
    carried.set(organizationId, run);
    return run;
  }

  async function renewOthers(run: Carried): Promise<void> {
    const now = hub.now();
    // The one that goes on renews its own.
    run.renewedAt = now;
    const late = [...carried.values()].filter(({ renewedAt }) => now - renewedAt >= RENEW_EVERY_MS);
    for (const each of late) each.renewedAt = now;
    await hub.db.write(late.flatMap(({ lease }) => renewLease(hub.db, lease)));
  }

  return {
    get size() {
      return carried.size;
    },
    look: () => void (lookedAt = -Infinity),
    async turn() {
      if (!options.signal.aborted && carried.size < MAX_TOGETHER) await lookForRuns();
      for (const runnable of candidates()) {
        const startedAt = hub.now();
        const run = await carriedOf(runnable);
        if (run === null) continue;
        await renewOthers(run);
        let ended = true;
        try {
          ended = await run.goOn();
        } catch (error) {
          resting.set(runnable.organizationId, hub.now() + REST_MS);
          throw error;
        } finally {
          turns.took(runnable, hub.now() - startedAt);
          if (ended) {
            carried.delete(runnable.organizationId);
            // What waited behind it can go on.
            lookedAt = -Infinity;
          }
        }
        return ended ? "ended" : "paused";
      }
      if (carried.size === 0) turns.forget();
      return "idle";
    },
  };
}

function isLarge({ phase, done }: Progress): boolean {
  if (phase === "apply") return false;
  return done > (phase === "decrypt" ? LARGE_BYTES : LARGE_ROWS);
}
