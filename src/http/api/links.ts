/** Opens signed links and audits their use, or refuses them with a page that says why and what to do. */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { type LinkKind, type LinkTerms, openLink, type Refusal } from "../../notify/links.ts";
import { type Allowance, networkOf } from "../../security/rates.ts";
import { recordOpening, revokeLinks } from "../../store/notify/signed-links.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import { byLink, byOf, requires } from "../kit/authorize.ts";
import { describe, NOTHING, PAGE, RETRY_AFTER, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerPage } from "../pages/frame.ts";
import { viewRefusal } from "../pages/refusal.ts";
import { loadRun } from "./runs.ts";
import { pathParameter } from "../kit/load.ts";

/** Answers to links that cannot be opened. */
export const LINK_REFUSED = {
  404: { description: "A page: the link is unknown, or what it opens no longer exists", content: PAGE.content },
  410: { description: "A page: the link has expired or was revoked", content: PAGE.content },
  429: {
    description: "A page: too many links were opened from this address or for this run",
    content: PAGE.content,
    headers: { "Retry-After": RETRY_AFTER },
  },
};
/** The answer if the people of a page cannot be listed now. */
export const PAGE_BUSY = {
  503: {
    description: "A page: too many searches are running, or this one took too long",
    content: PAGE.content,
    headers: { "Retry-After": RETRY_AFTER },
  },
};

export interface OpenedLink {
  readonly kind: LinkKind;
  readonly found: StoredRun;
  readonly expiresAt: number;
  readonly terms: LinkTerms;
}

/** Opens the request's link if it is of one of `kinds`; otherwise returns the answer that refuses it. */
export async function openOrRefuse(c: Context<Env>, kinds: readonly LinkKind[]): Promise<OpenedLink | Response> {
  const hub = c.get("hub");
  const { rates } = hub;
  const address = c.env?.address ?? null;
  if (rates !== undefined && address !== null) {
    takeLink(rates.links.addresses.take(networkOf(address), rates.clockMs()), "from this address");
  }
  const opened = await openLink(hub, pathParameter(c, "signed"), kinds);
  if (opened.refusal !== null) return await refuse(c, opened.refusal);
  const { id } = opened.found.run;
  if (rates !== undefined) takeLink(rates.links.runs.take(String(id), rates.clockMs()), "to this run");
  await recordOpening(hub.db, byLink(c, opened.kind), opened.found.run, opened.terms.link, hub.now());
  return opened;
}

function takeLink({ allowed, retryAfterS }: Allowance, which: string): void {
  if (allowed) return;
  throw new Fault("rate_limited", `There were too many visits ${which}; try again in ${retryAfterS} s`, {
    retryAfterS,
  });
}

const REFUSALS: Record<Refusal, { title: string; text: string; status: 404 | 410 }> = {
  invalid: {
    title: "This link is invalid",
    text: "It may be incomplete or changed. Open it from the message itself, or copy all of it.",
    status: 404,
  },
  expired: {
    title: "This link has expired",
    text: "Links work for a limited time. A newer message has a newer link; else ask the person who gave you this one.",
    status: 410,
  },
  revoked: {
    title: "This link was revoked",
    text: "Your Muster administrator has revoked it. Ask them for a new one.",
    status: 410,
  },
  gone: { title: "The run of this link is deleted", text: "The run is no longer stored.", status: 404 },
};

async function refuse(c: Context<Env>, refusal: Refusal): Promise<Response> {
  const { title, text, status } = REFUSALS[refusal];
  return await answerPage(c, {
    title,
    organization: null,
    main: html`
      <section class="card state plain">
        <h1>${title}</h1>
        <p>${text}</p>
      </section>
    `,
  }, status);
}

/** Answers an error behind a link with a page, as links are opened by people. */
export async function refuseAsPage(error: unknown, c: Context<Env>): Promise<Response> {
  const { title, main, status } = viewRefusal(c, error);
  return await answerPage(c, { title, organization: null, main }, status);
}

const revokeOfRun = route(
  describe("revokeRunLinks", "Revoke the links of a run", { 204: NOTHING }, {
    description: "Every signed link to this run and its reports, sent so far, stops working.",
  }),
  requires("runs:write"),
  async (c) => {
    const { db, now } = c.get("hub");
    const { run } = await loadRun(c);
    await revokeLinks(db, run.organizationId, run.id, now(), byOf(c));
    return c.body(null, 204);
  },
);

const revokeAll = route(
  describe("revokeLinks", "Revoke all links of the organization", { 204: NOTHING }, {
    description: "Every signed link to its runs and reports, sent so far, stops working. Later mails and " +
      "events have new ones.",
  }),
  requires("admin"),
  async (c) => {
    const { db, now } = c.get("hub");
    await revokeLinks(db, c.get("organization").id, null, now(), byOf(c));
    return c.body(null, 204);
  },
);

/** Revoking links. */
export const linkRoutes: Hono<Env> = new Hono<Env>()
  .delete("/runs/:id/links", ...revokeOfRun)
  .delete("/organization/links", ...revokeAll);
