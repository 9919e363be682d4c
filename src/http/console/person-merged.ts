/** A record that was merged into another one: where it leads, and taking the merge back. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Scope } from "../../model/scope.ts";
import { whenInWords } from "../../notify/words.ts";
import type { MergeView, UndoneView } from "../api/user-merge.ts";
import type { UserView } from "../api/user-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Html } from "../pages/frame.ts";
import { statusOf, tryChange, viewRefused } from "./forms.ts";
import { answerConsole, formFields, may, pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { nameOf } from "./person-words.ts";

/** What merging and taking it back need. */
export const MERGES: readonly Scope[] = ["users:write", "runs:approve"];

/** Path of the merge in the API. */
export function mergeInApi(c: Context<Env>): string {
  return `/v1/users/${encodeURIComponent(pathParameter(c, "id"))}/merge`;
}

export async function answerMerged(c: Context<Env>, into: string, notice?: Html, status?: 409): Promise<Response> {
  const api = c.get("api")!;
  const [other, merge] = await Promise.all([
    api.read<UserView>(`/v1/users/${into}`),
    may(c, ...MERGES)
      ? api.send<MergeView>(mergeInApi(c), { method: "POST", body: { into, mode: "plan" } })
      : Promise.resolve(null),
  ]);
  const main = html`
    ${notice ?? ""}
    <section class="card state plain">
      <span class="tag">Merged</span>
      <h1>This record is part of another one</h1>
      <p>It was merged into <a href="${pathIn(c, `/people/${other.id}`)}">${nameOf(other)}</a>, who has its rows and
        history now.</p>
    </section>
    ${merge?.undo_until == null ? "" : viewUndo(c, merge.undo_until)}
  `;
  return await answerConsole(c, { title: "Merged", section: "/people", main }, status);
}

function viewUndo(c: Context<Env>, until: string): Html {
  return html`
    <section class="card" aria-labelledby="undo-title">
      <h2 id="undo-title">Take it back</h2>
      <p>What was moved and has not changed since comes back to this record. That is possible until ${whenInWords(
        Date.parse(until),
        c.get("organization").timezone,
      )}.</p>
      <form class="decide" method="post" action="${pathIn(
        c,
        `/people/${pathParameter(c, "id")}/merge/undo`,
      )}">${formFields(c)}<button>Take the merge back</button></form>
    </section>
  `;
}

export const undoMerge = route(PAGE, async (c) => {
  await readOwnForm(c);
  const path = pathIn(c, `/people/${encodeURIComponent(pathParameter(c, "id"))}`);
  const tried = await tryChange(() => c.get("api")!.send<UndoneView>(mergeInApi(c), { method: "DELETE" }));
  if ("done" in tried && tried.done.left.length === 0) return c.redirect(path, 303);
  const main = "refused" in tried ? viewRefused(tried.refused, "The merge was not taken back") : html`
    <section class="card state held">
      <h1>The merge was taken back, but for this</h1>
      <ul>${tried.done.left.map((detail) => html`<li>${detail}</li>`)}</ul>
    </section>
  `;
  return await answerConsole(c, {
    title: "Merge",
    section: "/people",
    main: html`${main}<p><a class="button" href="${path}">See the record</a></p>`,
  }, "refused" in tried ? statusOf(tried.refused) : 200);
});
