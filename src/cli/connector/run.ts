/** `muster connector run DIR --dry-run`: reads a source by the author's connector, on an empty hub in memory. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openTrial, type TrialRun } from "../../kit/trial.ts";
import type { ChangeView } from "../../model/change.ts";
import { Fault } from "../../model/errors.ts";
import { DONE, FAILED, ROW_ERRORS, type Terminal } from "../../runtime/command.ts";
import { createOutbound } from "../../runtime/outbound.ts";
import { parseAllowHosts } from "../../security/outbound.ts";
import { loadFrom } from "./load.ts";
import { printable } from "./text.ts";

export interface RunValues {
  readonly "dry-run"?: boolean;
  readonly settings?: string;
  readonly secret?: string;
  readonly limit?: string;
  readonly state?: string;
  readonly entity?: string;
  readonly "allow-host"?: string;
  readonly json?: boolean;
}

const SHOWN_LIMIT = 20;
const SECRET_VARIABLE = "MUSTER_SECRET_";

export async function runConnector(values: RunValues, terminal: Terminal, place: string): Promise<number> {
  if (values["dry-run"] !== true) {
    throw new Fault("invalid_request", "Only a dry run is done without a hub: add --dry-run");
  }
  const limit = values.limit === undefined ? SHOWN_LIMIT : Number(values.limit);
  const entity = entityOf(values.entity);
  const settings = jsonOf("--settings", values.settings, terminal) ?? {};
  const last = jsonOf("--state", values.state, terminal);
  const outbound = createOutbound(allowedBy(terminal, values["allow-host"]));
  const { connector } = await loadFrom(place, terminal.base);
  const secrets = await secretsOf(Object.keys(connector.secrets ?? {}), values.secret, terminal);
  const interrupt = new AbortController();
  const restore = terminal.onInterrupt(() => interrupt.abort(new Fault("run_failed", "Interrupted")));
  const trial = await openTrial({ connector, settings, secrets, outbound });
  try {
    const run = await trial.run({ mode: "plan", last, limit, entity, signal: interrupt.signal });
    if (values.json) terminal.out(JSON.stringify(run, null, 2));
    else for (const line of linesOf(run)) terminal.out(line);
    return run.error !== null || run.status === "failed" ? FAILED : run.counts.failed > 0 ? ROW_ERRORS : DONE;
  } finally {
    restore();
    trial.close();
  }
}

function entityOf(value: string | undefined): "users" | "departments" | undefined {
  if (value === undefined || value === "users" || value === "departments") return value;
  throw new Fault("invalid_request", `--entity is "${value}": it should be users or departments`);
}

/** A value that begins like JSON is JSON; another one is the name of a file of it. Undefined: the option was not given. */
function jsonOf(option: string, value: string | undefined, { base }: Terminal): unknown {
  if (value === undefined) return undefined;
  const isText = /^\s*[[{]/.test(value);
  try {
    return JSON.parse(isText ? value : readFileSync(resolve(fileURLToPath(base), value), "utf8"));
  } catch (cause) {
    const what = isText ? "no JSON" : `"${value}", which cannot be read as a file of JSON`;
    throw new Fault("invalid_request", `${option} is ${what}`, isText ? {} : { cause });
  }
}

function allowedBy({ env }: Terminal, more: string | undefined) {
  const text = [env.MUSTER_ALLOW_HOSTS, more].filter((part) => part !== undefined && part !== "").join(",");
  const { allow, problems } = parseAllowHosts(text);
  if (problems.length > 0) throw new Fault("invalid_request", `The hosts that are allowed have ${problems.join(", ")}`);
  return allow;
}

/**
 * Values come from the environment or are asked for, so that none is in the shell's history. `named`: the only secrets to
 * take; by default, all of which there is a variable.
 */
async function secretsOf(
  known: readonly string[],
  named: string | undefined,
  { env, ask }: Terminal,
): Promise<Record<string, string>> {
  const names = named?.split(",") ?? known;
  const found: Record<string, string> = {};
  for (const name of names) {
    if (!known.includes(name)) {
      const which = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
      throw new Fault("invalid_request", `The connector has no secret of the name in --secret: ${which}`);
    }
    const variable = `${SECRET_VARIABLE}${name.toUpperCase()}`;
    const value = env[variable] ?? (named === undefined ? undefined : await ask?.(`${name}: `));
    if (value != null && value !== "") found[name] = value;
    else if (named !== undefined) {
      throw new Fault("invalid_request", `The secret "${name}" is missing: set ${variable}`);
    }
  }
  return found;
}

/** People and issues as tables, then what was done. */
function linesOf(run: TrialRun): string[] {
  const issues = run.issues.map((issue) => [
    issue.severity,
    issue.code,
    issue.origin ?? String(issue.line ?? ""),
    issue.message,
  ]);
  return [
    ...tableOf(["action", "who", "would be"], run.changes.map(rowOf)),
    ...(issues.length === 0 ? [] : ["", ...tableOf(["issue", "code", "where", "what"], issues)]),
    "",
    ...run.log.map((line) => `log: ${line}`),
    ...(run.unchanged === null ? [] : [`The source has nothing new: ${run.unchanged}`]),
    ...(run.error === null ? [] : [`Cannot read the source: ${run.error.message} (${run.error.code})`]),
    `${run.counts.read} read, ${run.counts.created} would be created, ${run.counts.failed} refused, in ` +
    `${run.requests.length} requests${run.cut ? "; there may be more: see --limit" : ""}`,
    ...Object.entries(run.states).map(([entity, state]) => `State of ${entity}: ${JSON.stringify(state)}`),
  ];
}

function rowOf({ action, entity, subject, fields }: ChangeView): string[] {
  const who = subject.employee_id ?? subject.email ?? subject.name ?? "";
  const values = Object.entries(fields).filter(([, { after }]) => after !== null)
    .map(([field, { after }]) => `${field}=${typeof after === "string" ? after : JSON.stringify(after)}`);
  return [`${action} ${entity}`, who, values.join(", ")];
}

/** Columns as wide as their longest cell; the last one is not padded. Nothing in a cell can control the terminal. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) =>
    row.map((cell, i) => i === head.length - 1 ? cell : cell.padEnd(widths[i]!)).join("  ").trimEnd()
  );
}
