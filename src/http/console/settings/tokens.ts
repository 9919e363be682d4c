/** Tokens of the organization: what they allow, who uses them, new ones, and revoking. */
import type { Context } from "hono";
import { html } from "hono/html";
import { beyond, SCOPES } from "../../../model/scope.ts";
import { count, whenInWords } from "../../../notify/words.ts";
import type { SessionView } from "../../api/sessions.ts";
import type { NewTokenView, TokenView } from "../../api/tokens.ts";
import type { EndpointView } from "../../api/webhook-endpoint-view.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewChoices, viewInput, viewSelect } from "../fields.ts";
import { onceField, statusOf, tryChange, viewRefused, viewSecret } from "../forms.ts";
import { formFields, requireScope } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { SCOPE_WORDS, scopesInWords } from "../scopes.ts";
import { answerSettings, settingsPath } from "./frame.ts";

const PATH = "/tokens";
/** As many as an organization has at most. */
const ALL_ENDPOINTS = 200;

export const showTokens = route(PAGE, async (c) => {
  const cursor = c.req.query("cursor");
  const tokens = await c.get("api")!.read<Listed<TokenView>>(`/v1/tokens?${queryOf({ cursor })}`);
  const path = settingsPath(c, PATH);
  return await answerSettings(c, {
    title: "Tokens",
    page: PATH,
    main: html`
      <h1>Tokens</h1>
      <p class="soft">A program or a person signs in with a token. It does no more than it is made for.</p>
      <p><a class="button" href="${path}/new">Make a token</a></p>
      <section class="card">
        <h2 class="hidden">The tokens</h2><ul class="bare rowlist">${tokens.data.map((token) =>
          viewToken(c, token)
        )}</ul>
        ${viewPaging(path, tokens.next_cursor, cursor === undefined)}
      </section>
    `,
  });
});

function viewToken(c: Context<Env>, token: TokenView): Html {
  const { id, name, scopes, created_by: by, created_at, last_used_at, expires_at } = token;
  const { timezone } = c.get("organization"), when = (at: string) => whenInWords(Date.parse(at), timezone);
  const isOver = expires_at !== null && Date.parse(expires_at) <= c.get("hub").now();
  return html`
    <li>
      <div class="who"><h3>${name}</h3><span class="soft">${id}</span>${isOver
        ? html`<span class="tag plain">Expired</span>`
        : ""}</div>
      <p>${scopesInWords(scopes)}.</p>
      <p class="small soft">Made ${when(created_at)}${by === null ? "" : ` by ${makerInWords(by)}`}.
          ${last_used_at === null ? "Never used." : `Last used ${when(last_used_at)}.`}
          ${expires_at === null ? "Never expires." : `${isOver ? "Expired" : "Expires"} ${when(expires_at)}.`}</p>
      <div class="after"><a class="button" href="${settingsPath(c, `${PATH}/${id}/revoke`)}">Revoke
          <span class="hidden">${name}</span>…</a></div>
    </li>
  `;
}

function makerInWords({ kind, id, name }: NonNullable<TokenView["created_by"]>): string {
  if (kind === "hub") return "the hub itself";
  if (kind === "command") return `the command ${id ?? ""}`;
  return name ?? id ?? kind;
}

const EXPIRIES = [
  { value: "30", title: "in 30 days" },
  { value: "90", title: "in 90 days" },
  { value: "365", title: "in a year" },
  { value: "", title: "never" },
];
const USUAL_EXPIRY = "90";

export const askForToken = route(PAGE, (c) => {
  requireScope(c, "tokens:write");
  return answerForm(c, UNTYPED);
});

export const makeToken = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const expires = form.get("expires") ?? USUAL_EXPIRY;
  const body = {
    name: form.get("name") ?? "",
    scopes: form.getAll("scopes"),
    expires_in_days: expires === "" ? null : Number(expires),
  };
  const tried = await tryChange(() =>
    c.get("api")!.send<NewTokenView>("/v1/tokens", { method: "POST", body, once: form.get("once") })
  );
  return "refused" in tried ? await answerForm(c, { form, ...tried }) : await answerMade(c, tried.done!);
});

