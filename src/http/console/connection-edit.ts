/** Changing a connection: its name, who is mailed, when it runs, its settings and secrets. */
import type { Context } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { EXPECTED_BY } from "../kit/values.ts";
import type { Html } from "../pages/frame.ts";
import { readSettingsFields, viewSettingsFields } from "./connection-form.ts";
import { contactHint } from "./connection-new.ts";
import { connectionInApi, connectionPath, connectorOf, listConnectors, patchConnection } from "./connection-shown.ts";
import { isWrongAt, type Typed, UNTYPED, viewFolded, viewInput } from "./fields.ts";
import { faultOf, statusOf, tryChange, versionField, viewRefused } from "./forms.ts";
import { answerConsole, formFields, may } from "./frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "./guards.ts";
import { readSchedule, scheduleInWords, viewScheduleFields } from "./schedule.ts";
import { readProperties, type Schema, viewProperty } from "./schema-form.ts";

interface Edited {
  readonly connection: ConnectionView;
  /** Null: the hub lacks it, so that settings cannot be changed. */
  readonly connector: ConnectorView | null;
}

const EXPECTED: Schema = z.toJSONSchema(EXPECTED_BY, { io: "input", unrepresentable: "any" });
const WHEN_EXPECTED = {
  name: "expected_by",
  isRequired: false,
  schema: {
    ...EXPECTED,
    title: "By when its input should have come",
    description: "Who is mailed learns when it has not. Without a time nothing is expected",
  },
};

export const editConnection = route(PAGE, async (c) => {
  const edited = await load(c);
  if (!may(c, "connections:write")) throw new Fault("forbidden", "You may not change connections");
  return await answerForm(c, edited, UNTYPED);
});

export const saveConnection = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES);
  const edited = await load(c);
  const { changes, errors } = readChanges(edited, form);
  if (errors.size > 0) return await answerForm(c, edited, { form, refused: faultOf(errors) });
  const tried = await tryChange(() => patchConnection(c, changes, form.get("version")));
  return "refused" in tried ? await answerForm(c, edited, { form, ...tried }) : tried.done;
});

async function load(c: Context<Env>): Promise<Edited> {
  const [connection, connectors] = await Promise.all([
    c.get("api")!.read<ConnectionView>(connectionInApi(c)),
    listConnectors(c),
  ]);
  return { connection, connector: connectorOf(connection, connectors) };
}

/** What is other than now. A token that may not set everything can so change the rest. */
function readChanges({ connection, connector }: Edited, form: URLSearchParams): {
  readonly changes: object;
  readonly errors: ReadonlyMap<string, string>;
} {
  const contact = (form.get("/technical_contact") ?? "").trim() || null;
  const expected = readProperties(EXPECTED, ["expected_by"], form, {}).values;
  const timed = connector?.takes_drops === false ? readSchedule(form) : null;
  const wanted: Record<string, unknown> = {
    name: form.get("/name") ?? "",
    technical_contact: contact,
    expected_by: Object.keys(expected).length === 0 ? null : expected,
    ...(timed === null ? {} : { schedule: timed.schedule }),
  };
  if (connector === null) return { changes: changed(wanted, connection), errors: new Map() };
  const { settings, secrets, errors } = readSettingsFields(connector, connection, form);
  const changes = {
    ...changed({ ...wanted, settings }, connection),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
  };
  return { changes, errors: new Map([...errors, ...timed?.errors ?? []]) };
}

function changed(wanted: Readonly<Record<string, unknown>>, connection: ConnectionView): object {
  const current = connection as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => sorted(value) !== sorted(current[name])),
  );
}

/** Equal texts for equal values, in whatever order their names are. */
function sorted(value: unknown): string {
  return JSON.stringify(
    value,
    (_, each) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1))
        : each,
  );
}

function answerForm(c: Context<Env>, { connection, connector }: Edited, typed: Typed): Promise<Response> {
  const path = connectionPath(c, connection.slug), { timezone } = c.get("organization");
  return answerConsole(c, {
    title: `Settings of ${connection.name}`,
    section: "/connections",
    main: html`
      ${viewRefused(typed.refused)}
      <h1>Settings of ${connection.name}</h1>
      <section class="card">
        <form method="post" action="${path}/settings" class="form">${formFields(c)}
          ${versionField(connection.version)}
          ${viewInput({ name: "/name", label: "Name", value: connection.name, isRequired: true }, typed)}
          ${connector === null
            ? html`<p>The hub lacks the connector ${connection.connector}, so its settings cannot be changed now.</p>`
            : viewSettingsFields(connector, connection, typed)}
          ${viewInput({
            name: "/technical_contact",
            label: "Technical contact",
            type: "email",
            hint: contactHint(c),
            value: connection.technical_contact ?? "",
          }, typed)}
          ${connector?.takes_drops === false
            ? html`<div id="schedule">${
              viewScheduleFields(
                { schedule: connection.schedule, usual: connector.schedule, timezone },
                typed,
              )
            }${viewUsual(connector, connection)}</div>`
            : ""}
          ${viewExpected(connection, typed)}
          <div class="decide"><button class="go">Save</button><a class="button" href="${path}">Back without saving</a></div>
        </form>
      </section>
    `,
  }, statusOf(typed.refused));
}

function viewUsual({ schedule, title }: ConnectorView, connection: ConnectionView): Html {
  if (schedule === null || connection.schedule !== null) return html``;
  return html`<p class="small soft">Usual for ${title}: ${scheduleInWords(schedule)}</p>`;
}

function viewExpected({ expected_by }: ConnectionView, typed: Typed): Html {
  const isOpen = expected_by !== null || isWrongAt(typed, "/expected_by");
  return viewFolded(
    "When its input should have come",
    isOpen,
    viewProperty(WHEN_EXPECTED, [], expected_by ?? undefined, typed),
  );
}
