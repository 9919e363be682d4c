/** Webhook endpoints: made, read, changed, switched off and on, tested, given new secrets, sent again what they missed. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { createSecretText, secretPurpose } from "../../notify/message.ts";
import { createTest, listDeliveries } from "../../store/notify/deliveries.ts";
import {
  createEndpoint,
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
  type Endpoint,
  findEndpoint,
  listEndpoints,
  MAX_ENDPOINTS,
  rotateSecret,
  takeOverEndpoint,
  updateEndpoint,
} from "../../store/notify/endpoints.ts";
import { lacksToSee } from "../../model/scope.ts";
import { MAX_REPLAYED, replay } from "../../store/notify/fan-out.ts";
import { EVENT_TYPES } from "../../model/event.ts";
import { reserve } from "../../store/sequences.ts";
import { DAY_MS, parseInstant, toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { DELIVERY, viewDelivery } from "./deliveries.ts";
import { describe, IF_MATCH, json, NOTHING, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { page, PAGING, readCursor } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { LINE, NO_FIELDS } from "../kit/values.ts";
import { requireMatch, withVersion, writeVersion } from "../kit/version.ts";

const INPUT = z.strictObject({
  url: z.string().trim().max(2048, "should have at most 2048 characters"),
  /** Null: every type, those to come too. */
  event_types: z.array(z.enum(EVENT_TYPES)).min(1, "should name at least one type").max(50).nullable(),
  description: LINE.max(1000, "should have at most 1000 characters").nullable(),
});
const NEW = INPUT.partial({ event_types: true, description: true });
const CHANGES = INPUT.extend({ status: z.enum(["enabled", "disabled"]) }).partial();

const MOMENT = z.string().transform((text, context) => {
  const instant = parseInstant(text);
  if (instant !== null) return instant;
  context.addIssue("should be a date or an instant, like 2026-03-01T08:00:00Z");
  return z.NEVER;
});
const REPLAY = z.strictObject({ since: MOMENT, until: MOMENT.optional() });

const FILTER = z.strictObject({
  ...PAGING,
  status: z.enum(["pending", "succeeded", "failed"]).optional().meta({
    description: "Deliveries with this status only",
  }),
});

