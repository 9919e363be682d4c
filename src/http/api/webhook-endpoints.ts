/** Webhook endpoints: create, list, read, change, disable and enable, delete. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { createSecretText, secretPurpose } from "../../notify/message.ts";
import {
  ALL_ORGANIZATIONS,
  createEndpoint,
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
  type Endpoint,
  findEndpoint,
  listEndpoints,
  MAX_ENDPOINTS,
  updateEndpoint,
} from "../../store/notify/endpoints.ts";
import { allows, lacksToSee } from "../../model/scope.ts";
import { EVENT_TYPE } from "./event-shapes.ts";
import { reserve } from "../../store/sequences.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { ENDPOINT, viewEndpoint, WITH_SECRET } from "./webhook-endpoint-view.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { listOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { LINE } from "../kit/values.ts";
import { changeVersion, deleteVersion, getVersion, withVersion } from "../kit/version.ts";
import { byId, loader } from "../kit/load.ts";
import { unprocessable } from "../kit/problem.ts";

const INPUT = z.strictObject({
  url: z.string().trim().max(2048, "should have at most 2048 characters"),
  /** Null: every type, future ones too. */
  event_types: z.array(EVENT_TYPE).min(1, "should name at least one type").max(50).nullable(),
  description: LINE.max(1000, "should have at most 1000 characters").nullable(),
  /** Whether `run.failures` has people's values and names; needs `users:read`. */
  include_values: z.boolean(),
});
/** Whose events, where they are not the organization's own alone. */
const ORGANIZATIONS = z.literal("all").meta({
  description: "For those of all organizations; needs the scope `operator`",
});
const NEW = INPUT.partial({ event_types: true, description: true, include_values: true })
  .extend({ organizations: ORGANIZATIONS.optional() });
const FILTER = z.strictObject({ ...PAGING, organizations: ORGANIZATIONS.optional() });
const CHANGES = INPUT.extend({ status: z.enum(["enabled", "disabled"]) }).partial();

export const loadEndpoint = loader("webhook endpoint", byId("whe", findEndpoint), ALL_ORGANIZATIONS);

