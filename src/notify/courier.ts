/**
 * Sends webhooks, many at once: events become deliveries, and deliveries are claimed, attempted and settled.
 *
 * Attempts spend their time waiting for receivers, so this runs beside everything else that a process does. places.ts
 * limits what one receiver or organization can take.
 */
import type { Hub } from "../hub.ts";
import {
  claimDeliveries,
  type Claimed,
  type Outcome,
  releaseClaimed,
  releaseOfDead,
  releaseUnknown,
  settleDeliveries,
} from "../store/notify/deliveries.ts";
import { findReceiver } from "../store/notify/endpoints.ts";
import { fanOut } from "../store/notify/fan-out.ts";
import { createIdle, type Idle } from "../std/idle.ts";
import { createTurns, type Turns } from "../std/turns.ts";
import { attempt, type AttemptOptions } from "./deliver.ts";
import { createMemory, type Memory } from "./message.ts";
import { createPlaces, type Places } from "./places.ts";
import { disableFailing, switchOff } from "./switch-off.ts";
import { type Holder, RENEW_EVERY_MS } from "../store/lease.ts";
import { forgetSender, renewSender } from "../store/notify/senders.ts";

/** Claimed ahead for one endpoint: each claim is a write. */
const CLAIMED_EACH = 32;
const CLAIMED_EACH_FAILING = 2;
/** Claimed rows in memory, without their bodies: some megabytes. */
const CLAIMED_TOGETHER = 10_000;
/** Outcomes are written together at this interval, which is short enough not to delay the next attempt. */
const SETTLE_EVERY_MS = 50;
const SETTLED_TOGETHER = 500;
const LOOK_FOR_DEAD_EVERY_MS = 5_000;

export interface CourierOptions extends AttemptOptions {
  readonly sender: Holder;
  /** How often to look for due deliveries while there is nothing to do. */
  readonly lookEveryMs: number;
  /** True: returns once nothing is due, instead of waiting for more. */
  readonly untilIdle?: boolean;
}

interface Courier {
  readonly hub: Hub;
  readonly options: CourierOptions;
  readonly places: Places;
  readonly turns: Turns;
  readonly memory: Memory;
  readonly idle: Idle;
  /** Claimed deliveries by endpoint, in the order in which the endpoints have their turn. */
  readonly waiting: Map<number, Claimed[]>;
  /** Claimed deliveries to release, because their endpoint has begun to fail. */
  readonly excess: Claimed[];
  readonly flights: Set<Promise<void>>;
  readonly outcomes: Outcome[];
  /** Endpoints that answered 410. */
  readonly gone: Set<number>;
  deadLookedFor: number;
  /** By a clock that never jumps. */
  renewedAt: number;
  hasClaimed: boolean;
}

/** Sends until the signal is aborted. Attempts in flight are then cancelled, and made again by the next courier. */
export async function runCourier(hub: Hub, options: CourierOptions): Promise<void> {
  const { signal, untilIdle, lookEveryMs } = options;
  const courier: Courier = {
    hub,
    options,
    places: createPlaces(),
    turns: createTurns(),
    memory: createMemory(),
    idle: createIdle(),
    waiting: new Map(),
    excess: [],
    flights: new Set(),
    outcomes: [],
    gone: new Set(),
    deadLookedFor: -Infinity,
    renewedAt: -Infinity,
    hasClaimed: false,
  };
  const { places, turns, memory, idle, waiting, excess, flights, outcomes } = courier;
  signal?.addEventListener("abort", idle.wake, { once: true });
  try {
    while (!signal?.aborted) {
      await renew(courier);
      await releaseDead(courier);
      memory.events.clear();
      memory.endpoints.clear();
      memory.organizations.clear();
      // During a flood of events, some are sent before more are fanned out.
      const more = await fanOut(hub.db, hub.now());
      await settle(courier);
      await releaseClaimed(hub.db, excess.splice(0));
      const claimed = await claim(courier);
      startAll(courier);
      if (untilIdle && !more && claimed === 0 && places.taken === 0 && outcomes.length === 0) return;
      if (places.taken === 0 && waiting.size === 0) turns.forget();
      await idle.wait(more ? 0 : places.taken > 0 || claimed > 0 ? SETTLE_EVERY_MS : lookEveryMs);
    }
  } finally {
    await Promise.all(flights);
    await settle(courier);
    await releaseClaimed(hub.db, [...excess, ...[...waiting.values()].flat()]);
    if (courier.hasClaimed) await forgetSender(hub.db, options.sender);
  }
}

/** Renews the lease of all that is claimed. If it was over, another process has what was not begun. */
async function renew(courier: Courier): Promise<void> {
  const { hub, options, waiting, excess, places } = courier;
  if (performance.now() - courier.renewedAt < RENEW_EVERY_MS) return;
  courier.renewedAt = performance.now();
  if (waiting.size === 0 && excess.length === 0 && places.taken === 0) return;
  if (await renewSender(hub.db, options.sender)) return;
  waiting.clear();
  excess.length = 0;
  hub.log("courier.taken_over");
}

