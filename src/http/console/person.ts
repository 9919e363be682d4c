/** All that is known of one person, and from where. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { ChangeView } from "../../model/change.ts";
import { Fault } from "../../model/errors.ts";
import { fieldInWords, whenInWords } from "../../notify/words.ts";
import type { UserFields } from "../api/user-fields.ts";
import type { UserView } from "../api/user-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewChanges } from "./changes.ts";
import { answerConsole, may, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { loadErasure, viewErasure } from "./person-erase.ts";
import { answerMerged, MERGES } from "./person-merged.ts";
import { inWords, loadConnectionNames, nameOf } from "./person-words.ts";

const CHANGES_SHOWN = 25;

export const showPerson = route(PAGE, async (c) => {
  try {
    return await answerPerson(c);
  } catch (error) {
    const into = error instanceof Fault && error.code === "merged" ? /usr_\w+/.exec(error.location ?? "") : null;
    if (into === null) throw error;
    return await answerMerged(c, into[0]);
  }
});

async function answerPerson(c: Context<Env>): Promise<Response> {
  const api = c.get("api")!, id = encodeURIComponent(c.req.param("id") ?? ""), { timezone } = c.get("organization");
  const [person, provenance, history, nameOfConnection] = await Promise.all([
    api.read<UserView>(`/v1/users/${id}`),
    api.read<UserFields>(`/v1/users/${id}/fields`),
    api.read<Listed<ChangeView>>(`/v1/users/${id}/history?limit=${CHANGES_SHOWN}`),
    loadConnectionNames(c),
  ]);
  const erasure = nameOf(person) === person.id ? await loadErasure(c, person.id) : null;
  return await answerConsole(c, {
    title: nameOf(person),
    section: "/people",
    main: html`
      <section class="card state ${person.status === "active" ? "good" : "plain"}">
        <span class="tag">${person.status === "active" ? "Active" : "Inactive"}</span>
        <h1>${nameOf(person)}</h1>
        <p class="soft">${[person.title, person.department?.name].filter(Boolean).join(", ")}</p>
      </section>
      ${erasure === null ? "" : viewErasure(erasure, nameOfConnection, timezone)}
      ${viewFields(provenance, nameOfConnection, pathIn(c), timezone)}
      <section class="card" aria-labelledby="history-title">
        <h2 id="history-title">What has changed</h2>
        ${viewChanges(history.data, pathIn(c, "/runs"), timezone)}
        ${history.next_cursor === null ? "" : html`<p class="small soft">There are older changes.</p>`}
      </section>
      ${erasure === null ? viewMore(c, person) : ""}
    `,
  });
}

/** All that is kept about the person as a file, as the API gives it. */
export const getRecord = route(PAGE, (c) => {
  const id = encodeURIComponent(c.req.param("id"));
  return c.get("api")!.ask(`/v1/users/${id}/record`);
});

/** What few do, and only who may. */
function viewMore(c: Context<Env>, { id }: UserView): Html {
  const path = pathIn(c, `/people/${id}`), mayMerge = may(c, ...MERGES), mayErase = may(c, "users:erase");
  return html`
    <section class="card" aria-labelledby="more-title">
      <h2 id="more-title">This record</h2>
      <p><a href="${path}/record.json">All that is kept about this person</a>, as one file (JSON).</p>
      <div class="decide">
        ${mayMerge ? html`<a class="button" href="${path}/merge">Merge with another record…</a>` : ""}
        ${mayErase ? html`<a class="button" href="${path}/erase">Erase…</a>` : ""}
      </div>
    </section>
  `;
}

/** Each value with where it came from. */
function viewFields(
  { fields }: UserFields,
  nameOfConnection: (id: string) => string,
  path: string,
  timezone: string,
): Html {
  return html`
    <section class="card" aria-labelledby="fields-title">
      <h2 id="fields-title">What is known, and from where</h2>
      <dl class="facts origins">${fields.map(({ field, value, since, source, others }) =>
        html`
          <dt>${fieldInWords(field)}</dt>
          <dd><strong>${inWords(value)}</strong>
            <span class="small soft">${viewSource(source, nameOfConnection, path)}${since === null
              ? ""
              : ` ${whenInWords(Date.parse(since), timezone)}`}</span>
            ${others.map((other) =>
              html`<span class="small soft">${nameOfConnection(other.connection_id)} says “${other.value}”</span>`
            )}
          </dd>
        `
      )}</dl>
    </section>
  `;
}

function viewSource(
  { connection_id, run, file, line, by }: UserFields["fields"][number]["source"],
  nameOfConnection: (id: string) => string,
  path: string,
): Html {
  if (by !== null) return html`by hand,`;
  if (connection_id === null) return html`from before the history that is kept`;
  const where = [nameOfConnection(connection_id), file].filter((part) => part !== null).join(", ");
  const place = line === null ? where : `${where}, line ${line}`;
  return run === null ? html`from ${place}` : html`from <a href="${path}/runs/${run}">${place}</a>,`;
}
