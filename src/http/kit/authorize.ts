/** Who asks, in which organization, and whether they may. */
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { allows, type Scope } from "../../model/scope.ts";
import type { Hub } from "../../hub.ts";
import { isJwt, type OpenId } from "../../security/openid.ts";
import { recordRefusal, sealAudit } from "../../store/audit.ts";
import { findOrganization, findOrganizationNamed, type Organization } from "../../store/organizations.ts";
import { findTokenByHash, type Token, touchToken } from "../../store/tokens.ts";
import { hashToken, isTokenText } from "../../security/token.ts";
import { telling } from "./describe.ts";
import type { Bearer, Env } from "./env.ts";

/** Last use is noted this coarsely, so that reading never waits for a write. */
const TOUCH_EVERY_MS = 5 * 60 * 1000;

/** A stored token that is sent away again and again is recorded this often. */
const REFUSED_EVERY_MS = 5 * 60 * 1000;

const letIn: MiddlewareHandler<Env> = async (c, next) => {
  const hub = c.get("hub");
  const { token, lastUsedAt } = await findBearer(c, c.req.header("authorization"));
  c.set("token", token);
  c.set("by", sayBy(c, token));
  c.set("organization", await findScene(c, token, c.req.header("muster-organization")));
  if (token.id !== null && hub.now() - (lastUsedAt ?? 0) >= TOUCH_EVERY_MS) {
    const touched = touchToken(hub.db, token.id, hub.now()).catch(() => hub.log("token_not_touched"));
    keepAlive(c, touched);
  }
  await next();
  if (READS.has(c.req.method) || c.error !== undefined) return;
  // What the request did is recorded with it; the chain over it follows behind the answer, or at the next tick.
  keepAlive(c, sealAudit(hub.db, c.get("organization").id).catch(() => hub.log("audit_not_sealed")));
};

/** Lets a request in that carries a valid token, and settles the organization that it acts in. */
export const authenticate = telling(letIn, {
  token: [],
  headers: [{
    name: "Muster-Organization",
    description:
      "Id or slug of the organization to act in, by default the token's own; any other needs the scope `operator`",
    schema: z.string().meta({ examples: ["default"] }),
  }],
  faults: ["unauthorized", "forbidden", "not_found", "internal", "unavailable"],
});
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Who asks, for what the request is going to do. */
export function byOf(c: Context<Env>): By {
  return c.get("by");
}

function bearerOf(token: Token): Bearer {
  const { id, name, scopes, organizationId, serves } = token;
  return { kind: "token", key: encodeId("tok", id), id, name, scopes, organizationId, serves };
}

function sayBy(c: Context<Env>, { kind, key, name }: Bearer): By {
  if (kind === "own") {
    return { kind: "hub", id: null, name, requestId: c.get("requestId"), address: addressOf(c) };
  }
  const id = kind === "openid" ? key.slice(key.indexOf(":") + 1) : key;
  return { kind, id, name, requestId: c.get("requestId"), address: addressOf(c) };
}

/** Whoever holds a signed link. A link is stored nowhere, so all there is to say is what it opens. */
export function byLink(c: Context<Env>, opens: "page" | "csv" | "json"): By {
  return { kind: "link", id: opens, name: null, requestId: c.get("requestId"), address: addressOf(c) };
}

/** Whoever comes without a token; what they prove to be instead is for whoever finds out to say. */
export function byAnybody(c: Context<Env>): By {
  return { ...HUB, requestId: c.get("requestId"), address: addressOf(c) };
}

function addressOf(c: Context<Env>): string | null {
  // IPv4 over a socket of IPv6 is still IPv4.
  return c.env?.address?.replace(/^::ffff:(?=\d+\.)/, "") ?? null;
}

/** Lets a request through whose token has the scope. */
export function requires(scope: Scope): MiddlewareHandler<Env> {
  return telling<MiddlewareHandler<Env>>(async (c, next) => {
    if (!allows(c.get("token").scopes, scope)) {
      throw new Fault("forbidden", `The token lacks the scope "${scope}"`);
    }
    await next();
  }, { token: [scope], faults: ["forbidden"] });
}

