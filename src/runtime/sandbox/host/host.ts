/**
 * The program of a connector's child process, in Deno without any permission. It loads the connector's code, which comes
 * as the first line of standard input, and answers the hub's calls (protocol.ts).
 *
 * The code is imported by a computed `blob:` URL. Deno lets the modules that are named in the program's own text read
 * files, whatever its permissions are; those of a module that is imported this way may not.
 */
import type { MigrationAsk, RowsToNormalize } from "../../../hub.ts";
import { linesOf } from "../lines.ts";
import type { Call, ToChild } from "../protocol.ts";
import { beginLog, contextFor, log } from "./context.ts";
import { keepCode, Misuse } from "./misuse.ts";
import { exit, faultText, parse, stdin, takeAnswer, write } from "./pipe.ts";
import { beginFetch, nextPage, normalize } from "./rows.ts";
import { type AnyFunction, configure, describe, type Loaded } from "./settings.ts";

/** Null: the module has no object as its default export. */
let loaded: Loaded | null = null;
let callOfNow: number | null = null;

/** Each writes what it gives. */
const CALLS: Record<Call, (connector: Loaded, of: number, given: never) => unknown> = {
  describe: (connector, of) => write({ value: of, is: loaded === null ? { data: null } : describe(connector) }),
  configure: (connector, of, given: { settings: unknown }) =>
    write({ value: of, is: configure(connector, given.settings) }),
  async check(connector, of, given) {
    const result = await (connector.check as AnyFunction)(contextFor(of, given));
    if (typeof result !== "object" || result === null) throw new Misuse("check", connector.check);
    write({ value: of, is: result });
  },
  async fetch(connector, of, given) {
    beginFetch(connector, of, given);
    await nextPage(connector, of);
  },
  normalize: (connector, of, given: RowsToNormalize) => normalize(connector, of, given),
  migrate: (connector, of, { what, from }: MigrationAsk) =>
    write({ value: of, is: (connector[what] as AnyFunction)(from) ?? null }),
};

async function answer(of: number, make: () => unknown): Promise<void> {
  callOfNow = of;
  beginLog();
  try {
    await make();
  } catch (error) {
    write({ fault: of, is: faultText(error) });
  }
}

async function hear(message: ToChild): Promise<void> {
  if ("call" in message) {
    const { call, what, with: given } = message;
    await answer(call, () => CALLS[what](loaded ?? {}, call, given as never));
  } else if ("next" in message) await answer(message.next, () => nextPage(loaded ?? {}, message.next));
  else if ("answer" in message) takeAnswer(message);
}

/** What the connector finds in place of what a child does not have. */
function prepare(): void {
  const print = (...given: unknown[]) => log(callOfNow, given.map(String).join(" "));
  for (const name of ["log", "info", "debug", "warn", "error"] as const) console[name] = print;
  globalThis.fetch = () =>
    Promise.reject(new Error("A connector has no network of its own: use the fetch of its context"));
  standIn();
  const crash = (error: unknown) => {
    write({ crash: faultText(error) });
    exit(70);
  };
  addEventListener("error", (event) => {
    event.preventDefault();
    crash(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    crash(event.reason);
  });
}

/** What libraries of Node look for while they are loaded. Deno's own `process` refuses to be asked for an environment. */
function standIn(): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, "process");
  const process = {
    argv: [],
    env: {},
    platform: "linux",
    version: "v22.0.0",
    versions: { node: "22.0.0" },
    cwd: () => "/",
    emitWarning: () => {},
    nextTick: (then: AnyFunction, ...given: unknown[]) => queueMicrotask(() => then(...given)),
    on: () => process,
    once: () => process,
    off: () => process,
  };
  const kept = (value: unknown) => ({ value, configurable: true, writable: true });
  Object.defineProperty(globalThis, "process", kept(process));
  // Packages of CommonJS call it for Node's modules. Only then is Deno's own process made, which takes time.
  const require = (name: string) => {
    if (/^(node:)?process$/.test(name)) return process;
    const real = own?.get === undefined ? own?.value : own.get.call(globalThis);
    const found = real?.getBuiltinModule(name);
    if (found === undefined) throw new Error("A connector has nothing to require but modules of Node");
    return found;
  };
  Object.defineProperty(globalThis, "require", kept(require));
}

async function load(code: string): Promise<void> {
  keepCode(code);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const found = (await import(url)).default;
    if (typeof found === "object" && found !== null) loaded = found;
    write({ loaded: true });
  } catch (error) {
    write({ crash: faultText(error) });
    exit(71);
  }
}

async function main(): Promise<void> {
  prepare();
  write({ ready: true });
  let isLoaded = false;
  for await (const line of linesOf(stdin.readable, Infinity)) {
    const message = parse(line) as ToChild;
    if (isLoaded) void hear(message);
    else await load((message as { load: string }).load);
    isLoaded = true;
  }
  exit(0);
}

await main();
