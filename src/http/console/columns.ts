/** What each column of a run's file is read as; changed here, the file is planned again and the connection keeps it. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { type CustomField, DEPARTMENT_FIELDS, type Entity, USER_FIELDS } from "../../model/record.ts";
import type { RunView } from "../../model/run.ts";
import { allows } from "../../model/scope.ts";
import { fieldInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { DropColumnsView } from "../api/drop-columns.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewOptions } from "./fields.ts";
import { answerConsole, formFields, pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { planFile } from "./import.ts";

type ColumnView = DropColumnsView["columns"][number];

/** A choice for a column: a field, or one of these. */
const NOT_USED = "-";

interface Loaded {
  readonly run: RunView;
  readonly drop: NonNullable<RunView["drop"]>;
  readonly connection: ConnectionView;
  readonly columns: readonly ColumnView[];
  /** Fields that a column may be. */
  readonly fields: readonly { readonly key: string; readonly name: string }[];
}

export const showColumns = route(PAGE, async (c) => {
  const loaded = await load(c), { run, drop, connection, columns } = loaded;
  const canChange = ["connections:write", "drops:write"].every((scope) =>
    allows(c.get("visitor")!.bearer.scopes, scope as "drops:write")
  );
  const path = pathIn(c, `/runs/${run.id}`);
  return await answerConsole(c, {
    title: `Columns of ${drop.name}`,
    section: "/runs",
    main: html`
      <p><a href="${path}">${drop.name}</a></p>
      <h1>What each column is read as</h1>
      <form method="post" action="${path}/columns">
        ${formFields(c)}
        <section class="card">
          <h2 class="hidden">The columns</h2>
          <ul class="bare rowlist">${columns.map((column, n) => viewColumn(column, n, loaded, canChange))}</ul>
        </section>
        ${canChange ? viewSave(connection) : html`<p class="soft">An admin can change what a column is read as.</p>`}
      </form>
    `,
  });
});

/** Maps the columns as the form says, plans the same file again, and ends the plan that was looked at before. */
export const saveColumns = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const { run, drop, connection, columns, fields } = await load(c);
  const mapping = { ...connection.mapping };
  columns.forEach(({ column, field }, n) => {
    const choice = form.get(`field-${n}`);
    if (choice === null || choice === (field ?? NOT_USED)) return;
    if (choice !== NOT_USED && !fields.some(({ key }) => key === choice)) {
      throw new Fault("invalid_request", `"${choice}" is no field of Muster; choose one of the list`);
    }
    mapping[column] = choice === NOT_USED ? null : choice;
  });
  const api = c.get("api")!;
  await api.send(`/v1/connections/${connection.id}`, {
    method: "PATCH",
    body: { mapping },
    version: String(connection.version),
  });
  const content = await api.ask(`/v1/drops/${drop.id}/content`);
  if (!content.ok) throw new Fault("content_expired", `The file "${drop.name}" is no longer stored; upload it again`);
  const again = await planFile(c, connection.id, {
    body: content.body!,
    type: content.headers.get("content-type")!,
    query: { name: drop.name, entity: run.counts === null ? undefined : run.entity },
  });
  if (run.status === "held" || run.status === "planned") {
    await api.ask(`/v1/runs/${run.id}/cancel`, { method: "POST" });
  }
  return c.redirect(pathIn(c, `/runs/${again.id}`), 303);
});

async function load(c: Context<Env>): Promise<Loaded> {
  const api = c.get("api")!;
  const run = await api.read<RunView>(`/v1/runs/${encodeURIComponent(c.req.param("id") ?? "")}`);
  if (run.drop === null) throw new Fault("not_found", "This run has no file");
  const [connection, { entity, columns }, custom] = await Promise.all([
    api.read<ConnectionView>(`/v1/connections/${run.connection.id}`),
    api.read<DropColumnsView>(`/v1/drops/${run.drop.id}/columns`),
    api.read<Listed<CustomField>>("/v1/custom-fields"),
  ]);
  return { run, drop: run.drop, connection, columns, fields: fieldsOf(entity, custom.data) };
}

function fieldsOf(entity: Entity, custom: readonly CustomField[]): Loaded["fields"] {
  const own: readonly string[] = entity === "users" ? USER_FIELDS : DEPARTMENT_FIELDS;
  const known = own.map((key) => ({ key, name: fieldInWords(key) }));
  return entity === "users" ? [...known, ...custom.map(({ key, label }) => ({ key, name: label }))] : known;
}

const REASONS: Readonly<Record<ColumnView["because"], string>> = {
  mapping: "as this connection has it",
  connector: "as the system calls it",
  name: "by its name",
  taken: "another column is this already",
  report: "of a report that is sent back",
  unknown: "its name is not known",
};

function viewColumn(view: ColumnView, n: number, { fields }: Loaded, canChange: boolean): Html {
  const { column, field, because, suggestion, samples } = view;
  const name = column === "" ? `Column ${n + 1}, without a name` : column;
  const options = fields.map(({ key, name }) => ({ value: key, title: name }));
  const isChosen = canChange && because !== "report" && column !== "";
  return html`<li>
    <div class="who"><h3 id="column-${n}">${name}</h3>
      <span class="tag ${field === null ? "held" : "good"}">${field === null ? "Not used" : "Used"}</span></div>
    ${
    samples === null || samples.length === 0
      ? html`<p class="small soft">${samples === null ? "" : "Empty in the first rows"}</p>`
      : html`<p class="small">${samples.map((sample, i) => html`${i === 0 ? "" : " · "}<span>${sample}</span>`)}</p>`
  }
    <p class="small soft">${field === null ? "" : `${nameOf(field, fields)}, `}${REASONS[because]}${
    suggestion === null ? "" : `; perhaps ${nameOf(suggestion, fields)}`
  }</p>
    ${
    isChosen
      ? html`
        <select name="field-${n}" aria-labelledby="column-${n}">
          ${viewOptions([{ value: NOT_USED, title: "not used" }, ...options], field ?? NOT_USED)}
        </select>
      `
      : ""
  }
  </li>`;
}

function nameOf(field: string, fields: Loaded["fields"]): string {
  return fields.find(({ key }) => key === field)?.name ?? fieldInWords(field);
}

function viewSave({ name }: ConnectionView): Html {
  return html`
    <section class="card">
      <p>The file is read again, and you see what it would change. ${name} keeps the columns for its next files, too.</p>
      <div class="decide"><button class="go">Read the file again</button></div>
    </section>
  `;
}