const ENDPOINT = z.strictObject({
  id: idOf("whe"),
  url: z.string().meta({ examples: ["https://hooks.example.com/muster"] }),
  description: z.string().nullable().meta({ examples: ["Alerts"] }),
  event_types: z.array(z.string()).readonly().nullable()
    .meta({ description: "Null: every type, those to come too", examples: [["run.held", "run.failures"]] }),
  status: z.enum(["enabled", "disabled"]),
  scopes: z.array(z.string()).readonly().meta({
    description:
      "Its maker's, when it was made or taken over: it is sent no more than that, and its links allow no more",
    examples: [["webhooks:write", "users:read"]],
  }),
  token: z.string().nullable().meta({
    description: "The token that it ends with; null: none, or not known",
    examples: ["tok_2"],
  }),
  disabled_reason: z.enum(["gone", "failing", "asked", "revoked"]).nullable().meta({ examples: [null] }),
  disabled_at: INSTANT.nullable().meta({ examples: [null] }),
  failing_since: INSTANT.nullable().meta({ examples: [null] }),
  secret: z.strictObject({ set: z.literal(true), updated_at: INSTANT, previous_until: INSTANT.nullable() })
    .meta({ examples: [{ set: true, updated_at: "2026-03-02T08:00:00.000Z", previous_until: null }] }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "WebhookEndpoint" });

const NEW_SECRET = ENDPOINT.extend({
  secret: z.string().nullable().meta({
    description: "Null in a repeated answer to the same `Idempotency-Key`",
    examples: ["whsec_…"],
  }),
  code: z.literal("shown_once").optional().meta({ description: "Present where a secret is not shown again" }),
}).meta({ id: "WebhookEndpointWithSecret" });

const REPLAYED = z.strictObject({ deliveries: z.int().min(0).meta({ examples: [12] }) });

function viewEndpoint(endpoint: Endpoint): z.infer<typeof ENDPOINT> {
  return {
    id: encodeId("whe", endpoint.id),
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    status: endpoint.status,
    scopes: endpoint.scopes,
    token: endpoint.maker?.startsWith("token:") ? endpoint.maker.slice("token:".length) : null,
    disabled_reason: endpoint.disabledReason,
    disabled_at: toInstantOrNull(endpoint.disabledAt),
    failing_since: toInstantOrNull(endpoint.failingSince),
    secret: {
      set: true,
      updated_at: toInstant(endpoint.secretUpdatedAt),
      previous_until: toInstantOrNull(endpoint.previousUntil),
    },
    version: endpoint.version,
    created_at: toInstant(endpoint.createdAt),
    updated_at: toInstant(endpoint.updatedAt),
  };
}

const create = route(
  describe("createWebhookEndpoint", "Create a webhook endpoint", {
    201: versioned(NEW_SECRET),
  }, {
    description: "Events are sent to its URL from now on, with what this token's scopes allow. The secret " +
      "is in this answer only. At most 100 endpoints.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("webhooks:write"),
  jsonBody(NEW),
  async (c) => {
    const input = c.req.valid("json");
    const { db, now, secrets } = c.get("hub");
    checkUrl(c, input.url);
    const id = await reserve(db, "endpoint");
    const secret = createSecretText();
    const endpoint = await createEndpoint(
      db,
      c.get("organization").id,
      {
        id,
        secret: await secrets.seal(secretPurpose(id), secret),
        url: input.url,
        description: input.description ?? null,
        eventTypes: distinct(input.event_types ?? null),
        scopes: c.get("token").scopes,
      },
      now(),
      byOf(c),
    );
    if (endpoint === null) {
      throw new Fault("conflict", `The organization already has ${MAX_ENDPOINTS} webhook endpoints, the maximum`);
    }
    return withVersion(c, endpoint, { ...viewEndpoint(endpoint), secret }, 201);
  },
);

const list = route(
  describe("listWebhookEndpoints", "List webhook endpoints", { 200: listOf(ENDPOINT) }, {
    description: "All endpoints of the organization with their status; never their secrets.",
  }),
  requires("webhooks:read"),
  query(z.strictObject(PAGING)),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor("webhook-endpoints", cursor) ?? 0;
    const rows = await listEndpoints(c.get("hub").db, c.get("organization").id, { after, limit: limit + 1 });
    return c.json(page("webhook-endpoints", rows, limit, (row) => row.id, viewEndpoint));
  },
);

const get = route(
  describe("getWebhookEndpoint", "Get a webhook endpoint", { 200: versioned(ENDPOINT) }, {
    description: "Its URL, event types and status, with the version for `If-Match`.",
  }),
  requires("webhooks:read"),
  async (c) => {
    const endpoint = await loadEndpoint(c, c.req.param("id"));
    return withVersion(c, endpoint, viewEndpoint(endpoint));
  },
);

const update = route(
  describe("updateWebhookEndpoint", "Update a webhook endpoint", {
    200: versioned(ENDPOINT),
  }, {
    description: "Changes the given fields only; `status` enables or disables it. A new URL or other event " +
      "types need every scope that the endpoint has.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("webhooks:write"),
  jsonBody(CHANGES),
  async (c) => {
    const { status, url, description, event_types } = c.req.valid("json");
    const { db, now } = c.get("hub");
    if (url !== undefined) checkUrl(c, url);
    const changes = {
      ...(url === undefined ? {} : { url }),
      ...(description === undefined ? {} : { description }),
      ...(event_types === undefined ? {} : { eventTypes: distinct(event_types) }),
    };
    const changed = await writeVersion(c, () => loadEndpoint(c, c.req.param("id")), async (current) => {
      const turns = status !== undefined && status !== current.status;
      if (url !== undefined && url !== current.url) requireNoLess(c, current, "change its URL");
      if (event_types !== undefined) requireNoLess(c, current, "change its event types");
      if (turns && current.disabledReason === "revoked") {
        throw new Fault("conflict", "The endpoint stopped with its creator's token; an admin can take it over");
      }
      if (turns && status === "enabled") return await enableEndpoint(db, current, changes, now(), byOf(c));
      if (turns) return await disableEndpoint(db, current, { reason: "asked", changes }, now(), byOf(c));
      if (Object.keys(changes).length === 0) return current;
      return await updateEndpoint(db, current, changes, now(), byOf(c));
    });
    return withVersion(c, changed, viewEndpoint(changed));
  },
);

const remove = route(
  describe("deleteWebhookEndpoint", "Delete a webhook endpoint", { 204: NOTHING }, {
    description: "Its deliveries are deleted too, sent or not.",
    headers: [IF_MATCH],
  }),
  requires("webhooks:write"),
  async (c) => {
    const { db, now } = c.get("hub");
    await writeVersion(
      c,
      () => loadEndpoint(c, c.req.param("id")),
      async (current) => await deleteEndpoint(db, current, now(), byOf(c)) ? true : null,
    );
    return c.body(null, 204);
  },
);

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
    const endpoint = await loadEnabled(c, c.req.param("id"));
    const delivery = await createTest(db, endpoint, now(), byOf(c));
    if (delivery === null) throw disabled();
    wake();
    return c.json(viewDelivery(delivery), 202);
  },
);

const rotate = route(
  describe("rotateWebhookSecret", "Rotate an endpoint's secret", {
    200: versioned(NEW_SECRET),
  }, {
    description: "The new secret is in this answer only. For 24 hours deliveries are signed with both, so " +
      "that the receiver can change over.",
    headers: [IF_MATCH],
  }),
  requires("webhooks:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now, secrets } = c.get("hub");
    const secret = createSecretText();
    const rotated = await writeVersion(c, () => loadEndpoint(c, c.req.param("id")), async (current) => {
      requireNoLess(c, current, "rotate its secret");
      const sealed = await secrets.seal(secretPurpose(current.id), secret);
      return await rotateSecret(db, current, { secret: sealed, previousUntil: now() + DAY_MS }, now(), byOf(c));
    });
    return withVersion(c, rotated, { ...viewEndpoint(rotated), secret });
  },
);

const takeOver = route(
  describe("takeOverWebhookEndpoint", "Take over a webhook endpoint", {
    200: versioned(ENDPOINT),
  }, {
    headers: [IF_MATCH],
    description: "The endpoint gets the scopes of your token. One that stopped with its creator's token " +
      "starts again, with events from now on.",
  }),
  requires("admin"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now } = c.get("hub");
    const load = () => loadEndpoint(c, c.req.param("id"));
    const { scopes } = c.get("token");
    const taken = await writeVersion(c, load, (current) => takeOverEndpoint(db, current, scopes, now(), byOf(c)));
    return withVersion(c, taken, viewEndpoint(taken));
  },
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
    const endpoint = await loadEnabled(c, c.req.param("id"));
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
    const { limit, cursor, status } = c.req.valid("query");
    const endpoint = await loadEndpoint(c, c.req.param("id"));
    const before = readCursor("deliveries", cursor);
    const filter = { status: status ?? null };
    const rows = await listDeliveries(c.get("hub").db, endpoint, filter, { before, limit: limit + 1 });
    return c.json(page("deliveries", rows, limit, (row) => row.id, viewDelivery));
  },
);

