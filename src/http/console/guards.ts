/** What is checked before the console's pages: somebody is signed in, may see the organization, and sent the form themselves. */
import type { Context, MiddlewareHandler } from "hono";
import { Fault } from "../../model/errors.ts";
import { findOrganizationNamed } from "../../store/organizations.ts";
import { actorFrom } from "../kit/authorize.ts";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import { readForm } from "../pages/run-page-decisions.ts";
import { basePath } from "../pages/visit.ts";
import { findVisitor } from "./visitor.ts";

/** Marks a page of the console, for the API's document. */
export const PAGE: MiddlewareHandler<Env> = documented((_, next) => next(), { console: true });

/** Sends a stranger to sign in, and back to this page afterwards. */
export const requireVisitor: MiddlewareHandler<Env> = async (c, next) => {
  const visitor = await findVisitor(c);
  if (visitor === null) {
    const to = c.req.method === "GET" ? new URL(c.req.url) : null;
    const back = to === null ? "" : `?to=${encodeURIComponent(to.pathname + to.search)}`;
    return c.redirect(`${basePath(c)}/sign-in${back}`, 303);
  }
  c.set("visitor", visitor);
  c.set("token", visitor.bearer);
  c.set("by", actorFrom(c, visitor.bearer));
  await next();
};

/** Finds the organization in the path. Somebody else's is not there. */
export const requireOrganization: MiddlewareHandler<Env> = async (c, next) => {
  const { bearer: { scopes, organizationId } } = c.get("visitor")!, slug = pathParameter(c, "organization");
  const found = await findOrganizationNamed(c.get("hub").db, slug);
  if (found === null || (found.id !== organizationId && !scopes.includes("operator"))) {
    throw new Fault("not_found", `There is no organization "${slug}" that you can see`);
  }
  c.set("organization", found);
  await next();
};

/**
 * Refuses what another site made the browser send: by what browsers say of where a request comes from, and by the token
 * that only the session's own forms have.
 */
export function requireOwnForm(c: Context<Env>, formToken: string | null): void {
  requireSameOrigin(c);
  if (formToken === null || formToken !== c.get("visitor")!.formToken) throw new Fault("forbidden", FOREIGN);
}

const FOREIGN = "The form is not from this page, or you have signed in anew since; load the page again and repeat it";

/** Fetch Metadata says it; browsers without it send the origin. */
export function requireSameOrigin(c: Context<Env>): void {
  const site = c.req.header("sec-fetch-site"), origin = c.req.header("origin");
  const isOwn = site !== undefined ? site === "same-origin" : origin === undefined || isOwnOrigin(c, origin);
  if (!isOwn) throw new Fault("forbidden", FOREIGN);
}

function isOwnOrigin(c: Context<Env>, origin: string): boolean {
  return [c.get("hub").publicUrl, c.req.url].some((url) => new URL(url).origin === origin);
}

/** Of forms with keys and settings in them. */
export const MAX_LONG_FORM_BYTES = 256 * 1024;

/** Reads a form that has fields alone. Fails with `forbidden` unless it is the session's own. */
export async function readOwnForm(c: Context<Env>, maxBytes?: number): Promise<URLSearchParams> {
  const form = await readForm(c, maxBytes);
  requireOwnForm(c, form.get("form"));
  return form;
}
