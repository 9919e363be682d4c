/** The routes of the console, as addresses of what a test has made: one that is added cannot be forgotten. */
import { createApp } from "../../src/http/app.ts";
import type { Hub } from "../../src/hub.ts";

export interface ConsoleRoute {
  readonly method: string;
  /** As it is declared. */
  readonly path: string;
  readonly address: string;
}

/** What stands for parameters; ids of what no test makes by itself, too. */
const USUAL: Readonly<Record<string, string>> = {
  ":organization": "default",
  ":connection": "csv",
  ":connector": "csv-upload",
  ":pgp_key": "pgp_00000000001",
  "deliveries/:id": "dlv_00000000001",
  "members/:id": "mem_00000000001",
  "sessions/:id": "ses_00000000001",
  "templates/:id": "tpl_00000000001",
  "templates/:name": "custom",
  "tokens/:id": "tok_00000000001",
  "webhooks/:id": "whe_00000000001",
};

/**
 * `examples`: what stands for a parameter, such as `:connection`, or for one after a segment, such as `people/:id`. Fails
 * for a parameter without an example.
 */
export function consoleRoutesOf(hub: Hub, examples: Readonly<Record<string, string>>): ConsoleRoute[] {
  return createApp(hub).routes
    .filter(({ path, method }) => /^\/(o|operator)(\/|$)/.test(path) && method !== "ALL" && !path.endsWith("*"))
    .map(({ path, method }) => ({ method, path, address: addressOf(path, { ...USUAL, ...examples }) }));
}

function addressOf(path: string, examples: Readonly<Record<string, string>>): string {
  const segments = path.split("/");
  return segments.map((segment, i) => {
    if (!segment.startsWith(":")) return segment;
    const words = /\{([^}]*)\}$/.exec(segment)?.[1], name = segment.replace(/\{.*$/, "");
    // The first of a list of words, such as `approve|cancel`, or of names, such as `people\.(?:csv|xlsx)`.
    if (words !== undefined) return words.replace(/\\/g, "").replace(/\(\?:([^|)]*)[^)]*\)/g, "$1").split("|")[0]!;
    const found = examples[`${segments[i - 1]}/${name}`] ?? examples[name];
    if (found === undefined) throw new Error(`${path}: this test should have an example of ${name}`);
    return found;
  }).join("/");
}