export function webhookEndpointRoutes(): Hono<Env> {
  return new Hono<Env>()
    .post("/", ...create)
    .get("/", ...list)
    .get("/:id", ...get)
    .patch("/:id", ...update)
    .delete("/:id", ...remove)
    .post("/:id/test", ...sendTest)
    .post("/:id/rotate-secret", ...rotate)
    .post("/:id/take-over", ...takeOver)
    .post("/:id/replay", ...replayRange)
    .get("/:id/deliveries", ...listOfEndpoint);
}

async function loadEndpoint(c: Context<Env>, name: string): Promise<Endpoint> {
  const id = decodeId("whe", name);
  const endpoint = id === null ? null : await findEndpoint(c.get("hub").db, c.get("organization").id, id);
  if (endpoint === null) throw new Fault("not_found", `There is no webhook endpoint "${name}"`);
  return endpoint;
}

async function loadEnabled(c: Context<Env>, name: string): Promise<Endpoint> {
  const endpoint = await loadEndpoint(c, name);
  requireMatch(c, endpoint);
  if (endpoint.status === "disabled") throw disabled();
  return endpoint;
}

/** Whoever gets at what an endpoint is sent should be allowed as much as its maker was. */
function requireNoLess(c: Context<Env>, endpoint: Endpoint, to: string): void {
  const lacking = lacksToSee(c.get("token").scopes, endpoint.scopes);
  if (lacking.length === 0) return;
  const named = lacking.map((scope) => `"${scope}"`).join(", ");
  throw new Fault(
    "forbidden",
    `The token lacks the scope ${named} of the endpoint and cannot ${to}; create your own endpoint, or ask an admin`,
  );
}

function disabled(): Fault {
  return new Fault("conflict", "The webhook endpoint is disabled; enable it first");
}

/** What could never be called is refused here already; what its name leads to is judged at each connection. */
function checkUrl(c: Context<Env>, url: string): void {
  const detail = c.get("hub").outbound.refusal(url);
  if (detail !== null) throw new Fault("unprocessable", detail, { errors: [{ pointer: "/url", detail }] });
}

function distinct(types: readonly string[] | null): string[] | null {
  return types === null ? null : [...new Set(types)];
}