const create = route(
  describe("createWebhookEndpoint", "Create a webhook endpoint", { 201: versioned(WITH_SECRET) }, {
    description:
      "Events are sent to its URL, with what this token's scopes allow. The secret is in this answer only. At most 100. With `organizations`, an operator makes one for all.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("webhooks:write"),
  jsonBody(NEW),
  async (c) => {
    const input = c.req.valid("json");
    const { db, now, secrets } = c.get("hub");
    const organizationId = ownerOf(c, input.organizations);
    checkUrl(c, input.url);
    if (input.include_values === true) requireValues(c.get("token").scopes);
    const id = await reserve(db, "endpoint");
    const secret = createSecretText();
    const endpoint = await createEndpoint(
      db,
      organizationId,
      {
        id,
        secret: await secrets.seal(secretPurpose(id), secret),
        url: input.url,
        description: input.description ?? null,
        eventTypes: distinct(input.event_types ?? null),
        includeValues: input.include_values ?? false,
        scopes: c.get("token").scopes,
      },
      now(),
      byOf(c),
    );
    if (endpoint === null) {
      const who = organizationId === ALL_ORGANIZATIONS ? "All organizations together have" : "The organization has";
      throw new Fault("conflict", `${who} ${MAX_ENDPOINTS} webhook endpoints already, the maximum`);
    }
    return withVersion(c, endpoint, { ...viewEndpoint(endpoint), secret }, 201);
  },
);

const list = route(
  describe("listWebhookEndpoints", "List webhook endpoints", { 200: listOf(ENDPOINT) }, {
    description: "All endpoints of the organization with their status; never their secrets. With " +
      "`organizations=all`, those for all organizations instead (operators only).",
  }),
  requires("webhooks:read"),
  query(FILTER),
  (c) => {
    const { organizations } = c.req.valid("query");
    const owner = ownerOf(c, organizations);
    return answerList(
      c,
      organizations === undefined ? "webhook-endpoints" : "webhook-endpoints-of-all",
      (db, _, place) => listEndpoints(db, owner, place),
      (row) => row.id,
      viewEndpoint,
    );
  },
);

const get = route(
  describe("getWebhookEndpoint", "Get a webhook endpoint", { 200: versioned(ENDPOINT) }, {
    description: "Its URL, event types and status, with the version for `If-Match`.",
  }),
  requires("webhooks:read"),
  (c) => getVersion(c, loadEndpoint, viewEndpoint),
);

const update = route(
  describe("updateWebhookEndpoint", "Update a webhook endpoint", { 200: versioned(ENDPOINT) }, {
    description: "Changes the given fields only; `status` enables or disables it. A new URL or other event " +
      "types need every scope that the endpoint has.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("webhooks:write"),
  jsonBody(CHANGES),
  async (c) => {
    const input = c.req.valid("json");
    if (input.url !== undefined) checkUrl(c, input.url);
    return await changeVersion(c, loadEndpoint, (_, current) => change(c, current, input), viewEndpoint);
  },
);

const remove = route(
  describe("deleteWebhookEndpoint", "Delete a webhook endpoint", { 204: NOTHING }, {
    description: "Its deliveries are deleted too, sent or not.",
    headers: [IF_MATCH],
  }),
  requires("webhooks:write"),
  (c) => deleteVersion(c, loadEndpoint, deleteEndpoint),
);

export const webhookEndpointRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .delete("/:id", ...remove);

/** The organization whose endpoints are meant, or ALL_ORGANIZATIONS, which is the operator's. */
function ownerOf(c: Context<Env>, organizations: "all" | undefined): number {
  if (organizations === undefined) return c.get("organization").id;
  if (allows(c.get("token").scopes, "operator")) return ALL_ORGANIZATIONS;
  throw new Fault("forbidden", `The token lacks the scope "operator", which endpoints for all organizations need`);
}

/** What the endpoint becomes, or null if it has changed since it was loaded. */
async function change(
  c: Context<Env>,
  current: Endpoint,
  { status, url, description, event_types, include_values }: z.infer<typeof CHANGES>,
): Promise<Endpoint | null> {
  const { db, now } = c.get("hub");
  const changes = {
    ...(url === undefined ? {} : { url }),
    ...(description === undefined ? {} : { description }),
    ...(event_types === undefined ? {} : { eventTypes: distinct(event_types) }),
    ...(include_values === undefined ? {} : { includeValues: include_values }),
  };
  if (url !== undefined && url !== current.url) requireNoLess(c, current, "change its URL");
  if (event_types !== undefined) requireNoLess(c, current, "change its event types");
  if (include_values === true && !current.includeValues) {
    requireNoLess(c, current, "have values sent to it");
    requireValues(current.scopes);
  }
  if (status !== undefined && status !== current.status) {
    if (current.disabledReason === "revoked") {
      throw new Fault(
        "conflict",
        "The endpoint stopped with the token or the member that made it; an admin can take it over",
      );
    }
    return status === "enabled"
      ? await enableEndpoint(db, current, changes, now(), byOf(c))
      : await disableEndpoint(db, current, { reason: "asked", changes }, now(), byOf(c));
  }
  return Object.keys(changes).length === 0 ? current : await updateEndpoint(db, current, changes, now(), byOf(c));
}

/** A token that can redirect an endpoint's events, or read its secret, needs the scopes of the endpoint's creator. */
export function requireNoLess(c: Context<Env>, endpoint: Endpoint, to: string): void {
  const lacking = lacksToSee(c.get("token").scopes, endpoint.scopes);
  if (lacking.length === 0) return;
  const named = lacking.map((scope) => `"${scope}"`).join(", ");
  throw new Fault(
    "forbidden",
    `The token lacks the scope ${named} of the endpoint and cannot ${to}; create your own endpoint, or ask an admin`,
  );
}

/** An endpoint that may not be sent people's values cannot ask for them. */
function requireValues(scopes: readonly string[]): void {
  if (allows(scopes, "users:read")) return;
  throw new Fault("forbidden", `The endpoint lacks the scope "users:read", which include_values needs`);
}

/** Refuses a URL that could never be called. The addresses behind its host name are checked at each connection. */
function checkUrl(c: Context<Env>, url: string): void {
  const detail = c.get("hub").outbound.refusal(url);
  if (detail !== null) throw unprocessable("/url", detail);
}

function distinct(types: readonly string[] | null): string[] | null {
  return types === null ? null : [...new Set(types)];
}
