/**
 * What can be done with a webhook endpoint: test it, rotate its secret, take it over, replay events, list its
 * deliveries.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { createSecretText, secretPurpose } from "../../notify/message.ts";
import { createTest, listDeliveries } from "../../store/notify/deliveries.ts";
import { type Endpoint, rotateSecret, takeOverEndpoint } from "../../store/notify/endpoints.ts";
import { MAX_REPLAYED, replay } from "../../store/notify/fan-out.ts";
import { DAY_MS } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { DELIVERY, viewDelivery } from "./deliveries.ts";
import { ENDPOINT, viewEndpoint, WITH_SECRET } from "./webhook-endpoint-view.ts";
import { describe, IF_MATCH, json, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { listOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { MOMENT, NO_FIELDS } from "../kit/values.ts";
import { changeVersion, requireMatch, withVersion, writeVersion } from "../kit/version.ts";
import { loadEndpoint, requireNoLess } from "./webhook-endpoints.ts";

const REPLAY = z.strictObject({ since: MOMENT, until: MOMENT.optional() });

const FILTER = z.strictObject({
  ...PAGING,
  status: z.enum(["pending", "succeeded", "failed"]).optional().meta({
    description: "Deliveries with this status only",
  }),
});

const REPLAYED = z.strictObject({ deliveries: z.int().min(0).meta({ examples: [12] }) });

const sendTest = route(
  describe("testWebhookEndpoint", "Send a test event", { 202: json(DELIVERY) }, {
    description: "Queues one delivery to this endpoint alone, to try out a receiver.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("webhooks:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now, wake } = c.get("hub");
    const endpoint = await loadEnabled(c);
    const delivery = await createTest(db, endpoint, now(), byOf(c));
    if (delivery === null) throw disabled();
    wake();
    return c.json(viewDelivery(delivery), 202);
  },
);

const rotate = route(
  describe("rotateWebhookSecret", "Rotate an endpoint's secret", { 200: versioned(WITH_SECRET) }, {
    description: "The new secret is in this answer only. For 24 hours deliveries are signed with both, so " +
      "that the receiver can change over.",
    headers: [IF_MATCH],
  }),
  requires("webhooks:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const secret = createSecretText();
    const rotated = await writeVersion(c, loadEndpoint, async (db, current, now, by) => {
      requireNoLess(c, current, "rotate its secret");
      const sealed = await c.get("hub").secrets.seal(secretPurpose(current.id), secret);
      return await rotateSecret(db, current, { secret: sealed, previousUntil: now + DAY_MS }, now, by);
    });
    return withVersion(c, rotated, { ...viewEndpoint(rotated), secret });
  },
);

const takeOver = route(
  describe("takeOverWebhookEndpoint", "Take over a webhook endpoint", { 200: versioned(ENDPOINT) }, {
    headers: [IF_MATCH],
    description: "The endpoint gets the scopes of your token. One that stopped with its creator " +
      "starts again, with events from now on.",
  }),
  requires("admin"),
  jsonBody(NO_FIELDS),
  (c) =>
    changeVersion(
      c,
      loadEndpoint,
      (db, current, now, by) => takeOverEndpoint(db, current, c.get("token").scopes, now, by),
      viewEndpoint,
    ),
);

const replayRange = route(
  describe("replayEvents", "Replay events of a time range", { 202: json(REPLAYED) }, {
    description: "Queues new deliveries of at most 10,000 events to this endpoint. Receivers recognize " +
      "repeated events by `webhook-id`.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("webhooks:write"),
  jsonBody(REPLAY),
  async (c) => {
    const { since, until } = c.req.valid("json");
    const { db, now, wake } = c.get("hub");
    const endpoint = await loadEnabled(c);
    const replayed = await replay(db, endpoint, { since, until: until ?? now() + 1 }, now(), byOf(c));
    if (replayed === null) {
      throw new Fault("unprocessable", `More than ${MAX_REPLAYED} events are in this time range; replay it in parts`);
    }
    wake();
    return c.json({ deliveries: replayed }, 202);
  },
);

const listOfEndpoint = route(
  describe("listDeliveries", "List an endpoint's deliveries", {
    200: listOf(DELIVERY),
  }, { description: "The newest first, of one status if asked for." }),
  requires("webhooks:read"),
  query(FILTER),
  async (c) => {
    const endpoint = await loadEndpoint(c);
    const filter = { status: c.req.valid("query").status ?? null };
    return await answerList(
      c,
      "deliveries",
      (db, _, place) => listDeliveries(db, endpoint, filter, place),
      (row) => row.id,
      viewDelivery,
    );
  },
);

export const webhookEndpointActionRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/test", ...sendTest)
  .post("/:id/rotate-secret", ...rotate)
  .post("/:id/take-over", ...takeOver)
  .post("/:id/replay", ...replayRange)
  .get("/:id/deliveries", ...listOfEndpoint);

async function loadEnabled(c: Context<Env>): Promise<Endpoint> {
  const endpoint = await loadEndpoint(c);
  requireMatch(c, endpoint);
  if (endpoint.status === "disabled") throw disabled();
  return endpoint;
}

function disabled(): Fault {
  return new Fault("conflict", "The webhook endpoint is disabled; enable it first");
}
