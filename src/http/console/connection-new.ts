/** Adding a connection: which system it is, then what that system needs. It takes nothing by itself before it was checked. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { PRESETS } from "../../model/preset.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Html } from "../pages/frame.ts";
import { connectionPath, listConnectors } from "./connection-shown.ts";
import { needsInWords, readSettingsFields, viewSettingsFields } from "./connection-form.ts";
import { type Typed, UNTYPED, viewInput, viewSelect } from "./fields.ts";
import { faultOf, statusOf, tryChange, viewRefused } from "./forms.ts";
import { answerConsole, formFields, may, pathIn } from "./frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "./guards.ts";
import { RECORDS } from "./lists.ts";
import { scheduleInWords } from "./schedule.ts";

export const chooseConnector = route(PAGE, async (c) => {
  requireMayAdd(c);
  const connectors = await listConnectors(c);
  return await answerConsole(c, {
    title: "Add a connection",
    section: "/connections",
    main: html`
      <h1>Where do people come from?</h1>
      <section class="card" aria-labelledby="systems-title">
        <h2 id="systems-title" class="hidden">Systems</h2>
        <ul class="bare rowlist">${connectors.map((each) => viewConnector(c, each))}</ul>
      </section>
    `,
  });
});

export const describeNew = route(PAGE, async (c) => {
  requireMayAdd(c);
  return await answerForm(c, await findConnector(c), UNTYPED);
});

export const addConnection = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES);
  const connector = await findConnector(c);
  const { settings, secrets, errors } = readSettingsFields(connector, null, form);
  if (errors.size > 0) return await answerForm(c, connector, { form, refused: faultOf(errors) });
  const contact = (form.get("/technical_contact") ?? "").trim(), preset = form.get("/preset") ?? "";
  const made = {
    connector: connector.name,
    name: form.get("/name") ?? "",
    settings,
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    ...(contact === "" ? {} : { technical_contact: contact }),
    ...(preset === "" ? {} : { preset }),
    // It runs by itself once somebody has looked at its first run and chosen when.
    ...(connector.takes_drops ? {} : { schedule: null }),
  };
  const tried = await tryChange(() =>
    c.get("api")!.send<ConnectionView>("/v1/connections", { method: "POST", body: made })
  );
  if ("refused" in tried) return await answerForm(c, connector, { form, ...tried });
  return c.redirect(connectionPath(c, tried.done.slug), 303);
});

function requireMayAdd(c: Context<Env>): void {
  if (!may(c, "connections:read", "connections:write")) throw new Fault("forbidden", "You may not add connections");
}

async function findConnector(c: Context<Env>): Promise<ConnectorView> {
  const wanted = pathParameter(c, "connector");
  const found = (await listConnectors(c)).find(({ name }) => name === wanted);
  if (found === undefined) throw new Fault("not_found", `There is no connector "${wanted}"`);
  return found;
}

function viewConnector(c: Context<Env>, connector: ConnectorView): Html {
  const { name, title, connections, problems, takes_drops, schedule, homepage } = connector;
  const needs = needsInWords(connector), path = pathIn(c, `/new-connection/${encodeURIComponent(name)}`);
  return html`<li>
    <div class="who"><h3>${
    problems.length > 0 ? title : html`<a href="${path}">${title}</a>`
  }</h3><span class="soft">${name}</span>${
    connections === 0 ? "" : html`<span class="tag plain">${connections} here</span>`
  }</div>
    <p>${waysInWords(name, takes_drops)}${schedule === null ? "" : ` Usual time: ${scheduleInWords(schedule)}.`}</p>
    ${needs === "" ? "" : html`<p class="small soft">It needs: ${needs}</p>`}
    ${problems.map((problem) => html`<p class="small wrong">${problem}</p>`)}
    ${
    homepage !== null && /^https?:/.test(homepage)
      ? html`<p class="small"><a href="${homepage}">More about it</a></p>`
      : ""
  }
  </li>`;
}

function waysInWords(name: string, takesDrops: boolean): string {
  if (!takesDrops) return "Muster reads it by itself.";
  return RECORDS.has(name) ? "A program sends records to Muster." : "Files are sent to Muster.";
}

function answerForm(c: Context<Env>, connector: ConnectorView, typed: Typed): Promise<Response> {
  const { name, title, takes_drops } = connector;
  const hasPreset = takes_drops && !RECORDS.has(name);
  return answerConsole(c, {
    title: `Add ${title}`,
    section: "/connections",
    main: html`
      ${viewRefused(typed.refused)}
      <h1>Add ${title}</h1>
      <section class="card">
        <form method="post" action="${pathIn(c, `/new-connection/${encodeURIComponent(name)}`)}" class="form">
          ${formFields(c)}
          ${viewInput({
            name: "/name",
            label: "Name",
            hint: "As people see it here and in mails",
            value: title,
            isRequired: true,
          }, typed)}
          ${hasPreset
            ? viewSelect({
              name: "/preset",
              label: "Set up as with",
              hint: "A preset brings the vendor's folder, hour, rules and names of columns",
              options: Object.entries(PRESETS).map(([value, { title }]) => ({
                value: value === "custom" ? "" : value,
                title,
              })),
            }, typed)
            : ""}
          ${viewSettingsFields(connector, null, typed)}
          ${viewInput({
            name: "/technical_contact",
            label: "Technical contact",
            type: "email",
            hint: contactHint(c),
          }, typed)}
          <p class="small soft">Nothing is imported yet: on the next page you check the connection${takes_drops
            ? ""
            : " and see what its first run would change"}.</p>
          <div class="decide"><button class="go">Add the connection</button>
            <a class="button" href="${pathIn(c, "/new-connection")}">Another system</a></div>
        </form>
      </section>
    `,
  }, statusOf(typed.refused));
}

/** What happens where no contact is named. */
export function contactHint(c: Context<Env>): string {
  const usual = c.get("organization").technicalContact;
  const who = "Gets a mail when it fails, waits for approval or leaves rows out";
  return usual ? `${who}. Empty: the organization's contact, ${usual}` : `${who}. Empty: nobody does`;
}