async function releaseDead(courier: Courier): Promise<void> {
  const { hub, options, waiting, excess, flights, outcomes } = courier;
  if (performance.now() - courier.deadLookedFor < LOOK_FOR_DEAD_EVERY_MS) return;
  await releaseOfDead(hub.db, options.sender);
  const known = waiting.size + excess.length + flights.size + outcomes.length;
  if (known === 0) await releaseUnknown(hub.db, options.sender);
  courier.deadLookedFor = performance.now();
}

/** Claims due deliveries of endpoints that have none waiting and have room; returns how many. */
async function claim(courier: Courier): Promise<number> {
  const { hub, options, places, waiting } = courier;
  const held = [...waiting.values()].reduce((sum, { length }) => sum + length, 0);
  if (held >= CLAIMED_TOGETHER) return 0;
  const claimed = await claimDeliveries(hub.db, hub.now(), {
    sender: options.sender,
    busy: [...new Set([...waiting.keys(), ...places.busyEndpoints()])],
    each: CLAIMED_EACH,
    eachFailing: CLAIMED_EACH_FAILING,
    limit: CLAIMED_TOGETHER - held,
  });
  courier.hasClaimed ||= claimed.length > 0;
  for (const each of claimed) {
    const { id, failingSince } = each.endpoint;
    places.noteHealth(id, failingSince !== null);
    waiting.set(id, [...waiting.get(id) ?? [], each]);
  }
  return claimed.length;
}

/** Starts attempts until there is no room: one for each organization in turn, and within it for each endpoint in turn. */
function startAll(courier: Courier): void {
  const { options, places, turns, waiting } = courier;
  if (options.signal?.aborted) return;
  const byOrganization = new Map<number, number[]>();
  for (const [id, [first]] of waiting) {
    const { organizationId } = first!.endpoint;
    const own = byOrganization.get(organizationId);
    if (own === undefined) byOrganization.set(organizationId, [id]);
    else own.push(id);
  }
  while (byOrganization.size > 0 && !places.isFull) {
    for (const [organizationId, own] of turns.order([...byOrganization], ([id]) => id)) {
      if (!startOne(courier, organizationId, own)) byOrganization.delete(organizationId);
    }
  }
}

/** `own`: endpoints of the organization that have deliveries waiting. False: none of them has room. */
function startOne(courier: Courier, organizationId: number, own: number[]): boolean {
  const { places, turns, waiting, flights } = courier;
  if (!places.hasRoomFor(organizationId)) return false;
  for (const id of own) {
    const queue = waiting.get(id);
    if (queue === undefined || !places.hasRoomAt(queue[0]!.endpoint)) continue;
    const flight = send(courier, queue.shift()!).finally(() => flights.delete(flight));
    flights.add(flight);
    // The endpoint goes to the end of the line.
    waiting.delete(id);
    if (queue.length > 0) waiting.set(id, queue);
    own.splice(own.indexOf(id), 1);
    own.push(id);
    turns.took(organizationId, 1);
    return true;
  }
  return false;
}

async function send(courier: Courier, claimed: Claimed): Promise<void> {
  const { hub, options, places, memory, idle, waiting, excess, outcomes, gone } = courier;
  const { id } = claimed.endpoint;
  const leave = places.take(claimed.endpoint);
  try {
    const attempted = await attempt(hub, claimed, { ...options, memory });
    const { outcome } = attempted;
    // A cancelled attempt has no outcome; its claim is released with the others at the end.
    if (options.signal?.aborted && outcome.statusCode === null) {
      waiting.set(id, [...waiting.get(id) ?? [], claimed]);
      return;
    }
    if (attempted.gone) gone.add(id);
    outcomes.push(outcome);
    if (outcome.status === "succeeded") places.noteHealth(id, false);
    else if (outcome.counts) {
      places.noteHealth(id, true);
      excess.push(...(waiting.get(id) ?? []).splice(CLAIMED_EACH_FAILING));
    }
  } finally {
    leave();
    startAll(courier);
    if (places.taken === 0) idle.wake();
  }
}

/** Writes the outcomes, and switches endpoints off that are gone or have failed for too long. */
async function settle({ hub, outcomes, gone }: Courier): Promise<void> {
  while (outcomes.length > 0) {
    const some = outcomes.splice(0, SETTLED_TOGETHER);
    await settleDeliveries(hub.db, some, hub.now());
    const failed = some.filter(({ counts, status }) => counts && status !== "succeeded");
    if (failed.length > 0) await disableFailing(hub);
    for (const { endpointId, organizationId } of failed.filter(({ endpointId }) => gone.has(endpointId))) {
      gone.delete(endpointId);
      const endpoint = await findReceiver(hub.db, organizationId, endpointId);
      if (endpoint?.status === "enabled") await switchOff(hub, endpoint, "gone");
    }
  }
}
