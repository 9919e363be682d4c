/** Loads the connectors of the modules that the operator names, in addition to Muster's own. */
import type { Connector } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Registry } from "../hub.ts";
import { KEY_FIELDS } from "../model/record.ts";
import { cronFault } from "../model/schedule.ts";
import { createRegistry } from "./registry.ts";

/** `base`: URL for relative specifiers, with a trailing slash. Fails with `unprocessable`, with all problems in one message. */
export async function loadRegistry(specifiers: readonly string[], base: string): Promise<Registry> {
  const registry = createRegistry();
  const problems: string[] = [];
  for (const specifier of specifiers) {
    const found = await importConnector(specifier, base);
    if (typeof found === "string") problems.push(`Cannot use the connector ${specifier}: ${found}`);
    else if (registry.has(found.name)) {
      problems.push(`Cannot use the connector ${specifier}: there is already a connector "${found.name}"`);
    } else registry.set(found.name, found);
  }
  if (problems.length > 0) throw new Fault("unprocessable", problems.join("\n"));
  return registry;
}

/** The default export of the module, or what is wrong with it. */
async function importConnector(specifier: string, base: string): Promise<Connector<never> | string> {
  let module: { default?: unknown };
  try {
    module = await import(/^\.{0,2}\//.test(specifier) ? new URL(specifier, base).href : specifier);
  } catch (error) {
    return `it cannot be loaded (${error instanceof Error ? error.message.split("\n")[0] : error})`;
  }
  const wrong = connectorFaults(module.default);
  return wrong.length === 0 ? module.default as Connector<never> : wrong.join("; ");
}

/** Why a value is not a connector; empty: it is one. */
export function connectorFaults(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return ["its default export should be what defineConnector gives"];
  const connector = value as Record<string, unknown>;
  const faults: string[] = [];
  const needs = (name: string, good: boolean, should: string) => {
    if (!good) faults.push(`"${name}" should be ${should}`);
  };
  needs("name", matches(connector.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/), 'lower-case words joined by "-"');
  needs("version", matches(connector.version, /^\d+\.\d+\.\d+/), 'a version like "1.0.0"');
  needs("title", matches(connector.title, /\S/), "a text");
  needs("coverage", connector.coverage === "full" || connector.coverage === "diff", '"full" or "diff"');
  needs("takesDrops", typeof connector.takesDrops === "boolean", "true or false");
  const settings = connector.settings as { safeParse?: unknown } | null | undefined;
  needs("settings", typeof settings?.safeParse === "function", "a zod schema");
  needs("fetch", typeof connector.fetch === "function", "a function");
  needs("normalize", typeof connector.normalize === "function", "a function");
  for (const name of ["auth", "hosts", "check", "requiredSecrets"]) {
    needs(name, ["undefined", "function"].includes(typeof connector[name]), "a function, where it is there");
  }
  for (const name of ["secrets", "mapping"]) {
    needs(name, connector[name] === undefined || isObject(connector[name]), "an object, where it is there");
  }
  for (const [name, secret] of Object.entries(isObject(connector.secrets) ? connector.secrets : {})) {
    needs(`secrets.${name}`, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name), 'called in lower-case words joined by "_"');
    needs(`secrets.${name}.title`, isObject(secret) && matches(secret.title, /\S/), "a text");
  }
  const { key, schedule } = connector;
  needs(
    "key",
    key === undefined || (KEY_FIELDS as readonly unknown[]).includes(key),
    `one of ${KEY_FIELDS.join(", ")}`,
  );
  needs("schedule", schedule === undefined || isSchedule(schedule), "a cron expression, or a number of minutes");
  needs(
    "schedule",
    schedule === undefined || connector.takesDrops === false,
    "left out by a connector that takes drops",
  );
  return faults;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSchedule(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (typeof value.cron === "string") return cronFault(value.cron) === null;
  return Number.isInteger(value.every_minutes) && (value.every_minutes as number) >= 1;
}

function matches(value: unknown, form: RegExp): boolean {
  return typeof value === "string" && form.test(value);
}
