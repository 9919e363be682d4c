/**
 * The program of a connector's child process, in Deno without any permission. It loads the connector's code, which comes
 * as the first line of standard input, and answers the hub's calls (protocol.ts).
 *
 * The code is imported by a computed `blob:` URL. Deno lets the modules that are named in the program's own text read
 * files, whatever its permissions are; those of a module that is imported this way may not.
 */
import { linesOf } from "./lines.ts";
import type { RowsToNormalize } from "../../hub.ts";
import type { AllOfDrop, Ask, Call, FaultText, FromChild, HttpAnswer, ToChild } from "./protocol.ts";

declare const Deno: {
  readonly stdin: { readonly readable: AsyncIterable<Uint8Array> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
};

type AnyFunction = (...given: unknown[]) => unknown;
type Loaded = Record<string, unknown>;

/** Kept from the connector, which may replace what is global. */
const { stringify, parse } = JSON;
const encoder = new TextEncoder();
const { stdout } = Deno;
const exit = Deno.exit.bind(Deno);

let connector: Loaded = {}, hasDefault = false;
let callOfNow: number | null = null;
let asks = 0;
const asked = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
const fetches = new Map<number, AsyncIterator<unknown>>();
/** Parts of a page that is too long for one message. */
const parts = new Map<number, unknown[]>();

/** Of the connector's own faults, known by their names as each package may have a class of its own. */
const KINDS = ["connection", "credentials", "answer", "settings"];
const MAX_LOGGED = 2_000;
const RECORDS_AT_ONCE = 500;

function write(message: FromChild): void {
  writeText(stringify(message));
}

function writeText(text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let from = 0; from < bytes.length;) from += stdout.writeSync(bytes.subarray(from));
}

function faultText(error: unknown): FaultText {
  if (!(error instanceof Error)) return { kind: "connector", message: "", name: typeof error };
  const at = placeOf(error);
  const { kind, within } = error as { kind?: unknown; within?: string };
  if (error.name === "SourceFault" && KINDS.includes(kind as string)) {
    return { kind: kind as "answer", message: String(error.message), name: error.name, ...at };
  }
  return { kind: "connector", message: "", name: String(error.name), within, ...at };
}

/** Where in the loaded code. The message is left out of the search, as it may contain anything. */
function placeOf(error: Error): Pick<FaultText, "at"> {
  const stack = String(error.stack ?? "").replace(String(error.message), "");
  const place = /blob:[^\s)]*:(\d+):(\d+)/.exec(stack);
  return place === null ? {} : { at: [Number(place[1]), Number(place[2])] };
}

function ask<T>(of: number, what: Ask, given: unknown): Promise<T> {
  const id = ++asks;
  return new Promise<T>((resolve, reject) => {
    asked.set(id, { resolve, reject });
    write({ ask: id, of, what, with: given });
  });
}

class SourceFault extends Error {
  readonly kind: string;

  constructor({ kind, message }: FaultText) {
    super(message);
    this.name = "SourceFault";
    this.kind = kind;
  }
}

/** The `fetch` of a context: the hub sends the request, with the credentials. */
function fetchFor(of: number) {
  return async (url: unknown, request: Record<string, unknown> = {}): Promise<Response> => {
    const { method, headers, body, timeoutMs } = request;
    const content = body === undefined || body === null
      ? {}
      : typeof body === "string"
      ? { text: body }
      : { base64: (body as Uint8Array & { toBase64(): string }).toBase64() };
    const answer = await ask<HttpAnswer>(of, "http", { url: String(url), method, headers, timeoutMs, ...content });
    const stream = answer.body === null ? null : bodyOf(of, answer.body);
    const response = new Response(stream, { status: answer.status, headers: answer.headers as [string, string][] });
    if (answer.body !== null) bodies.set(response, answer.body);
    return response;
  };
}

function bodyOf(of: number, body: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = await ask<string | null>(of, "chunk", { body });
      if (chunk === null) controller.close();
      else controller.enqueue(fromBase64(chunk));
    },
    async cancel() {
      await ask(of, "chunk", { body, cancel: true });
    },
  }, { highWaterMark: 0 });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }).fromBase64(text);
}

/** Bodies of responses that the hub still has, by their Response. */
const bodies = new WeakMap<Response, number>();

/** Reads by the hub's own readers. What the hub has, it need not send here and back. */
async function* readFor(of: number, body: Response | ReadableStream<Uint8Array>, as: Record<string, unknown> = {}) {
  const isResponse = body instanceof Response, own = isResponse && !body.bodyUsed ? bodies.get(body) : undefined;
  const contentType = as.contentType ?? (isResponse ? body.headers.get("content-type") : null) ?? undefined;
  const reader = await ask<number>(of, "read", { body: own ?? null, contentType, name: as.name });
  if (own === undefined) void feed(of, reader, isResponse ? body.body : body).catch(() => {});
  for (;;) {
    const page = await ask<unknown>(of, "page", { reader });
    if (page === null) return;
    yield page;
  }
}

