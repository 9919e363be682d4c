/** Who asks, in which organization, and whether they may. */
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault } from "../errors.ts";
import { encodeId } from "../id.ts";
import { allows, type Scope } from "../scope.ts";
import { findOrganization, findOrganizationNamed, type Organization } from "../store/organizations.ts";
import { findTokenByHash, type Token, touchToken } from "../store/tokens.ts";
import { hashToken, isTokenText } from "../token.ts";
import type { Hub } from "../hub.ts";
import { telling } from "./describe.ts";
import type { Env } from "./env.ts";

/** Last use is noted this coarsely, so that reading never waits for a write. */
const TOUCH_EVERY_MS = 5 * 60 * 1000;

const letIn: MiddlewareHandler<Env> = async (c, next) => {
  const hub = c.get("hub");
  const token = await findToken(hub, c.req.header("authorization"));
  c.set("token", token);
  c.set("organization", await findScene(hub, token, c.req.header("muster-organization")));
  if (hub.now() - (token.lastUsedAt ?? 0) >= TOUCH_EVERY_MS) {
    const touched = touchToken(hub.db, token.id, hub.now()).catch(() => hub.log("token_not_touched"));
    keepAlive(c, touched);
  }
  await next();
};

/** Lets a request in that carries a valid token, and settles the organization that it acts in. */
export const authenticate = telling(letIn, {
  token: [],
  headers: [{
    name: "Muster-Organization",
    description: "Id or slug of the organization to act in; another than the token's own needs the scope `operator`",
    schema: z.string().meta({ examples: ["default"] }),
  }],
  faults: ["unauthorized", "forbidden", "not_found", "internal"],
});

/** Lets a request through whose token has the scope. */
export function requires(scope: Scope): MiddlewareHandler<Env> {
  return telling<MiddlewareHandler<Env>>(async (c, next) => {
    if (!allows(c.get("token").scopes, scope)) {
      throw new Fault("forbidden", `The token lacks the scope "${scope}"`);
    }
    await next();
  }, { token: [scope], faults: ["forbidden"] });
}

async function findToken(hub: Hub, header: string | undefined): Promise<Token> {
  if (header === undefined) {
    throw new Fault("unauthorized", "The request has no token; send one as Authorization: Bearer mus_…");
  }
  const text = /^bearer +(\S+) *$/i.exec(header)?.[1];
  if (text === undefined || !isTokenText(text)) {
    throw new Fault("unauthorized", "The token is mistyped or cut off; it should be mus_ and 36 letters and digits");
  }
  const token = await findTokenByHash(hub.db, await hashToken(text));
  if (token === null) throw new Fault("unauthorized", "There is no such token; it may have been deleted");
  if (token.expiresAt !== null && token.expiresAt <= hub.now()) {
    throw new Fault("unauthorized", `The token expired at ${new Date(token.expiresAt).toISOString()}`);
  }
  return token;
}

async function findScene(hub: Hub, token: Token, wanted: string | undefined): Promise<Organization> {
  const own = await findOrganization(hub.db, token.organizationId);
  if (own === null) throw new Fault("unauthorized", "The token's organization is gone");
  if (!token.scopes.includes("operator")) {
    if (wanted === undefined || wanted === own.slug || wanted === encodeId("org", own.id)) return own;
    throw new Fault("forbidden", `The token lacks the scope "operator", which acting in another organization needs`);
  }
  const scene = await findOrganizationNamed(hub.db, wanted ?? "default");
  if (scene !== null) return scene;
  if (wanted === undefined) return own;
  throw new Fault("not_found", `There is no organization "${wanted}"`);
}

/** On Workers, what outlives the answer must be said; elsewhere there is nobody to say it to. */
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
