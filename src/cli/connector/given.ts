/** What an author gives on the command line in place of a connection, and what of the source is to be read. */
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Installed } from "../../hub.ts";
import type { TrialDrop, TrialOptions, TrialRunOptions } from "../../kit/trial.ts";
import { Fault } from "../../model/errors.ts";
import type { Terminal } from "../../runtime/command.ts";
import { createOutbound } from "../../runtime/outbound.ts";
import { type Outbound, parseAllowHosts } from "../../security/outbound.ts";

export interface ConnectionValues {
  readonly settings?: string;
  readonly secret?: string;
  readonly "allow-host"?: string;
}

export interface ReadValues {
  readonly limit?: string;
  readonly state?: string;
  readonly entity?: string;
  readonly file?: string;
}

/** Of a connector that fetches: nobody wants to wait for thousands of people at each try. */
const LIMIT = 20;
const SECRET_VARIABLE = "MUSTER_SECRET_";

/** Files are read anew. Asks for secrets that are not in `known`, and adds them to it. */
export async function connectionOf(
  connector: Installed,
  values: ConnectionValues,
  terminal: Terminal,
  known: Map<string, string> = new Map(),
): Promise<Pick<TrialOptions, "settings" | "secrets">> {
  return {
    settings: jsonOf("--settings", values.settings, terminal) ?? {},
    secrets: await secretsOf(Object.keys(connector.secrets ?? {}), values.secret, terminal, known),
  };
}

/** Files are read anew. */
export function readOf(
  { input, title }: Installed,
  values: ReadValues,
  terminal: Terminal,
): Pick<TrialRunOptions, "limit" | "last" | "entity" | "drop"> {
  const entity = entityOf(values.entity);
  if (input === "fetch") {
    if (values.file !== undefined) {
      throw new Fault("invalid_request", `The connector "${title}" fetches, and takes no --file`);
    }
    const limit = values.limit === undefined ? LIMIT : Number(values.limit);
    return { limit, last: jsonOf("--state", values.state, terminal), entity };
  }
  if (values.file === undefined) {
    throw new Fault("invalid_request", `The connector "${title}" takes files: name one with --file`);
  }
  for (const option of ["limit", "state"] as const) {
    if (values[option] === undefined) continue;
    throw new Fault("invalid_request", `--${option} is for connectors that fetch: a file is read whole`);
  }
  return { entity, drop: dropOf(values.file, terminal) };
}

/** The files that the values name, as paths. */
export function filesNamed({ settings, state, file }: ConnectionValues & ReadValues, { base }: Terminal): string[] {
  const named = [settings, state].filter((value) => value !== undefined && !isJson(value));
  return [...named, file].filter((value) => value !== undefined).map((value) => pathOf(value, base));
}

/** Through the hub's gate, with what the operator allows. */
export function outboundOf(values: ConnectionValues, { env }: Terminal): Outbound {
  const parts = [env.MUSTER_ALLOW_HOSTS, values["allow-host"]];
  const { allow, problems } = parseAllowHosts(parts.filter((part) => part !== undefined && part !== "").join(","));
  if (problems.length > 0) throw new Fault("invalid_request", `The hosts that are allowed have ${problems.join(", ")}`);
  return createOutbound(allow);
}

function entityOf(value: string | undefined): "users" | "departments" | undefined {
  if (value === undefined || value === "users" || value === "departments") return value;
  throw new Fault("invalid_request", `--entity is "${value}": it should be users or departments`);
}

/** Its type is found by its name and its bytes, as that of an upload without one. */
function dropOf(file: string, { base }: Terminal): TrialDrop {
  try {
    return { name: basename(file), content: new Uint8Array(readFileSync(pathOf(file, base))) };
  } catch (cause) {
    throw new Fault("not_found", `Cannot read ${file}`, { cause });
  }
}

/** A value that begins like JSON is JSON; another one is the name of a file of it. Undefined: the option was not given. */
function jsonOf(option: string, value: string | undefined, { base }: Terminal): unknown {
  if (value === undefined) return undefined;
  const isText = isJson(value);
  try {
    return JSON.parse(isText ? value : readFileSync(pathOf(value, base), "utf8"));
  } catch (cause) {
    const what = isText ? "no JSON" : `"${value}", which cannot be read as a file of JSON`;
    throw new Fault("invalid_request", `${option} is ${what}`, isText ? {} : { cause });
  }
}

function isJson(value: string): boolean {
  return /^\s*[[{]/.test(value);
}

function pathOf(value: string, base: string): string {
  return resolve(fileURLToPath(base), value);
}

/**
 * Values come from the environment or are asked for, so that none is in the shell's history. `named`: the only secrets to
 * take; by default, all of which there is a variable.
 */
async function secretsOf(
  declared: readonly string[],
  named: string | undefined,
  { env, ask }: Terminal,
  known: Map<string, string>,
): Promise<Record<string, string>> {
  const names = named?.split(",") ?? declared;
  for (const name of names) {
    if (!declared.includes(name)) {
      const which = declared.length === 0 ? "it has none" : `it has ${declared.join(", ")}`;
      throw new Fault("invalid_request", `The connector has no secret of the name in --secret: ${which}`);
    }
    if (known.has(name)) continue;
    const variable = `${SECRET_VARIABLE}${name.toUpperCase()}`;
    const value = env[variable] ?? (named === undefined ? undefined : await ask?.(`${name}: `));
    if (value != null && value !== "") known.set(name, value);
    else if (named !== undefined) {
      throw new Fault("invalid_request", `The secret "${name}" is missing: set ${variable}`);
    }
  }
  return Object.fromEntries([...known].filter(([name]) => names.includes(name)));
}