async function feed(of: number, reader: number, stream: ReadableStream<Uint8Array> | null): Promise<void> {
  for await (const chunk of (stream ?? []) as AsyncIterable<Uint8Array & { toBase64(): string }>) {
    await ask(of, "feed", { reader, base64: chunk.toBase64() });
  }
  await ask(of, "feed", { reader, base64: null });
}

async function* readDrop(drop: unknown): AsyncGenerator<AllOfDrop> {
  if (drop === null) throw new TypeError("There is no drop");
  yield { allOfDrop: true };
}

/** The context of `check` and `fetch`. What is data comes from the hub, and the rest asks it. */
function contextFor(of: number, given: Record<string, unknown>): Record<string, unknown> {
  const checkpoint = given.checkpoint as Record<string, unknown> | undefined;
  return {
    ...given,
    fetch: fetchFor(of),
    signal: new AbortController().signal,
    log: (message: unknown) => write({ log: String(message).slice(0, MAX_LOGGED), of }),
    ...(checkpoint === undefined ? {} : {
      checkpoint: { ...checkpoint, save: (state: unknown) => ask(of, "save", state ?? null) },
      startOver: () => ask(of, "startOver", null),
      readDrop: () => readDrop(given.drop),
      read: (body: Response, as?: Record<string, unknown>) => readFor(of, body, as),
      expectTotal: (count: unknown) => void ask(of, "expectTotal", { count }).catch(() => {}),
      warn: (warning: unknown) => void ask(of, "warn", warning).catch(() => {}),
    }),
  };
}

const CALLS: Record<Call, (of: number, given: never) => unknown> = {
  describe: () => describe(),
  configure: (_, given: { settings: unknown }) => configure(given.settings),
  check: (of, given) => (connector.check as AnyFunction)(contextFor(of, given)),
  fetch: (of, given) => beginFetch(of, given),
  normalize: (of, given: RowsToNormalize) => normalize(of, given),
  migrate: (_, given: { what: "migrateSettings" | "migrateState"; from: unknown }) =>
    (connector[given.what] as AnyFunction)(given.from),
};

/** What is data, and the names of what is not. */
function describe(): unknown {
  const data: Record<string, unknown> = {}, functions: string[] = [];
  for (const [name, value] of Object.entries(connector)) {
    if (typeof value === "function") functions.push(name);
    else if (name !== "settings") data[name] = value;
  }
  const standard = (connector.settings as Loaded | undefined)?.["~standard"] as Loaded | undefined;
  const hasSchema = standard?.version === 1 && typeof standard.validate === "function";
  return { data: hasDefault ? data : null, functions, hasSchema, settingsSchema: settingsSchema() };
}

/** As JSON Schema; null: neither the connector nor the library of its schema gives one. */
function settingsSchema(): unknown {
  if (connector.settingsJsonSchema !== undefined) return connector.settingsJsonSchema;
  const settings = connector.settings as Record<string, unknown> | undefined;
  const standard = settings?.["~standard"] as { jsonSchema?: { input?: AnyFunction } } | undefined;
  if (typeof standard?.jsonSchema?.input === "function") return standard.jsonSchema.input({ target: "draft-2020-12" });
  return typeof settings?.toJSONSchema === "function" ? settings.toJSONSchema({ io: "input" }) : null;
}

/** The settings as the connector reads them, and what follows from them; or what is wrong with them. */
function configure(given: unknown): unknown {
  const schema = connector.settings as { "~standard": { validate: AnyFunction } };
  const result = within("settings", () => schema["~standard"].validate(given)) as Loaded | null;
  if (result instanceof Promise) return { late: true };
  if (Array.isArray(result?.issues)) return { result: { issues: result.issues.slice(0, 100).map(issueOf) } };
  const settings = result?.value;
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return { result };
  const from = (name: string) =>
    within(name, () => (connector[name] as AnyFunction | undefined)?.call(connector, settings));
  const auth = from("auth") as Loaded | undefined;
  return {
    result: { value: settings },
    auth: within("auth", () => authOf(auth, settings)),
    hosts: from("hosts"),
    requiredSecrets: from("requiredSecrets"),
  };
}

/** Runs a function of the connector, and notes on its error which one it was. */
function within<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw Object.assign(error instanceof Error ? error : new Error(), { within: name });
  }
}

