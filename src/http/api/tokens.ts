/** Tokens of an organization: create, list, read, revoke. A token's text is in one answer and never shown again. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { MAX_LIVE_TOKENS } from "../../model/limits.ts";
import { stopEndpointsOf } from "../../notify/switch-off.ts";
import { beyond, type Scope, SCOPES } from "../../model/scope.ts";
import { findConnection } from "../../store/connections/connections.ts";
import { findOrganizationNamed } from "../../store/organizations.ts";
import {
  createToken,
  deleteToken,
  findMakers,
  findToken,
  listTokens,
  type Maker,
  type Token,
} from "../../store/tokens.ts";
import { DAY_MS, toInstant, toInstantOrNull } from "../../std/time.ts";
import { createTokenText, hashToken } from "../../security/token.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, json, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { idOf, INSTANT, listOf, SHOWN_ONCE, SHOWN_ONCE_CODE } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NAME } from "../kit/values.ts";
import type { Database } from "../../store/database.ts";
import { answerList, PAGED, type Place } from "../kit/paging.ts";
import { byId, loader } from "../kit/load.ts";

const NEW = z.strictObject({
  name: NAME,
  scopes: z.array(z.enum(SCOPES)).min(1, "should name at least one scope"),
  /** Slugs or ids of the organizations that a bridge with this token may serve; by default all. */
  organizations: z.array(z.string().max(100)).min(1).max(1000).optional(),
  /** Slug or id of the connection whose SCIM the token is for. */
  connection: z.string().max(100).optional(),
  /** Null: never. */
  expires_in_days: z.number().int().min(1).max(3650).nullable().default(90),
});

const STOPPED = z.strictObject({ webhook_endpoints: z.array(idOf("whe")) }).meta({ id: "TokenDeleted" });

const TOKEN = z.strictObject({
  id: idOf("tok"),
  name: z.string().meta({ examples: ["HR script"] }),
  scopes: z.array(z.string()).readonly().meta({ examples: [["drops:write", "runs:read"]] }),
  organizations: z.array(idOf("org")).nullable().meta({
    description: "Organizations that a bridge with this token may serve; null: all",
    examples: [null],
  }),
  connection: idOf("con").nullable().meta({
    description: "The connection whose SCIM the token is for; null: none",
    examples: [null],
  }),
  expires_at: INSTANT.nullable(),
  last_used_at: INSTANT.nullable(),
  created_by: z.strictObject({
    kind: z.string().meta({ examples: ["token"] }),
    id: z.string().nullable().meta({ examples: ["tok_1"] }),
    name: z.string().nullable().meta({ examples: ["Admin"] }),
  }).nullable().meta({ description: "As the audit names them" }),
  created_at: INSTANT,
}).meta({ id: "Token" });

export type TokenView = z.infer<typeof TOKEN>;

const NEW_TOKEN = TOKEN.extend({
  token: SHOWN_ONCE.meta({ examples: ["mus_…"] }),
  ...SHOWN_ONCE_CODE,
}).meta({ id: "NewToken" });

export type NewTokenView = z.infer<typeof NEW_TOKEN>;

function viewToken(token: Token, maker: Maker | null): TokenView {
  return {
    id: encodeId("tok", token.id),
    name: token.name,
    scopes: token.scopes,
    organizations: token.serves?.map((id) => encodeId("org", id)) ?? null,
    connection: token.connectionId === null ? null : encodeId("con", token.connectionId),
    expires_at: toInstantOrNull(token.expiresAt),
    last_used_at: toInstantOrNull(token.lastUsedAt),
    created_by: maker,
    created_at: toInstant(token.createdAt),
  };
}

const loadToken = loader("token", byId("tok", findToken));

const create = route(
  describe("createToken", "Create a token", { 201: json(NEW_TOKEN) }, {
    description: "The token's text is in this answer only. It cannot have scopes that the caller's token " +
      "lacks, and expires after 90 days by default. An organization has at most 200.",
    faults: ["conflict"],
  }),
  requires("tokens:write"),
  jsonBody(NEW),
  async (c) => {
    const input = c.req.valid("json");
    const { db, now } = c.get("hub");
    const lacking = beyond(c.get("token").scopes, input.scopes);
    if (lacking.length > 0) {
      throw new Fault(
        "forbidden",
        `The token lacks the scope ${lacking.map((scope) => `"${scope}"`).join(", ")} itself and cannot grant it`,
      );
    }
    const serves = input.organizations === undefined ? null : await readServes(c, input.scopes, input.organizations);
    const connectionId = await readConnection(c, input.scopes, input.connection);
    const text = createTokenText();
    const stored = {
      name: input.name,
      scopes: [...new Set(input.scopes)],
      serves,
      connectionId,
      hash: hashToken(text),
      expiresAt: input.expires_in_days === null ? null : now() + input.expires_in_days * DAY_MS,
    };
    const token = await createToken(db, c.get("organization").id, stored, now(), byOf(c), MAX_LIVE_TOKENS);
    const { kind, id, name } = byOf(c);
    return c.json({ ...viewToken(token, { kind, id, name }), token: text } satisfies NewTokenView, 201);
  },
);

