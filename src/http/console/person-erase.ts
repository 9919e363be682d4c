/** Erasing a person for good: first the page names what goes and what is out of reach, afterwards what is still to be done. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { count, whenInWords } from "../../notify/words.ts";
import type { ErasureView } from "../api/erasures.ts";
import type { UserView } from "../api/user-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Html } from "../pages/frame.ts";
import { type Typed, UNTYPED, viewChoice } from "./fields.ts";
import { statusOf, tryChange, versionField, viewRefused } from "./forms.ts";
import { answerConsole, formFields, pathIn, requireScope } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { loadConnectionNames, nameOf } from "./person-words.ts";

export const askToErase = route(PAGE, async (c) => {
  requireScope(c, "users:erase");
  return await answerQuestion(c, UNTYPED);
});

export const erasePerson = route(PAGE, async (c) => {
  const form = await readOwnForm(c), id = pathParameter(c, "id");
  const tried = await tryChange(async () => {
    if (form.get("sure") !== "yes") throw new Fault("invalid_request", UNSURE.message, { errors: [UNSURE.error] });
    await c.get("api")!.send(`/v1/users/${encodeURIComponent(id)}/erase`, {
      method: "POST",
      body: {},
      version: form.get("version"),
    });
  });
  // A box is ticked anew each time.
  if ("refused" in tried) return await answerQuestion(c, { form: null, ...tried });
  return c.redirect(pathIn(c, `/people/${encodeURIComponent(id)}`), 303);
});

const UNSURE = {
  message: "Nobody was erased",
  error: { pointer: "/sure", detail: "has to be ticked, as this cannot be undone" },
};

async function answerQuestion(c: Context<Env>, typed: Typed): Promise<Response> {
  const [person, nameOfConnection] = await Promise.all([
    c.get("api")!.read<UserView>(`/v1/users/${encodeURIComponent(pathParameter(c, "id"))}`),
    loadConnectionNames(c),
  ]);
  const name = nameOf(person), path = pathIn(c, `/people/${person.id}`);
  const sources = person.sources.map(({ connection_id }) => nameOfConnection(connection_id));
  const main = html`
    ${viewRefused(typed.refused, "Nobody was erased")}
    <section class="card state bad">
      <h1>Erase ${name}?</h1>
      <p>All that Muster knows of this person is deleted, for good. Nobody can bring it back.</p>
      <h2 class="after">What goes</h2>
      <ul>
        <li>Every value of the record, here and in its history</li>
        <li>Their rows in plans and reports; a plan that waits for approval becomes another one</li>
        <li>Stored files in which they may be${sources.length === 0 ? "" : `, of ${sources.join(", ")}`}</li>
      </ul>
      <h2 class="after">What stays</h2>
      <ul>
        <li>An empty record with its id, so that others keep their manager, and the audit, which has ids alone</li>
        <li>Copies out of Muster’s reach, such as the sender’s files, mails and backups; the next page lists them</li>
      </ul>
      <p>If a file or a source names them again, they come back as somebody new. Take them out there first.</p>
      <form class="form" method="post" action="${path}/erase">${formFields(c)}${versionField(person.version)}
        ${viewChoice({ name: "sure", value: "yes", label: `Erase ${name} for good` }, [], typed)}
        <div class="decide"><button class="stop">Erase</button><a class="button" href="${path}">Back</a></div></form>
    </section>
  `;
  return await answerConsole(c, { title: `Erase ${name}?`, section: "/people", main }, statusOf(typed.refused));
}

/** Null: the person was not erased. */
export async function loadErasure(c: Context<Env>, id: string): Promise<ErasureView | null> {
  try {
    return await c.get("api")!.read<ErasureView>(`/v1/users/${id}/erasure`);
  } catch (error) {
    if (error instanceof Fault && error.code === "not_found") return null;
    throw error;
  }
}

export function viewErasure(
  { erased_at, erased, pending, left, completed_at }: ErasureView,
  nameOfConnection: (id: string) => string,
  timezone: string,
): Html {
  const when = (at: string) => whenInWords(Date.parse(at), timezone);
  const of = (id: string | null) =>
    id === null ? "" : html`
      (${nameOfConnection(id)})
    `;
  return html`
    <section class="card" aria-labelledby="erased-title">
      <h2 id="erased-title">Erased ${when(erased_at)}</h2>
      <p>${count(erased.changes, "entry", "entries")} of the history, ${count(
        erased.report_rows,
        "row",
      )} of reports and ${count(erased.drops, "file")} were emptied or deleted.</p>
      ${completed_at === null ? "" : html`<p>It is complete since ${when(completed_at)}.</p>`}
      ${pending.length === 0 ? "" : html`
        <h3>Still to be done, by itself</h3>
        <ul>${pending.map(({ detail, connection_id }) => html`<li>${detail}${of(connection_id)}</li>`)}</ul>
      `}
      ${left.length === 0 ? "" : html`
        <h3>Out of Muster’s reach</h3>
        <ul>${left.map(({ detail, connection_id, until }) =>
          html`<li>${detail}${of(connection_id)}${until === null ? "" : `. Until ${when(until)}`}</li>`
        )}</ul>
      `}
    </section>
  `;
}
