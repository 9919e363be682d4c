/** Loads an author's connector from a file or folder, in a child, as a hub does. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Installed } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { type ConnectorSource, sourceAt } from "../../runtime/installed/open-source.ts";
import { type Bundle, bundleConnector, type MadeOf } from "../../runtime/sandbox/bundle.ts";
import { type Child, startChild } from "../../runtime/sandbox/child.ts";
import { findDeno } from "../../runtime/sandbox/deno-program.ts";
import type { Limits } from "../../runtime/sandbox/protocol.ts";
import { checkConnector, NO_DENO } from "../../runtime/third-party.ts";

export interface Loaded {
  readonly connector: Installed;
  readonly bundle: Bundle & MadeOf;
  /** The folder that it is in. */
  readonly folder: string;
  /** Ends its children, and removes what they left. */
  end(): Promise<void>;
}

export interface LoadFrom {
  /** Ends all children of the connector when it is aborted, also later. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
  /** Called with the path of each file that it is made of, or would be if it were there. */
  readonly onFile?: (path: string) => void;
}

/** `place`: as it was typed, relative to `base`. Fails with a Fault that has all problems. */
export async function loadFrom(place: string, base: string, options: LoadFrom = {}): Promise<Loaded> {
  const source = await sourceAt(resolve(fileURLToPath(base), place));
  options.onFile?.(join(source.folder, "package.json"));
  const loaded = await load(source, options).catch((error) => {
    if (error instanceof Fault) return error.message;
    throw error;
  });
  if (typeof loaded === "string") throw new Fault("unprocessable", `Cannot use the connector ${place}: ${loaded}`);
  return loaded;
}

/** What is wrong with the connector as a text, or as a Fault. */
async function load(
  { entry, folder, from }: ConnectorSource,
  { signal, limits, onFile }: LoadFrom,
): Promise<Loaded | string> {
  const deno = findDeno();
  if (deno === null) return NO_DENO;
  const bundle = await bundleConnector(entry, folder, onFile);
  const children: Promise<Child>[] = [];
  const start: typeof startChild = (options) => {
    const starting = startChild({ ...options, signal });
    children.push(starting);
    return starting;
  };
  const shown = { ...bundle, code: `${EXITS}${bundle.code}` };
  const found = await checkConnector(shown, from, { deno, limits, start });
  if (typeof found === "string") return found;
  // A child that could not be started has removed what it left itself.
  const end = async () => void await Promise.allSettled(children.map(async (child) => await (await child).end()));
  return { connector: found.installed, bundle, folder, end };
}

/**
 * In a hub a call of `exit` ends the child, and nobody knows where it was. Here it is an error, which has a place. In one
 * line without an end, so that the lines of the connector's code stay what they are.
 */
const EXITS = `{const exit=()=>{const error=new Error("exit");error.name="ExitCalled";` +
  `Error.captureStackTrace(error,exit);throw error};` +
  `for(const each of [globalThis.Deno,globalThis.process])try{each.exit=exit}catch{}}`;
