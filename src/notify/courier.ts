/**
 * Sends what is due, many at once: events become deliveries, deliveries are claimed, tried and settled.
 *
 * Attempts only wait for others, so this goes on beside everything else a process does. Bounds keep one receiver from
 * delaying another: a few at a time to each, fewer to one that fails, and all failing ones, or all of one organization,
 * never take every place.
 */
import type { Hub } from "../hub.ts";
import {
  claimDeliveries,
  type Claimed,
  type Outcome,
  releaseClaimed,
  releaseOfDead,
  settleDeliveries,
} from "../store/notify/deliveries.ts";
import { type Endpoint, findEndpoint, listFailing } from "../store/notify/endpoints.ts";
import { fanOut } from "../store/notify/fan-out.ts";
import { createIdle } from "../std/idle.ts";
import { createTurns, hasPlace } from "../std/turns.ts";
import { attempt, type AttemptOptions } from "./deliver.ts";
import { createMemory } from "./message.ts";
import { MAX_FAILING_MS, MIN_FAILING_SPAN_MS } from "./schedule.ts";
import { switchOff } from "./switch-off.ts";
import type { Holder } from "../store/lease.ts";
import { MINUTE_MS } from "../std/time.ts";

/** In flight at once. */
const MAX_TOGETHER = 256;
const MAX_FAILING = 128;
const MAX_OF_ORGANIZATION = 64;
const MAX_FAILING_OF_ORGANIZATION = 32;
const MAX_OF_ENDPOINT = 4;
const MAX_OF_FAILING_ENDPOINT = 1;

/** Claimed ahead for one endpoint: each claim is a write. */
const CLAIMED_EACH = 32;
const CLAIMED_EACH_FAILING = 2;
/** Rows without their bodies: some megabytes. */
const CLAIMED_TOGETHER = 10_000;
/** Longer than all that is claimed for one endpoint can take. */
const LEASE_MS = 5 * MINUTE_MS;
/** Outcomes are written together, and an answer's last step does not wait long for that. */
const SETTLE_EVERY_MS = 50;
const LOOK_FOR_DEAD_EVERY_MS = 5_000;

export interface CourierOptions extends AttemptOptions {
  readonly sender: Holder;
  /** How often to look for what is due while there is nothing to do. */
  readonly lookEveryMs: number;
  /** Ends once nothing is due, instead of waiting for more. */
  readonly untilIdle?: boolean;
}

