/** Deliveries to webhook endpoints: read with their attempts, and retry. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import {
  type Attempt,
  type Claimed,
  type Delivery,
  findDelivery,
  listAttempts,
  retryDelivery,
} from "../../store/notify/deliveries.ts";
import { ALL_ORGANIZATIONS } from "../../store/notify/endpoints.ts";
import { lacksToSee } from "../../model/scope.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { byId, loader } from "../kit/load.ts";

export const DELIVERY = z.strictObject({
  id: idOf("dlv"),
  endpoint_id: idOf("whe"),
  organization: idOf("org").nullable().meta({ description: "Where the event happened; null: in none" }),
  event_id: idOf("evt"),
  type: z.string().meta({ examples: ["run.held"] }),
  status: z.enum(["pending", "succeeded", "failed"]),
  attempt_count: z.int().min(0),
  next_attempt_at: INSTANT.nullable(),
  created_at: INSTANT,
  finished_at: INSTANT.nullable(),
}).meta({ id: "Delivery" });

export type DeliveryView = z.infer<typeof DELIVERY>;

const ATTEMPT = z.strictObject({
  number: z.int().min(1),
  at: INSTANT,
  latency_ms: z.int().min(0),
  status: z.int().nullable().meta({ description: "Status of the answer; null without one", examples: [204] }),
  error: z.string().nullable().meta({ description: "Why it failed; null for a success", examples: [null] }),
  answer: z.string().nullable().meta({
    description: "Start of the answer's body; null for a token with fewer scopes than the endpoint",
    examples: [""],
  }),
});

const DELIVERY_READ = DELIVERY.extend({ attempts: z.array(ATTEMPT) }).meta({ id: "DeliveryWithAttempts" });

export type DeliveryRead = z.infer<typeof DELIVERY_READ>;

/** A delivery without its attempts. */
export function viewDelivery(delivery: Delivery): DeliveryView {
  return {
    id: encodeId("dlv", delivery.id),
    endpoint_id: encodeId("whe", delivery.endpointId),
    organization: delivery.organizationId === ALL_ORGANIZATIONS ? null : encodeId("org", delivery.organizationId),
    event_id: encodeId("evt", delivery.eventId),
    type: delivery.type,
    status: delivery.status,
    attempt_count: delivery.attempts,
    next_attempt_at: delivery.status === "pending" ? toInstant(delivery.dueAt) : null,
    created_at: toInstant(delivery.createdAt),
    finished_at: toInstantOrNull(delivery.finishedAt),
  };
}

function viewAttempt(attempt: Attempt, open: boolean): z.infer<typeof ATTEMPT> {
  return {
    number: attempt.number,
    at: toInstant(attempt.at),
    latency_ms: attempt.latencyMs,
    status: attempt.statusCode,
    error: attempt.error,
    answer: open ? attempt.answer : null,
  };
}

const loadDelivery = loader<Claimed>("delivery", byId("dlv", findDelivery), ALL_ORGANIZATIONS);

const get = route(
  describe("getDelivery", "Get a delivery", { 200: json(DELIVERY_READ) }, {
    description: "Its status and every attempt, with the receiver's status, latency and the start of its answer.",
  }),
  requires("webhooks:read"),
  async (c) => {
    const { delivery, endpoint } = await loadDelivery(c);
    const attempts = await listAttempts(c.get("hub").db, delivery);
    // A receiver's answer may repeat the event, so it is shown only to tokens that may read the event.
    const open = lacksToSee(c.get("token").scopes, endpoint.scopes).length === 0;
    return c.json({ ...viewDelivery(delivery), attempts: attempts.map((each) => viewAttempt(each, open)) });
  },
);

const retry = route(
  describe("retryDelivery", "Retry a delivery", { 202: json(DELIVERY) }, {
    description: "Sends it again at once, whatever its status; also one that has succeeded. Refused while " +
      "it is being sent or the endpoint is disabled.",
    faults: ["conflict"],
  }),
  requires("webhooks:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now, wake } = c.get("hub");
    const loaded = await loadDelivery(c);
    const again = await retryDelivery(db, loaded, now(), byOf(c));
    if (again === null) {
      throw new Fault(
        "conflict",
        loaded.endpoint.status === "disabled"
          ? "The delivery's endpoint is disabled; enable it first"
          : "The delivery is being sent",
      );
    }
    wake();
    return c.json(viewDelivery(again), 202);
  },
);

export const deliveryRoutes: Hono<Env> = new Hono<Env>()
  .get("/:id", ...get)
  .post("/:id/retry", ...retry);
