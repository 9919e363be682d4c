/** Counts what requests keep open: waits, streams, uploads and explanations, by token and by the token's organization. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import type { Entered, Holder, InFlightKind } from "../../security/in-flight.ts";
import { IN_FLIGHT_RETRY_AFTER_S } from "../../model/limits.ts";
import { callerOf } from "./caller.ts";
import type { Env } from "./env.ts";

const UNCOUNTED: Entered = { isIn: true, leave: () => {} };

const IN_FLIGHT: Readonly<Record<InFlightKind, string>> = {
  waits: "waiting requests",
  streams: "open event streams",
  bodies: "uploads in progress",
  explanations: "explanations in progress",
};

/** Counts one in, by default for the sender of the request. */
export function enter(c: Context<Env>, kind: InFlightKind, holder?: Holder): Entered {
  const { inFlight } = c.get("hub");
  // The hub's own bridge has no limit.
  if (inFlight === undefined || (holder === undefined && c.get("token").kind === "own")) return UNCOUNTED;
  return inFlight.enter(kind, holder ?? { key: callerOf(c), organizationId: c.get("token").organizationId });
}

/** Counts one in, or fails with `too_many_in_flight`. Returns the function that counts it out. */
export function enterOrFail(c: Context<Env>, kind: InFlightKind): () => void {
  const entered = enter(c, kind);
  if (entered.isIn) return entered.leave;
  const whose = entered.of === "token" ? "The token" : "The organization";
  throw new Fault(
    "too_many_in_flight",
    `${whose} already has ${entered.limit} ${IN_FLIGHT[kind]}; retry once one of them has ended`,
    { retryAfterS: IN_FLIGHT_RETRY_AFTER_S },
  );
}

/** Counts one in for the duration of `work`, or fails with `too_many_in_flight`. */
export async function counted<T>(c: Context<Env>, kind: InFlightKind, work: () => Promise<T>): Promise<T> {
  const leave = enterOrFail(c, kind);
  try {
    return await work();
  } finally {
    leave();
  }
}
