/** Authenticates requests, finds the organization that they act in, and checks their scopes. */
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { ROLES } from "../../model/role.ts";
import { allows, type Scope } from "../../model/scope.ts";
import type { Hub } from "../../hub.ts";
import { isJwt, type OpenId } from "../../security/openid.ts";
import { recordRefusal, sealAudit } from "../../store/audit.ts";
import { findOrganization, findOrganizationNamed, type Organization } from "../../store/organizations.ts";
import type { Member } from "../../store/members.ts";
import { findTokenByHash, type Token, touchToken } from "../../store/tokens.ts";
import { hashToken, isTokenText } from "../../security/token.ts";
import { documented } from "./describe.ts";
import type { Bearer, Env } from "./env.ts";

/** How often a token's last use is recorded. The recording does not delay the request. */
const TOUCH_EVERY_MS = 5 * 60 * 1000;

/** How often the refusal of the same token is recorded. */
const REFUSED_EVERY_MS = 5 * 60 * 1000;

/** Requests that the console makes of the API for who is signed in. None that came over the network is among them. */
const made = new WeakMap<Request, Bearer>();

/** Lets the API take the request for one of this bearer, whose scopes it checks as always. */
export function sentBy(bearer: Bearer, request: Request): Request {
  made.set(request, bearer);
  return request;
}

const identify: MiddlewareHandler<Env> = async (c, next) => {
  const hub = c.get("hub");
  const known = made.get(c.req.raw);
  const { token, lastUsedAt } = known === undefined
    ? await findBearer(c, c.req.header("authorization"))
    : { token: known, lastUsedAt: hub.now() };
  c.set("token", token);
  c.set("by", actorFrom(c, token));
  c.set("organization", await findOrganizationFor(c, token, c.req.header("muster-organization")));
  if (token.id !== null && hub.now() - (lastUsedAt ?? 0) >= TOUCH_EVERY_MS) {
    const touched = touchToken(hub.db, token.id, hub.now()).catch(() => hub.log("token_not_touched"));
    keepAlive(c, touched);
  }
  await next();
  if (READS.has(c.req.method) || c.error !== undefined) return;
  // The request's audit entries are written with its changes. They are chained after the answer, or at the next tick.
  keepAlive(c, sealAudit(hub.db, c.get("organization").id).catch(() => hub.log("audit_not_sealed")));
};

/** Requires a valid token, and sets the organization that the request acts in. */
export const authenticate = documented(identify, {
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

/** The actor of the request, for the audit. */
export function byOf(c: Context<Env>): By {
  return c.get("by");
}

/** The bearer that a stored token makes of its sender. */
export function bearerOf(token: Token): Bearer {
  const { id, name, scopes, organizationId, serves, connectionId } = token;
  return { kind: "token", key: encodeId("tok", id), id, name, scopes, organizationId, serves, connectionId };
}

/** The bearer that a member is, with what their role allows now. */
export function bearerOfMember({ id, organizationId, email, name, role }: Member): Bearer {
  const { scopes } = ROLES[role], key = encodeId("mem", id);
  return {
    kind: "member",
    key,
    id: null,
    member: { id, email, role },
    name: name ?? email,
    scopes,
    organizationId,
    serves: null,
  };
}

/** Whose sessions and links are the bearer's own. Both null: it has none. */
export function ownerFrom({ id, member }: Bearer): { tokenId: number | null; memberId: number | null } {
  return { tokenId: id, memberId: member?.id ?? null };
}

export function actorFrom(c: Context<Env>, { kind, key, name }: Bearer): By {
  if (kind === "own") return { kind: "hub", id: null, name, ...originOf(c) };
  const id = kind === "openid" ? key.slice(key.indexOf(":") + 1) : key;
  return { kind, id, name, ...originOf(c) };
}

/** The actor of a request with a signed link. Links are not stored, so it is known only what the link opens. */
export function byLink(c: Context<Env>, opens: "page" | "csv" | "xlsx" | "json"): By {
  return { kind: "link", id: opens, name: null, ...originOf(c) };
}

/** The actor of a request without a token. The caller replaces what the request proves otherwise. */
export function byAnybody(c: Context<Env>): By {
  return { ...HUB, ...originOf(c) };
}

function originOf(c: Context<Env>): Pick<By, "requestId" | "address"> {
  // An IPv6 socket reports IPv4 clients by mapped addresses.
  const address = c.env?.address?.replace(/^::ffff:(?=\d+\.)/, "") ?? null;
  return { requestId: c.get("requestId"), address };
}

/** Requires that the token has the scope. */
export function requires(scope: Scope): MiddlewareHandler<Env> {
  return documented<MiddlewareHandler<Env>>(async (c, next) => {
    if (!allows(c.get("token").scopes, scope)) {
      const { member } = c.get("token");
      const who = member === undefined ? "The token" : `The role "${member.role}"`;
      throw new Fault("forbidden", `${who} lacks the scope "${scope}"`);
    }
    await next();
  }, { token: [scope], faults: ["forbidden"] });
}

/** `lastUsedAt` is the recorded time of a stored token's last use. */
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
  // An operator needs no organization of its own.
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
  const organizationId = organization.id;
  return { kind: "openid", key: `openid:${subject}`, id: null, name: null, scopes, organizationId, serves: null };
}

/** Records the refusal of a known token in its organization's audit. */
async function refuse(c: Context<Env>, token: Bearer): Promise<void> {
  const { db, now } = c.get("hub");
  const { organizationId, key } = token;
  await recordRefusal(db, actorFrom(c, token), { organizationId, subjects: [key] }, now(), REFUSED_EVERY_MS);
}

async function findOrganizationFor(c: Context<Env>, token: Bearer, wanted: string | undefined): Promise<Organization> {
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
  const found = await findOrganizationNamed(hub.db, wanted ?? "default");
  if (found !== null) return found;
  if (wanted === undefined) return own;
  throw new Fault("not_found", `There is no organization "${wanted}"`);
}

/** Workers stop work that outlives the answer unless it is announced. Other runtimes do not. */
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
