/** OpenPGP keys on a connection's page. */
import type { Context } from "hono";
import { html } from "hono/html";
import { whenInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { PgpKeyView } from "../api/pgp-keys.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { connectionInApi, connectionPath } from "./connection-shown.ts";
import { formFields, may } from "./frame.ts";

export async function loadPgpKeys(c: Context<Env>): Promise<readonly PgpKeyView[]> {
  return (await c.get("api")!.read<Listed<PgpKeyView>>(connectionInApi(c, "/pgp-keys?limit=200"))).data;
}

export function viewPgpKeys(c: Context<Env>, { slug }: ConnectionView, keys: readonly PgpKeyView[]): Html {
  const path = connectionPath(c, slug, "/pgp-keys"), { timezone } = c.get("organization");
  if (keys.length === 0 && !may(c, "connections:write")) return html``;
  return html`
    <section class="card" aria-labelledby="pgp-title">
      <h2 id="pgp-title">Encrypted files</h2>
      ${keys.length === 0
        ? html`<p>Files come as they are. With an OpenPGP key, those who send them can encrypt them for Muster alone.</p>`
        : html`<ul class="bare rowlist">${keys.map((key) => viewKey(key, path, timezone))}</ul>`}
      ${may(c, "connections:write")
        ? html`<form method="post" action="${path}" class="after decide">${formFields(c)}<button>${
          keys.length === 0 ? "Make a key" : "Make another key"
        }</button></form>`
        : ""}
    </section>
  `;
}

function viewKey({ id, owner, status, fingerprint, created_at }: PgpKeyView, path: string, timezone: string): Html {
  return html`<li>
    <div class="who"><h3>${owner === "hub" ? "Files are encrypted with it" : "Their own key"}</h3>${
    status === "retired" ? html`<span class="tag plain">Retired</span>` : ""
  }</div>
    <p class="small"><code>${fingerprint}</code></p>
    <p class="small soft">${owner === "hub" ? "Made" : "Registered"} on ${
    whenInWords(Date.parse(created_at), timezone)
  }</p>
    ${
    owner === "hub" && status === "active"
      ? html`<p class="small"><a href="${path}/${id}">Download the public key</a></p>`
      : ""
  }
  </li>`;
}
