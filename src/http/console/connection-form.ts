/**
 * The fields of a connection's settings and secrets, made from what its connector says of them: what it needs comes first,
 * what few change is folded away. No I/O.
 */
import { html } from "hono/html";
import { FILE_SETTINGS } from "../../connector-settings.ts";
import { isObject } from "../../std/is-object.ts";
import { pointerOf } from "../../std/json-pointer.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import type { Html } from "../pages/frame.ts";
import { named } from "./feeds.ts";
import { isWrongAt, type Typed, viewArea, viewChoice, viewFolded, viewInput } from "./fields.ts";
import { propertiesOf, type Property, readProperties, type Schema, viewProperty } from "./schema-form.ts";

type Secret = ConnectorView["secrets"][number];

/** How files and their values are read: the same for all connectors, and mostly right as it is. */
const READING: ReadonlySet<string> = new Set(Object.keys(FILE_SETTINGS));

/** What is set already; null: the connection is new. */
export type Current = Pick<ConnectionView, "settings" | "secrets"> | null;

export function viewSettingsFields(connector: ConnectorView, current: Current, typed: Typed): Html {
  const all = propertiesOf(connector.settings);
  const isNeeded = (secret: Secret, place: number) => secret.required ?? place === 0;
  const reading = all.filter(({ name, isRequired }) => READING.has(name) && !isRequired);
  const required = all.filter(({ isRequired }) => isRequired);
  const others = all.filter((each) => !reading.includes(each) && !required.includes(each));
  const secrets = connector.secrets.filter(isNeeded);
  const otherSecrets = connector.secrets.filter((each) => !secrets.includes(each));
  const viewAll = (properties: readonly Property[], ofSecrets: readonly Secret[]) =>
    html`${properties.map((each) => viewProperty(each, ["settings"], current?.settings[each.name], typed))}${
      ofSecrets.map((each) => viewSecret(each, current, typed))
    }`;
  const isMain = required.length + secrets.length === 0;
  return html`
    ${connector.notes.map(({ text }) => html`<p class="small soft">${text}</p>`)}
    ${viewAll(required, secrets)}
    ${others.length + otherSecrets.length === 0
      ? ""
      : viewFolded("More settings", isMain || isConcerned(typed, others, otherSecrets), viewAll(others, otherSecrets))}
    ${reading.length === 0
      ? ""
      : viewFolded("How files and values are read", isConcerned(typed, reading, []), viewAll(reading, []))}
  `;
}

/** Whether something in these fields is wrong, so that they have to be seen. */
function isConcerned(typed: Typed, properties: readonly Property[], secrets: readonly Secret[]): boolean {
  const inSettings = properties.map(({ name }) => pointerOf(["settings", name]));
  return isWrongAt(typed, ...inSettings, ...secrets.map(({ name }) => pointerOf(["secrets", name])));
}

/** A secret is typed, and never shown: the field is empty, whatever is set. */
function viewSecret({ name, title, description, multiline }: Secret, current: Current, typed: Typed): Html {
  const pointer = pointerOf(["secrets", name]), isSet = current?.secrets[name]?.set === true;
  const hint = [description, isSet ? "It is set. Leave this empty to keep it" : null].filter(Boolean).join(". ");
  const field = { name: pointer, label: title, ...(hint === "" ? {} : { hint }) };
  return html`${
    multiline ? viewArea({ ...field, isSecret: true }, typed) : viewInput({ ...field, type: "password" }, typed)
  }${isSet ? viewChoice({ name: "forget", value: name, label: `Forget the ${named(title)}` }, [], typed) : ""}`;
}

/** What the form says of settings and secrets. Only secrets that are typed or forgotten are in it. */
export function readSettingsFields(connector: ConnectorView, current: Current, form: URLSearchParams): {
  readonly settings: Record<string, unknown>;
  readonly secrets: Record<string, string | null>;
  readonly errors: ReadonlyMap<string, string>;
} {
  const { values: settings, errors } = readProperties(
    connector.settings as Schema,
    ["settings"],
    form,
    current?.settings ?? {},
  );
  const secrets: Record<string, string | null> = {};
  for (const name of form.getAll("forget")) secrets[name] = null;
  for (const { name, multiline } of connector.secrets) {
    const typed = form.get(pointerOf(["secrets", name])) ?? "";
    // Keys in PEM end with a newline; browsers send another kind of it.
    const text = multiline ? typed.replaceAll("\r\n", "\n") : typed.trim();
    if (text.trim() !== "") secrets[name] = text;
  }
  return { settings, secrets, errors };
}

/** What connectors need, in words: `Subdomain, API key`. */
export function needsInWords({ settings, secrets }: ConnectorView): string {
  const required = propertiesOf(isObject(settings) ? settings : {}).filter(({ isRequired }) => isRequired);
  const names = [
    ...required.map(({ name, schema }) => typeof schema.title === "string" ? schema.title : named(name)),
    ...secrets.filter(({ required }, place) => required ?? place === 0).map(({ title }) => title),
  ];
  return names.join(", ");
}