/** `lastUsedAt`: when a stored token was last used, as far as that was noted. */
async function findBearer(
  c: Context<Env>,
  header: string | undefined,
): Promise<{ token: Bearer; lastUsedAt: number | null }> {
  const hub = c.get("hub");
  if (header === undefined) {
    throw new Fault("unauthorized", "The request has no token; send one as Authorization: Bearer mus_…");
  }
  const text = /^bearer +(\S+) *$/i.exec(header)?.[1];
  if (text !== undefined && hub.openid !== undefined && isJwt(text)) {
    return { token: await findSubject(hub, hub.openid, text), lastUsedAt: null };
  }
  if (text === undefined || !isTokenText(text)) {
    throw new Fault("unauthorized", "The token is malformed; it should be mus_ followed by 36 letters and digits");
  }
  const hash = hashToken(text);
  if (hub.ownBridge !== undefined && hub.ownBridge.tokenHash === hash) {
    return { token: await ownBridge(hub), lastUsedAt: null };
  }
  const token = await findTokenByHash(hub.db, hash);
  if (token === null) throw new Fault("unauthorized", "The token is unknown; it may have been revoked");
  if (token.expiresAt !== null && token.expiresAt <= hub.now()) {
    await refuse(c, bearerOf(token));
    throw new Fault("unauthorized", `The token expired at ${new Date(token.expiresAt).toISOString()}`);
  }
  return { token: bearerOf(token), lastUsedAt: token.lastUsedAt };
}

async function ownBridge(hub: Hub): Promise<Bearer> {
  const home = await findOrganizationNamed(hub.db, "default");
  if (home === null) throw new Fault("unavailable", "The hub has no organization yet");
  const name = "the hub's own bridge";
  return { kind: "own", key: "bridge", id: null, name, scopes: ["bridge"], organizationId: home.id, serves: null };
}

async function findSubject(hub: Hub, openid: OpenId, jwt: string): Promise<Bearer> {
  const { subject, organization: named, scopes } = await openid.verify(jwt, hub.now());
  const claim = openid.organizationClaim;
  // An operator is at home wherever the hub is.
  const name = named ?? (scopes.includes("operator") ? "default" : null);
  if (name === null) {
    throw new Fault("unauthorized", `The token's claim "${claim}" should name one organization, by its id or slug`);
  }
  const organization = await findOrganizationNamed(hub.db, name);
  if (organization === null) {
    throw new Fault(
      "unauthorized",
      `The token's claim "${claim}" names the organization "${name}", which does not exist`,
    );
  }
  return {
    kind: "openid",
    key: `openid:${subject}`,
    id: null,
    name: null,
    scopes,
    organizationId: organization.id,
    serves: null,
  };
}

/** A token that is known and not let in is worth a line in its organization's audit. */
async function refuse(c: Context<Env>, token: Bearer): Promise<void> {
  const { db, now } = c.get("hub");
  const { organizationId, key } = token;
  await recordRefusal(db, sayBy(c, token), { organizationId, subjects: [key] }, now(), REFUSED_EVERY_MS);
}

async function findScene(c: Context<Env>, token: Bearer, wanted: string | undefined): Promise<Organization> {
  const hub = c.get("hub");
  const own = await findOrganization(hub.db, token.organizationId);
  if (own === null) throw new Fault("unauthorized", "The token's organization has been deleted");
  if (!token.scopes.includes("operator")) {
    if (wanted === undefined || wanted === own.slug || wanted === encodeId("org", own.id)) return own;
    await refuse(c, token);
    throw new Fault(
      "forbidden",
      `The token lacks the scope "operator", which is needed to act in another organization`,
    );
  }
  const scene = await findOrganizationNamed(hub.db, wanted ?? "default");
  if (scene !== null) return scene;
  if (wanted === undefined) return own;
  throw new Fault("not_found", `There is no organization "${wanted}"`);
}

/** On Workers, work that outlives the answer must be announced; elsewhere it goes on by itself. */
function keepAlive(
  c: { executionCtx: { waitUntil(promise: Promise<unknown>): void } },
  promise: Promise<unknown>,
): void {
  try {
    c.executionCtx.waitUntil(promise);
  } catch {
    // Not on Workers.
  }
}
