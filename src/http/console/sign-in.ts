/**
 * Signing in and out: by a link that works once, or with a token. A session belongs to a token or a member, and never may
 * more than them.
 */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { whyNoMail } from "../../notify/invitations.ts";
import { hashSecretText, isSecretText } from "../../security/session.ts";
import { hashToken, isTokenText } from "../../security/token.ts";
import { beginByLink, beginSession, endSession, findSignInLink, type SignInLink } from "../../store/sessions.ts";
import { reserve } from "../../store/sequences.ts";
import { findTokenByHash } from "../../store/tokens.ts";
import { findOrganization } from "../../store/organizations.ts";
import { actorFrom, ownerFrom } from "../kit/authorize.ts";
import { route } from "../kit/describe.ts";
import type { Bearer, Env } from "../kit/env.ts";
import { limitLogins } from "../kit/limits.ts";
import { answerPage, type Html, type PageStatus } from "../pages/frame.ts";
import { readForm } from "../pages/run-page-decisions.ts";
import { basePath } from "../pages/base-path.ts";
import { firstPage, refuseInConsole } from "./frame.ts";
import { PAGE, readOwnForm, requireSameOrigin, requireVisitor } from "./guards.ts";
import { askForLink, showLinkSent, viewAskForLink } from "./sign-in-by-mail.ts";
import { bearerFor, dropCookie, findVisitor, keepCookie, newSession } from "./visitor.ts";

const start = route(PAGE, async (c) => {
  const visitor = await findVisitor(c);
  return visitor === null ? await askToSignIn(c, 200, null) : await goHome(c, visitor.bearer);
});

const ask = route(PAGE, (c) => askToSignIn(c, 200, null));

const signIn = route(PAGE, async (c) => {
  requireSameOrigin(c);
  const form = await readForm(c);
  const text = (form.get("token") ?? "").trim();
  const token = isTokenText(text) ? await findTokenByHash(c.get("hub").db, hashToken(text)) : null;
  const bearer = token === null || token.scopes.includes("bridge")
    ? null
    : await bearerFor(c, { organizationId: token.organizationId, tokenId: token.id, memberId: null });
  // The same answer, whatever is wrong with it.
  if (bearer === null) {
    return await askToSignIn(c, 401, "This token does not work. It may be incomplete, expired or revoked.");
  }
  await enter(c, bearer, (row, by) => beginSession(c.get("hub").db, row, by));
  return await goHome(c, bearer, form.get("to"));
});

/** A mail scanner that opens the link must not use it up: it asks first, unless the link was printed on a terminal. */
const openLink = route(PAGE, async (c) => {
  const link = await findLink(c);
  if (link === null) return await refuseLink(c);
  if (link.isDirect && c.req.method === "GET") return await useLink(c, link);
  const organization = await findOrganization(c.get("hub").db, link.organizationId);
  return await answerPage(c, {
    title: "Sign in",
    organization: organization?.name ?? null,
    main: html`
      <section class="card state calm">
        <h1>Sign in to Muster</h1>
        <form method="post" action="${basePath(c)}/sign-in/${c.req.param(
          "link",
        )}"><button class="go">Sign in</button></form>
      </section>
    `,
  });
});

const takeLink = route(PAGE, async (c) => {
  requireSameOrigin(c);
  const link = await findLink(c);
  return link === null ? await refuseLink(c) : await useLink(c, link);
});

const signOut = route(PAGE, requireVisitor, async (c) => {
  await readOwnForm(c);
  const { db, now } = c.get("hub");
  await endSession(db, c.get("visitor")!.session, now(), c.get("by"));
  dropCookie(c);
  return c.redirect(`${basePath(c)}/sign-in`, 303);
});

export const signInRoutes: Hono<Env> = new Hono<Env>().onError(refuseInConsole)
  .get("/", ...start)
  .get("/sign-in", ...ask)
  .post("/sign-in", limitLogins, ...signIn)
  .get("/sign-in-link", ...showLinkSent)
  .post("/sign-in-link", ...askForLink)
  .get("/sign-in/:link", limitLogins, ...openLink)
  .post("/sign-in/:link", limitLogins, ...takeLink)
  .post("/sign-out", ...signOut);

async function findLink(c: Context<Env>): Promise<SignInLink | null> {
  const { db, now } = c.get("hub"), text = c.req.param("link") ?? "";
  return isSecretText(text) ? await findSignInLink(db, hashSecretText(text), now()) : null;
}

async function useLink(c: Context<Env>, link: SignInLink): Promise<Response> {
  const begin: Begin = async (row, by) => {
    if (!await beginByLink(c.get("hub").db, link.hash, row, by)) throw new Fault("not_found", USED);
  };
  const bearer = await bearerFor(c, link);
  if (bearer === null) return await refuseLink(c);
  await enter(c, bearer, begin);
  return await goHome(c, bearer);
}

type Begin = (row: Parameters<typeof beginSession>[1], by: Parameters<typeof beginSession>[2]) => Promise<void>;

/** Begins a session of this stored token or member, and gives the browser its cookie. */
async function enter(c: Context<Env>, bearer: Bearer, begin: Begin): Promise<void> {
  const { text, row } = newSession(c, { organizationId: bearer.organizationId, ...ownerFrom(bearer) });
  await begin({ ...row, id: await reserve(c.get("hub").db, "session") }, actorFrom(c, bearer));
  keepCookie(c, text);
}

const USED = "The link was used already, or has expired; ask for a new one";

function refuseLink(c: Context<Env>): Promise<Response> {
  const main = html`
    <section class="card state plain">
      <h1>This link no longer works</h1>
      <p>${USED}.</p>
      <p><a href="${basePath(c)}/sign-in">Sign in another way</a></p>
    </section>
  `;
  // Counted as a failed log-in.
  return answerPage(c, { title: "This link no longer works", organization: null, main }, 401);
}

async function goHome(
  c: Context<Env>,
  { organizationId, scopes }: Bearer,
  to: string | null = null,
): Promise<Response> {
  const base = basePath(c);
  if (to !== null && isOwnPath(to, base)) return c.redirect(to, 303);
  const organization = await findOrganization(c.get("hub").db, organizationId);
  return c.redirect(`${base}/o/${organization?.slug ?? ""}${firstPage(scopes)}`, 303);
}

/** Only pages of the console: another address could lead to another host. */
function isOwnPath(to: string, base: string): boolean {
  return to.startsWith(`${base}/o/`) && !/[\\\s]/.test(to) && new URL(to, "https://hub.invalid").host === "hub.invalid";
}

function askToSignIn(c: Context<Env>, status: PageStatus, refusal: string | null): Promise<Response> {
  return answerPage(c, { title: "Sign in", organization: null, main: viewSignIn(c, refusal) }, status);
}

function viewSignIn(c: Context<Env>, refusal: string | null): Html {
  return html`
    ${refusal === null ? "" : html`
      <section class="card note bad" role="alert">
        <h2>You are not signed in</h2>
        <p>${refusal}</p>
      </section>
    `}
    ${viewAskForLink(c)}
    <section class="card">
      ${whyNoMail(c.get("hub")) === null ? html`<h2>With a token</h2>` : html`<h1>Sign in to Muster</h1>`}
      <form method="post" action="${basePath(c)}/sign-in" class="fields">
        <input type="hidden" name="to" value="${c.req.query("to") ?? ""}">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required
          aria-describedby="token-help">
        <p id="token-help" class="small soft">It begins with <code>mus_</code>. You see and do here what it allows.</p>
        <div class="decide"><button class="go">Sign in</button></div>
      </form>
    </section>
  `;
}
