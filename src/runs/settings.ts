/**
 * A connection's settings, checked by its connector's schema, which is of any library (Standard Schema). What such a schema
 * does wrong is the connector's fault, and never an error of the hub. No I/O.
 */
import type { Connector } from "../connector.ts";
import type { Installed } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import type { StandardIssue, StandardJsonSchema } from "../model/standard-schema.ts";
import { isObject } from "../std/is-object.ts";

/** A problem of one setting. What else a library gives about it is kept. */
export interface SettingsIssue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

export type CheckedSettings =
  | { readonly settings: Readonly<Record<string, unknown>> }
  | { readonly issues: readonly SettingsIssue[] };

/** To be awaited before settings are checked: a connector may read them in another process. Never fails. */
export async function prepareSettings({ isolated }: Pick<Installed, "isolated">, ...stored: unknown[]): Promise<void> {
  await isolated?.prepare(stored);
}

type WithSettings = Pick<Connector<never>, "name" | "settings">;

/** The settings with their defaults, or what is wrong with them. Fails with `connector_failed` if the schema does not work. */
export function checkSettings({ name, settings: schema }: WithSettings, stored: unknown): CheckedSettings {
  let result: unknown;
  try {
    result = schema["~standard"].validate(stored);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw schemaFault(name, "throws instead of naming what is wrong", cause);
  }
  if (!isObject(result)) throw schemaFault(name, "gives no result");
  if (result instanceof Promise) throw schemaFault(name, "gives a promise; it should validate at once");
  if (Array.isArray(result.issues)) return { issues: (result.issues as StandardIssue[]).map(settingsIssue) };
  if (!isObject(result.value)) throw schemaFault(name, "gives settings that are no object");
  return { settings: result.value };
}

/** As checkSettings: the settings alone. Fails with `source_misconfigured` if they are invalid. */
export function parseSettings(connector: WithSettings, stored: unknown): never {
  const checked = checkSettings(connector, stored);
  if ("settings" in checked) return checked.settings as never;
  const first = checked.issues[0];
  const { path = [], message = "the connector refuses it" } = first ?? {};
  throw new Fault("source_misconfigured", `The connection's setting "${path.join(".")}" cannot be used: ${message}`);
}

/**
 * What the connector accepts as settings, as JSON Schema: its own, or that of its library. Fails with `connector_failed`
 * if there is none, or if it does not describe an object.
 */
export function settingsSchemaOf(
  { name, settings, settingsJsonSchema }: WithSettings & Pick<Connector<never>, "settingsJsonSchema">,
): Readonly<Record<string, unknown>> {
  const { jsonSchema } = settings["~standard"] as { readonly jsonSchema?: StandardJsonSchema };
  let found: unknown = settingsJsonSchema;
  if (found === undefined && typeof jsonSchema?.input === "function") {
    try {
      found = jsonSchema.input({ target: "draft-2020-12" });
    } catch (cause) {
      throw schemaFault(name, "has no JSON Schema; give one as settingsJsonSchema", cause);
    }
  }
  if (!isObject(found)) throw schemaFault(name, "has no JSON Schema; give one as settingsJsonSchema");
  if (!describesObject(found)) throw schemaFault(name, "should describe an object, and describes something else");
  return jsonOf(name, found);
}

/** Also where there are several forms, each of them an object. */
function describesObject(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  if (schema.type !== undefined) return schema.type === "object";
  const forms = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  return Array.isArray(forms) && forms.length > 0 && forms.every(describesObject);
}

/** A schema is published, so it has to be JSON. */
function jsonOf(name: string, schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(JSON.stringify(schema));
  } catch (cause) {
    throw schemaFault(name, "has a JSON Schema that is not JSON", cause);
  }
}

function settingsIssue(issue: StandardIssue): SettingsIssue {
  const path = (issue.path ?? []).map((part) => typeof part === "object" ? part.key : part);
  return { ...issue, message: String(issue.message), path };
}

function schemaFault(name: string, what: string, cause?: unknown): Fault {
  return new Fault("connector_failed", `The settings schema of the connector "${name}" ${what}`, { cause });
}