function answerForm(c: Context<Env>, typed: Typed): Promise<Response> {
  const { scopes } = c.get("visitor")!.bearer, path = settingsPath(c, PATH);
  // Nobody grants what they may not do themselves. A bridge's token is made where the bridge is set up.
  const granted = SCOPES.filter((scope) => scope !== "bridge" && beyond(scopes, [scope]).length === 0);
  const main = html`
    <h1>Make a token</h1>
    ${viewRefused(typed.refused)}
    <form class="card form" method="post" action="${path}">
      ${formFields(c)}${onceField(typed.form?.get("once"))}
      ${viewInput({
        name: "name",
        label: "Name",
        isRequired: true,
        most: 254,
        hint: "What it is for, such as “HR export”. It is in the audit beside all that the token does.",
      }, typed)}
      ${viewChoices({
        name: "scopes",
        label: "It may",
        options: granted.map((scope) => ({ value: scope, title: SCOPE_WORDS[scope], hint: scope })),
      }, typed)}
      ${viewSelect({
        name: "expires",
        label: "It expires",
        value: USUAL_EXPIRY,
        options: EXPIRIES,
        pointer: "/expires_in_days",
      }, typed)}
      <div class="decide"><button class="go">Make it</button><a class="button" href="${path}">Back</a></div>
    </form>
  `;
  return answerSettings(c, { title: "Make a token", page: PATH, main }, statusOf(typed.refused));
}

function answerMade(c: Context<Env>, { name, scopes, token }: NewTokenView): Promise<Response> {
  const main = html`
    <h1>${name}</h1>
    ${viewSecret(token, "token")}
    <section class="card">
      <p>${scopesInWords(scopes)}.</p>
      <p><a href="${settingsPath(c, PATH)}">All tokens</a></p>
    </section>
  `;
  return answerSettings(c, { title: "The new token", page: PATH, main });
}

export const askToRevoke = route(PAGE, async (c) => {
  const api = c.get("api")!, path = settingsPath(c, PATH);
  const token = await api.read<TokenView>(`/v1/tokens/${encodeURIComponent(c.req.param("id"))}`);
  const [endpoints, sessions] = await Promise.all([
    api.read<Listed<EndpointView>>(`/v1/webhook-endpoints?limit=${ALL_ENDPOINTS}`).catch(() => null),
    api.read<Listed<SessionView>>("/v1/sessions?limit=200").catch(() => null),
  ]);
  const main = html`
    <section class="card state bad">
      <h1>Revoke ${token.name}?</h1>
      <p>It stops working at once, for good. Whatever uses it is refused from then on.</p>
      ${viewStopped(endpoints?.data.filter((each) => each.token === token.id && each.status === "enabled") ?? null)}
      <p>${sessionsInWords(sessions?.data.filter((each) => each.token === token.id).length ?? null)}</p>
      ${token.id === c.get("visitor")!.bearer.key
        ? html`<p><strong>You are signed in with it yourself.</strong></p>`
        : ""}
      <form class="decide" method="post" action="${path}/${token.id}/revoke">${formFields(c)}
        <button class="stop">Revoke it</button><a class="button" href="${path}">Keep it</a></form>
    </section>
  `;
  return await answerSettings(c, { title: `Revoke ${token.name}?`, page: PATH, main });
});

/** Null: the visitor may not see the endpoints. */
function viewStopped(endpoints: readonly EndpointView[] | null): Html {
  if (endpoints === null) return html`<p>Webhook endpoints that it made stop with it.</p>`;
  if (endpoints.length === 0) return html`<p>No webhook endpoint stops with it.</p>`;
  return html`
    <p>${count(endpoints.length, "webhook endpoint")} that it made ${endpoints.length === 1
      ? "stops"
      : "stop"} with it, until an admin takes ${endpoints.length === 1 ? "it" : "them"} over:</p>
    <ul>${endpoints.map(({ url }) => html`<li>${url}</li>`)}</ul>
  `;
}

function sessionsInWords(n: number | null): string {
  if (n === null) return "Browsers that are signed in with it are signed out.";
  if (n === 0) return "Nobody is signed in with it.";
  return `${count(n, "browser")} that ${n === 1 ? "is" : "are"} signed in with it ${
    n === 1 ? "is" : "are"
  } signed out.`;
}

export const revokeToken = route(PAGE, async (c) => {
  await readOwnForm(c);
  await c.get("api")!.send(`/v1/tokens/${encodeURIComponent(c.req.param("id"))}`, { method: "DELETE" });
  return c.redirect(settingsPath(c, PATH), 303);
});
