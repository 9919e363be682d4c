/** Who is signed in, on which devices, and signing out. */
import { html } from "hono/html";
import { encodeId } from "../../model/id.ts";
import { ROLES } from "../../model/role.ts";
import { allows } from "../../model/scope.ts";
import { whenInWords } from "../../notify/words.ts";
import type { SessionView } from "../api/sessions.ts";
import { route } from "../kit/describe.ts";
import { basePath } from "../pages/base-path.ts";
import type { Listed } from "./api.ts";
import { answerConsole, formFields, pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";

export const showAccount = route(PAGE, async (c) => {
  const { bearer, session } = c.get("visitor")!, timezone = c.get("organization").timezone;
  // Everybody can sign out, also with a token that reads no sessions.
  const { data } = allows(bearer.scopes, "runs:own")
    ? await c.get("api")!.read<Listed<SessionView>>("/v1/sessions?limit=50&own=true")
    : { data: [] };
  return await answerConsole(c, {
    title: "Account",
    section: "/account",
    main: html`
      <section class="card">
        <h1>${bearer.name ?? bearer.key}</h1>
        <p class="soft">${bearer.member === undefined
          ? `You may: ${bearer.scopes.join(", ")}`
          : `${bearer.member.email}, ${bearer.member.role}: you can ${ROLES[bearer.member.role].may}.`}</p>
        <form method="post" action="${basePath(c)}/sign-out" class="decide">${formFields(
          c,
        )}<button>Sign out</button></form>
      </section>
      ${data.length === 0 ? "" : html`
        <section class="card" aria-labelledby="sessions-title">
          <h2 id="sessions-title">Where you are signed in</h2>
          <ul class="bare rowlist">${data.map(({ id, address, created_at, used_at }) =>
            html`
              <li>
                <div class="who"><h3>${address ?? "unknown address"}</h3>${id === encodeId("ses", session.id)
                  ? html`<span class="tag good">This browser</span>`
                  : html`<form method="post" action="${pathIn(c, `/account/sessions/${id}/end`)}">${formFields(c)}
                <button>Sign out there</button></form>`}</div>
                <p class="small soft">Since ${whenInWords(Date.parse(created_at), timezone)}, used
                            ${whenInWords(Date.parse(used_at), timezone)}</p>
              </li>
            `
          )}</ul>
        </section>
      `}
    `,
  });
});

export const endOtherSession = route(PAGE, async (c) => {
  await readOwnForm(c);
  const answer = await c.get("api")!.ask(`/v1/sessions/${encodeURIComponent(c.req.param("id"))}`, { method: "DELETE" });
  // Gone already is as good.
  if (!answer.ok && answer.status !== 404) return answer;
  return c.redirect(pathIn(c, "/account"), 303);
});
