/**
 * Why a value is not a connector of interface version 1. What can only be seen with settings is tried with those that the
 * schema accepts by itself, or that its JSON Schema shows. Reads nothing, writes nothing.
 */
import { AUTH_KINDS } from "../connector.ts";
import type { Installed } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { DEPARTMENT_FIELDS, KEY_FIELDS, USER_FIELDS } from "../model/record.ts";
import { cronFault } from "../model/schedule.ts";
import { authOf, hostsOf, isTokenAuth, requiredSecrets, tokenUrlOf } from "../sources/auth.ts";
import { checkSettings, prepareSettings, settingsSchemaOf } from "../runs/settings.ts";
import { sampleSettings } from "./sample-settings.ts";
import { isObject } from "../std/is-object.ts";
import { isVersion } from "../std/semver.ts";

/** What a connector may be called. */
export const CONNECTOR_NAME = /^(?=.{1,64}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const ENTITIES: readonly string[] = ["users", "departments"];
const FIELDS = new Set<unknown>([null, ...USER_FIELDS, ...DEPARTMENT_FIELDS]);
const OPTIONAL_FUNCTIONS = [
  "auth",
  "hosts",
  "check",
  "requiredSecrets",
  "normalize",
  "migrateSettings",
  "migrateState",
];

/** Why a value is not a connector; empty: it is one. */
export async function connectorFaults(value: unknown): Promise<string[]> {
  if (!isObject(value)) return ["its default export should be what defineConnector gives"];
  const settings = await settingsFaults(value);
  const faults = [...shapeFaults(value), ...settings, ...mappingFaults(value), ...secretFaults(value)];
  return faults.length > 0 ? faults : usedFaults(value as unknown as Installed);
}

/** As connectorFaults, of what is data alone: none of its code runs. */
export function dataFaults(connector: Installed): string[] {
  const value = connector as unknown as Record<string, unknown>;
  return [...shapeFaults(value), ...mappingFaults(value), ...secretFaults(value)];
}

function shapeFaults(connector: Record<string, unknown>): string[] {
  const { key, schedule, authKinds, coverage } = connector;
  const optional = (name: string, good: (value: unknown) => boolean) =>
    connector[name] === undefined || good(connector[name]);
  const entities = isObject(coverage) ? Object.entries(coverage).filter(([, covers]) => covers !== undefined) : [];
  return [
    needs("api", connector.api === 1, "1, the version of the interface that this hub knows"),
    needs(
      "name",
      matches(connector.name, CONNECTOR_NAME),
      'lower-case words joined by "-"',
    ),
    needs("version", typeof connector.version === "string" && isVersion(connector.version), 'a version like "1.0.0"'),
    needs("title", matches(connector.title, /\S/), "a text"),
    needs(
      "coverage",
      entities.length > 0 &&
        entities.every(([name, covers]) => ENTITIES.includes(name) && (covers === "full" || covers === "diff")),
      'like { users: "full", departments: "diff" }',
    ),
    needs("input", connector.input === "drop" || connector.input === "fetch", '"drop" or "fetch"'),
    needs("fetch", typeof connector.fetch === "function", "a function"),
    ...OPTIONAL_FUNCTIONS.map((name) => needs(name, optional(name, isFunction), "a function, where it is there")),
    needs("homepage", optional("homepage", isWebAddress), "an address like https://example.com, where it is there"),
    needs("notes", optional("notes", isNotes), 'a list like [{ field: "title", text: "…" }], of at most 20'),
    ...["secrets", "mapping"].map((name) => needs(name, optional(name, isObject), "an object, where it is there")),
    needs(
      "key",
      key === undefined || (KEY_FIELDS as readonly unknown[]).includes(key),
      `one of ${KEY_FIELDS.join(", ")}`,
    ),
    needs("schedule", schedule === undefined || isSchedule(schedule), "a cron expression, or a number of minutes"),
    needs("schedule", schedule === undefined || connector.input === "fetch", 'left out where "input" is "drop"'),
    needs(
      "authKinds",
      authKinds === undefined ||
        (Array.isArray(authKinds) && authKinds.every((kind) => (AUTH_KINDS as readonly unknown[]).includes(kind))),
      `a list of some of ${AUTH_KINDS.join(", ")}`,
    ),
  ].filter((fault) => fault !== null);
}

async function settingsFaults(given: Record<string, unknown>): Promise<string[]> {
  const { name, settings, settingsJsonSchema, isolated } = given;
  const standard = (settings as Record<string, unknown> | null | undefined)?.["~standard"];
  if (!isObject(standard) || standard.version !== 1 || typeof standard.validate !== "function") {
    return ['"settings" should be a schema of a library that implements Standard Schema, such as zod 4 or valibot 1'];
  }
  const connector = { name, settings, settingsJsonSchema, isolated } as Installed;
  return await tried(async () => {
    const schema = settingsSchemaOf(connector);
    // Whatever it is given, it has to say what is wrong, and not to throw.
    const values = [{}, null, { unknown: 1 }, ...sampleSettings(schema).slice(0, 1)];
    await prepareSettings(connector, ...values);
    for (const value of values) checkSettings(connector, value);
    return [];
  });
}

function mappingFaults({ mapping }: Record<string, unknown>): string[] {
  return Object.entries(isObject(mapping) ? mapping : {}).filter(([, field]) => !FIELDS.has(field))
    .map(([column, field]) => `"mapping.${column}" should be a field of the hub or null, and is "${String(field)}"`);
}

function secretFaults({ secrets }: Record<string, unknown>): string[] {
  return Object.entries(isObject(secrets) ? secrets : {}).flatMap(([name, secret]) => [
    needs(`secrets.${name}`, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name), 'called in lower-case words joined by "_"'),
    needs(`secrets.${name}.title`, isObject(secret) && matches(secret.title, /\S/), "a text"),
  ]).filter((fault) => fault !== null);
}

/** What `auth`, `hosts` and `requiredSecrets` do with settings that are valid. */
function usedFaults(connector: Installed): Promise<string[]> {
  return tried(async () => {
    const samples = sampleSettings(settingsSchemaOf(connector));
    await prepareSettings(connector, ...samples);
    for (const sample of samples) {
      const checked = checkSettings(connector, sample);
      if ("issues" in checked) continue;
      const settings = checked.settings as never;
      const auth = authOf(connector, settings);
      if (isTokenAuth(auth)) tokenUrlOf(connector, auth, settings);
      requiredSecrets(connector, settings);
      hostsOf(connector, settings);
    }
    return [];
  });
}

async function tried(work: () => Promise<string[]>): Promise<string[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault) return [error.message];
    throw error;
  }
}

function needs(name: string, good: boolean, should: string): string | null {
  return good ? null : `"${name}" should be ${should}`;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isSchedule(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (typeof value.cron === "string") return cronFault(value.cron) === null;
  return Number.isInteger(value.every_minutes) && (value.every_minutes as number) >= 1;
}

function isWebAddress(value: unknown): boolean {
  return typeof value === "string" && value.length <= 500 && /^https?:/.test(value) && URL.canParse(value);
}

/** A field is one of the hub's. */
function isNotes(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 20 &&
    value.every((note) =>
      isObject(note) && matches(note.text, /\S/) && (note.text as string).length <= 500 &&
      (note.field === undefined || (note.field !== null && FIELDS.has(note.field)))
    );
}

function matches(value: unknown, form: RegExp): boolean {
  return typeof value === "string" && form.test(value);
}