function issueOf(issue: unknown): unknown {
  const { message, path = [] } = issue as { message: string; path?: readonly unknown[] };
  return { message, path: path.map((part) => typeof part === "object" ? (part as { key: unknown }).key : part) };
}

/** The connector's functions of URLs become the URLs. */
function authOf(auth: Loaded | undefined, settings: unknown): unknown {
  if (auth === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => [name, typeof value === "function" ? value(settings) : value]),
  );
}

/** Written as text, row by row, so that one record that is no JSON does no harm to the others. */
function normalize(of: number, { columns, rows, context }: RowsToNormalize): void {
  const done = rows.map(([line, origin, given, absent = []]) => {
    try {
      // JSON has no way of saying that a cell is not there.
      const cells = absent.length === 0 ? given : given.map((cell, place) => absent.includes(place) ? undefined : cell);
      const record = (connector.normalize as AnyFunction)({ line, origin, columns, cells }, context);
      return `{"record":${stringify(requireRecord(record))}}`;
    } catch (error) {
      return stringify({ threw: faultText(error) });
    }
  });
  writeText(`{"value":${of},"is":[${done.join()}]}`);
}

function requireRecord(value: unknown): object {
  if (typeof value !== "object" || value === null || value instanceof Promise || Array.isArray(value)) {
    throw new TypeError("normalize gave no record");
  }
  for (const cell of Object.values(value)) {
    // JSON would make them null, which empties a field.
    if (typeof cell === "number" && !Number.isFinite(cell)) throw new RangeError("normalize gave a number without end");
  }
  return value;
}

function beginFetch(of: number, given: Record<string, unknown>): null {
  const pages = (connector.fetch as AnyFunction)(contextFor(of, given)) as AsyncIterable<unknown>;
  fetches.set(of, pages[Symbol.asyncIterator]());
  return null;
}

async function nextPage(of: number): Promise<void> {
  const left = parts.get(of)?.shift();
  if (left !== undefined) return write({ page: of, is: left });
  const { done, value } = await fetches.get(of)!.next();
  if (!done) {
    const [first, ...others] = cut(value);
    parts.set(of, others);
    return write({ page: of, is: first });
  }
  fetches.delete(of);
  parts.delete(of);
  write({ value: of, is: value });
}

function cut(page: unknown): unknown[] {
  const records = (page as { records?: unknown } | null)?.records;
  if (!Array.isArray(records) || records.length <= RECORDS_AT_ONCE) return [page];
  return Array.from({ length: Math.ceil(records.length / RECORDS_AT_ONCE) }, (_, i) => ({
    ...page as object,
    records: records.slice(i * RECORDS_AT_ONCE, (i + 1) * RECORDS_AT_ONCE),
  }));
}

async function answer(of: number, make: () => unknown): Promise<void> {
  callOfNow = of;
  try {
    await make();
  } catch (error) {
    write({ fault: of, is: faultText(error) });
  }
}

async function hear(message: ToChild): Promise<void> {
  if ("call" in message) {
    const { call, what } = message;
    await answer(call, async () => {
      const value = await CALLS[what](call, message.with as never);
      if (what === "fetch") await nextPage(call);
      else if (what !== "normalize") write({ value: call, is: value });
    });
  } else if ("next" in message) await answer(message.next, () => nextPage(message.next));
  else if ("answer" in message) {
    const waiting = asked.get(message.answer);
    asked.delete(message.answer);
    if (message.fault === undefined) waiting?.resolve(message.value as never);
    else waiting?.reject(new SourceFault(message.fault));
  }
}

/** What the connector finds in place of what a child does not have. */
function prepare(): void {
  const log = (...given: unknown[]) => write({ log: given.map(String).join(" ").slice(0, MAX_LOGGED), of: callOfNow });
  for (const name of ["log", "info", "debug", "warn", "error"] as const) console[name] = log;
  globalThis.fetch = () =>
    Promise.reject(new Error("A connector has no network of its own: use the fetch of its context"));
  // Libraries read NODE_ENV and the like while they are loaded, which would be refused.
  Object.defineProperty(globalThis, "process", { value: { env: {}, argv: [], platform: "linux" }, configurable: true });
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

async function load(code: string): Promise<void> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const found = (await import(url)).default;
    hasDefault = typeof found === "object" && found !== null;
    if (hasDefault) connector = found;
    write({ loaded: true });
  } catch (error) {
    write({ crash: faultText(error) });
    exit(71);
  }
}

async function main(): Promise<void> {
  prepare();
  let isLoaded = false;
  for await (const line of linesOf(Deno.stdin.readable, Infinity)) {
    const message = parse(line) as ToChild;
    if (isLoaded) void hear(message);
    else await load((message as { load: string }).load);
    isLoaded = true;
  }
  exit(0);
}

await main();