const list = route(
  describe("listTokens", "List tokens", { 200: listOf(TOKEN) }, {
    description: "Names, scopes, expiry and last use of the organization's tokens; never their texts.",
  }),
  requires("tokens:write"),
  PAGED,
  (c) => answerList(c, "tokens", listMade, ({ token }) => token.id, ({ token, maker }) => viewToken(token, maker)),
);

const get = route(
  describe("getToken", "Get a token", { 200: json(TOKEN) }, {
    description: "Its name, scopes, expiry and last use; never its text.",
  }),
  requires("tokens:write"),
  async (c) => {
    const token = await loadToken(c);
    const makers = await findMakers(c.get("hub").db, c.get("organization").id, [token]);
    return c.json(viewToken(token, makers.get(token.id) ?? null));
  },
);

const remove = route(
  describe("deleteToken", "Revoke a token", {
    200: json(STOPPED, {}, "These endpoints were stopped with it"),
    204: NOTHING,
  }, {
    description: "It stops working at once, and so do the webhook endpoints that it created: 200 lists " +
      "them, 204 means there were none.",
  }),
  requires("tokens:write"),
  async (c) => {
    const token = await loadToken(c);
    // A token that could revoke tokens with more scopes could lock out their owners.
    const lacking = beyond(c.get("token").scopes, token.scopes as Scope[]);
    if (lacking.length > 0) {
      throw new Fault("forbidden", `The token lacks the scope "${lacking[0]}" of the token to delete`);
    }
    const { db, now } = c.get("hub");
    const stop = () => stopEndpointsOf(c.get("hub"), { kind: "token", id: encodeId("tok", token.id) }, byOf(c));
    // Endpoints are stopped first, so that a request that breaks off can be repeated; and again after the deletion, in
    // case the token has created one in between.
    const stopped = await stop();
    if (!await deleteToken(db, c.get("organization").id, token.id, now(), byOf(c))) {
      throw new Fault("not_found", `There is no token "${c.req.param("id")}"`);
    }
    stopped.push(...await stop());
    if (stopped.length === 0) return c.body(null, 204);
    c.get("hub").wake();
    return c.json({ webhook_endpoints: stopped } satisfies z.infer<typeof STOPPED>);
  },
);

export const tokenRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .delete("/:id", ...remove);

/** A page of tokens, each with its maker. */
async function listMade(db: Database, organizationId: number, place: Place) {
  const tokens = await listTokens(db, organizationId, place);
  const makers = await findMakers(db, organizationId, tokens);
  return tokens.map((token) => ({ token, maker: makers.get(token.id) ?? null }));
}

/** A token for SCIM is one of one connection and does nothing else: it is kept by an identity provider. */
async function readConnection(
  c: Context<Env>,
  scopes: readonly Scope[],
  name: string | undefined,
): Promise<number | null> {
  const isForScim = scopes.includes("scim");
  if (!isForScim && name === undefined) return null;
  if (!isForScim || name === undefined || scopes.length > 1) {
    throw new Fault("invalid_request", 'A token with the scope "scim" names its connection, and has no other scope', {
      errors: [{ pointer: "/connection", detail: isForScim ? "is required" : "is not allowed" }],
    });
  }
  const connection = await findConnection(c.get("hub").db, c.get("organization").id, name);
  if (connection?.connector === "scim") return connection.id;
  throw new Fault("invalid_request", `There is no connection "${name}" with the connector "scim"`, {
    errors: [{ pointer: "/connection", detail: 'should be a connection with the connector "scim"' }],
  });
}

async function readServes(c: Context<Env>, scopes: readonly Scope[], names: readonly string[]): Promise<number[]> {
  if (!scopes.includes("bridge")) {
    throw new Fault("invalid_request", `Only a token with the scope "bridge" can be limited to organizations`, {
      errors: [{ pointer: "/organizations", detail: "is not allowed" }],
    });
  }
  return await Promise.all(names.map(async (name, i) => {
    const found = await findOrganizationNamed(c.get("hub").db, name);
    if (found !== null) return found.id;
    throw new Fault("invalid_request", `There is no organization "${name}"`, {
      errors: [{ pointer: `/organizations/${i}`, detail: "should be the slug or id of an organization" }],
    });
  }));
}
