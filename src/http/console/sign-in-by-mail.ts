/**
 * A link to sign in, by mail to the address of a member. The answer is the same whether or not anybody has the address, and
 * so is the work: who has it is looked at when the mail is sent.
 */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { queueSignInMail, whyNoMail } from "../../notify/invitations.ts";
import { networkOf } from "../../security/rates.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { ADDRESS } from "../kit/values.ts";
import { answerPage, type Html } from "../pages/frame.ts";
import { readForm } from "../pages/run-page-decisions.ts";
import { basePath } from "../pages/base-path.ts";
import { PAGE, requireSameOrigin } from "./guards.ts";

export const askForLink = route(PAGE, async (c) => {
  requireSameOrigin(c);
  const hub = c.get("hub"), why = whyNoMail(hub);
  if (why !== null) throw new Fault("conflict", why);
  const { success, data: address } = ADDRESS.safeParse((await readForm(c)).get("email") ?? "");
  if (!success) {
    throw new Fault("invalid_request", "This is not an address, like ana@acme.test; go back and correct it");
  }
  limit(c, address);
  await queueSignInMail(hub, address);
  return c.redirect(`${basePath(c)}/sign-in-link`, 303);
});

/** Shown after the form, and nothing of it is in the address. */
export const showLinkSent = route(PAGE, (c) =>
  answerPage(c, {
    title: "Look into your mailbox",
    organization: null,
    main: html`
      <section class="card state calm">
        <h1>Look into your mailbox</h1>
        <p>If you are a member, a mail with a link is on its way to you. The link works once, within 15 minutes.</p>
        <p>No mail after some minutes? Look among what your mailbox takes for spam, and check that you typed the address that you
          were invited with. An admin of your organization can invite you.</p>
        <p><a href="${basePath(c)}/sign-in">Back</a></p>
      </section>
    `,
  }));

/** The form; nothing where this hub sends no mails. */
export function viewAskForLink(c: Context<Env>): Html {
  if (whyNoMail(c.get("hub")) !== null) return html``;
  return html`
    <section class="card">
      <h1>Sign in to Muster</h1>
      <form method="post" action="${basePath(c)}/sign-in-link" class="fields">
        <label for="email">Your work address</label>
        <input id="email" name="email" type="email" autocomplete="email" required maxlength="254"
          aria-describedby="email-help">
        <p id="email-help" class="small soft">Members of an organization get a link by mail, which signs in once.</p>
        <div class="decide"><button class="go">Send me a link</button></div>
      </form>
    </section>
  `;
}

/** Fails with `rate_limited`, alike for addresses that are known and others. */
function limit(c: Context<Env>, address: string): void {
  const { rates } = c.get("hub"), network = c.env?.address ?? null;
  if (rates === undefined) return;
  const now = rates.clockMs();
  const counts = [
    ...(network === null ? [] : [rates.signIns.networks.take(networkOf(network), now)]),
    rates.signIns.addresses.take(address, now),
  ];
  const refused = counts.find(({ allowed }) => !allowed);
  if (refused === undefined) return;
  const { retryAfterS } = refused, minutes = Math.ceil(retryAfterS / 60);
  throw new Fault(
    "rate_limited",
    `Many links were asked for already. Look into your mailbox, or try again in ${minutes} minutes`,
    { retryAfterS },
  );
}