/** Sends until the signal says stop. What is in flight then is broken off, and sent again by whoever comes next. */
export async function runCourier(hub: Hub, options: CourierOptions): Promise<void> {
  const { sender, signal } = options;
  const waiting = new Map<number, Claimed[]>();
  const flying = new Map<number, number>();
  const failing = new Set<number>();
  /** Claimed ahead for endpoints that have turned out to fail. */
  const tooMany: Claimed[] = [];
  const outcomes: Outcome[] = [];
  const turns = createTurns();
  const gone = new Set<number>();
  const memory = createMemory();
  let together = 0, failingTogether = 0, deadLookedFor = 0;
  const flights = new Set<Promise<void>>();
  const ofOrganization = new Map<number, number>(), failingOf = new Map<number, number>();
  const isFailing = (endpoint: Endpoint) => endpoint.failingSince !== null || failing.has(endpoint.id);
  const idle = createIdle();
  signal?.addEventListener("abort", idle.wake, { once: true });

  try {
    while (!signal?.aborted) {
      if (Date.now() - deadLookedFor >= LOOK_FOR_DEAD_EVERY_MS) {
        await releaseOfDead(hub.db, sender, hub.now());
        deadLookedFor = Date.now();
      }
      memory.events.clear();
      memory.endpoints.clear();
      // Of a flood of events some are sent before the next are taken up.
      const more = await fanOut(hub.db, hub.now());
      await settle();
      await releaseClaimed(hub.db, tooMany.splice(0), hub.now());
      const claimed = await claim();
      start();
      if (options.untilIdle && !more && claimed === 0 && together === 0 && outcomes.length === 0) return;
      if (together === 0 && waiting.size === 0) turns.forget();
      await idle.wait(more ? 0 : together > 0 || claimed > 0 ? SETTLE_EVERY_MS : options.lookEveryMs);
    }
  } finally {
    await Promise.all(flights);
    await settle();
    await releaseClaimed(hub.db, [...tooMany, ...[...waiting.values()].flat()], hub.now());
  }

  async function claim(): Promise<number> {
    const held = [...waiting.values()].reduce((sum, { length }) => sum + length, 0);
    if (held >= CLAIMED_TOGETHER) return 0;
    // What waits for an endpoint, or hangs on it, is enough of it.
    const busy = [...new Set([...waiting.keys(), ...[...flying].filter(([id]) => !hasRoom(id)).map(([id]) => id)])];
    const claimed = await claimDeliveries(hub.db, hub.now(), {
      sender,
      busy,
      each: CLAIMED_EACH,
      eachFailing: CLAIMED_EACH_FAILING,
      limit: CLAIMED_TOGETHER - held,
      leaseMs: LEASE_MS,
    });
    for (const each of claimed) {
      const { id, failingSince } = each.endpoint;
      if (failingSince === null) failing.delete(id);
      else failing.add(id);
      waiting.set(id, [...waiting.get(id) ?? [], each]);
    }
    return claimed.length;
  }

  function hasRoom(endpointId: number): boolean {
    const most = failing.has(endpointId) ? MAX_OF_FAILING_ENDPOINT : MAX_OF_ENDPOINT;
    return (flying.get(endpointId) ?? 0) < most;
  }

  /** One for each organization in turn, and of each one for each endpoint in turn, until there is no room. */
  function start(): void {
    if (signal?.aborted) return;
    const byOrganization = new Map<number, number[]>();
    for (const [id, [first]] of waiting) {
      const { organizationId } = first!.endpoint;
      const own = byOrganization.get(organizationId);
      if (own === undefined) byOrganization.set(organizationId, [id]);
      else own.push(id);
    }
    while (byOrganization.size > 0 && together < MAX_TOGETHER) {
      for (const [organizationId, own] of turns.order([...byOrganization], ([id]) => id)) {
        if (!startOne(organizationId, own)) byOrganization.delete(organizationId);
      }
    }
  }

  /** `own`: endpoints of the organization for which something waits. False: none of them has room. */
  function startOne(organizationId: number, own: number[]): boolean {
    const mine = ofOrganization.get(organizationId) ?? 0;
    if (!hasPlace({ mine, taken: together, all: MAX_TOGETHER, most: MAX_OF_ORGANIZATION })) return false;
    for (const id of own) {
      const queue = waiting.get(id);
      if (queue === undefined || !hasRoom(id)) continue;
      if (isFailing(queue[0]!.endpoint) && !hasRoomForFailing(organizationId)) continue;
      const flight = send(queue.shift()!).finally(() => flights.delete(flight));
      flights.add(flight);
      // Behind the others, for the next time.
      waiting.delete(id);
      if (queue.length > 0) waiting.set(id, queue);
      own.splice(own.indexOf(id), 1);
      own.push(id);
      turns.took(organizationId, 1);
      return true;
    }
    return false;
  }

  function hasRoomForFailing(organizationId: number): boolean {
    return failingTogether < MAX_FAILING && (failingOf.get(organizationId) ?? 0) < MAX_FAILING_OF_ORGANIZATION;
  }

  async function send(claimed: Claimed): Promise<void> {
    const { id, organizationId } = claimed.endpoint;
    const asFailing = isFailing(claimed.endpoint);
    count(1);
    try {
      const attempted = await attempt(hub, claimed, { ...options, memory });
      // An attempt that was broken off says nothing: its claim ends with this process.
      if (signal?.aborted && attempted.outcome.statusCode === null) {
        waiting.set(id, [...waiting.get(id) ?? [], claimed]);
        return;
      }
      if (attempted.gone) gone.add(id);
      outcomes.push(attempted.outcome);
      if (attempted.outcome.status === "succeeded") failing.delete(id);
      else if (attempted.outcome.counts) {
        failing.add(id);
        const queue = waiting.get(id) ?? [];
        tooMany.push(...queue.splice(CLAIMED_EACH_FAILING));
      }
    } finally {
      count(-1);
      start();
      if (together === 0) idle.wake();
    }

    function count(by: number): void {
      together += by;
      add(flying, id, by);
      add(ofOrganization, organizationId, by);
      if (!asFailing) return;
      failingTogether += by;
      add(failingOf, organizationId, by);
    }
  }

  async function settle(): Promise<void> {
    while (outcomes.length > 0) {
      const some = outcomes.splice(0, 500);
      await settleDeliveries(hub.db, sender.name, some, hub.now());
      const failed = some.filter(({ counts, status }) => counts && status !== "succeeded");
      if (failed.length > 0) await disableFailing(hub);
      for (const outcome of failed.filter(({ endpointId }) => gone.has(endpointId))) {
        gone.delete(outcome.endpointId);
        const endpoint = await findEndpoint(hub.db, outcome.organizationId, outcome.endpointId);
        if (endpoint?.status === "enabled") await switchOff(hub, endpoint, "gone");
      }
    }
  }
}

function add(counts: Map<number, number>, key: number, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

/** Switches endpoints off that nothing but failures came of for days. */
export async function disableFailing(hub: Hub): Promise<void> {
  const limits = { since: hub.now() - MAX_FAILING_MS, spanMs: MIN_FAILING_SPAN_MS };
  for (const endpoint of await listFailing(hub.db, limits)) await switchOff(hub, endpoint, "failing");
}
