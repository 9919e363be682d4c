/**
 * Holds every answer that a test receives to the OpenAPI document: its status, its headers, its media type, its body.
 *
 * With MUSTER_SEEN naming a folder, what was seen is noted in it, one file a process, for unseen.ts to read at the end.
 * The first process leaves the document there for the others: making it takes half a second, and it is the same for all
 * of one `npm test`, which begins with an empty folder.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createApp } from "../../src/http/app.ts";
import { EVENT_SHAPES } from "../../src/http/api/event-shapes.ts";
import type { JsonSchema } from "../../src/http/kit/json-schema.ts";
import { createDocument, type Document } from "../../src/http/kit/openapi.ts";
import type { Operation } from "../../src/http/kit/operation.ts";
import type { Hub } from "../../src/hub.ts";

interface Content {
  readonly [type: string]: { readonly schema: JsonSchema };
}
interface Path {
  readonly pattern: string;
  readonly regex: RegExp;
  readonly operations: Record<string, Operation>;
}
interface Response_ {
  readonly content?: Content;
  readonly headers?: Record<string, JsonSchema>;
}

const folder = process.env.MUSTER_SEEN ?? "";
const file = `${randomUUID()}.txt`;
const noted = new Set<string>();
let made: Document | undefined;
let paths: readonly Path[] | undefined;
const validators = new WeakMap<JsonSchema, ValidateFunction>();
const SHARED = "#/components/schemas/";
const PROBLEM = { $ref: `${SHARED}Problem` };
/** Compiling is quick: each schema is used a few times. That the document is one is checked where it is linted. */
const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
});
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
ajv.addFormat("date", /^\d{4}-\d\d-\d\d$/);
ajv.addFormat("email", /^[^@\s]+@[^@\s]+$/);
ajv.addFormat("uri", (text: string) => URL.canParse(text));
ajv.addFormat("binary", true);

/** The document of all routes. */
export function documentOfAll(): Document {
  return made ??= folder === "" ? makeDocument() : sharedDocument();
}

/** No hub is needed for it: nothing is asked. */
function makeDocument(): Document {
  return createDocument(createApp({} as Hub), { serverUrl: "https://hub.example.com", events: EVENT_SHAPES }).document;
}

function sharedDocument(): Document {
  const path = join(folder, "document.json");
  if (!existsSync(path)) {
    const own = `${path}.${randomUUID()}`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(own, JSON.stringify(makeDocument()));
    renameSync(own, path);
  }
  return JSON.parse(readFileSync(path, "utf8"));
}

/** What `value` has against the schema, where no object has more fields than the schema names; null: nothing. */
export function refusedBy(schema: JsonSchema, value: unknown): string | null {
  let validate = validators.get(schema);
  if (validate === undefined) {
    // Each shared schema is one of its own for the validator, which so compiles it once for all that refer to it.
    for (const [name, each] of Object.entries(documentOfAll().components.schemas)) {
      if (ajv.schemas[name] === undefined) ajv.addSchema(closed(each) as JsonSchema, name);
    }
    validate = ajv.compile(closed(schema) as JsonSchema);
    validators.set(schema, validate);
  }
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

/** Answers are open in the document, so that they may gain fields; a field that it does not name is a mistake here. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value === "string" && value.startsWith(SHARED)) return value.slice(SHARED.length);
  if (typeof value !== "object" || value === null) return value;
  const schema = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isObject = schema.type === "object" && typeof schema.properties === "object";
  return isObject && !("additionalProperties" in schema) ? { ...schema, additionalProperties: false } : schema;
}

/** The path of the document that a request's path is one of, and its operations; undefined: none. The most literal wins. */
function findPath(path: string): Path | undefined {
  const names = ({ pattern }: Path) => pattern.split("{").length;
  paths ??= Object.entries(documentOfAll().paths).map(([pattern, operations]) => ({
    pattern,
    regex: new RegExp(`^${pattern.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/]+")}$`),
    operations,
  })).sort((a, b) => names(a) - names(b));
  return paths.find(({ regex }) => regex.test(path));
}

/** The console's pages and SCIM are no part of the document. */
const CONSOLE = /^\/(?:$|o(?:\/|$)|sign-|scim\/)/;

/** The same response, once it is as the document says; fails when it is not. */
export async function checked(method: string, url: string, response: Response): Promise<Response> {
  const { pathname } = new URL(url, "http://hub.example.com");
  if (CONSOLE.test(pathname)) return response;
  const path = findPath(pathname);
  const operation = path?.operations[(method === "HEAD" ? "get" : method).toLowerCase()];
  const asked = `${method.toUpperCase()} ${path?.pattern ?? pathname}`;
  const type = response.headers.get("content-type");
  if (operation === undefined) {
    const general = path === undefined ? 404 : 405;
    // Before a path is looked for, a token is.
    if (response.status !== general && response.status !== 401) {
      throw new Error(`${asked} is not in the document, and was answered with ${response.status}`);
    }
    return await bodyChecked(asked, PROBLEM, response);
  }
  const documented = resolve(operation.responses[response.status]) as Response_ | undefined;
  if (documented === undefined) {
    const said = type?.includes("json") ? await response.clone().text() : "";
    throw new Error(`${asked} was answered with ${response.status}, which the document does not have: ${said}`);
  }
  note(`${operation.operationId} ${response.status}`);
  for (const [name, header] of Object.entries(documented.headers ?? {})) {
    const { required } = resolve(header)!;
    if (required && !response.headers.has(name)) {
      throw new Error(`${asked} ${response.status} lacks the header ${name}`);
    }
  }
  if (documented.content === undefined) {
    if (type !== null) throw new Error(`${asked} ${response.status} should have no body, and has ${type}`);
    return response;
  }
  const media = documented.content[(type ?? "").split(";")[0]!];
  if (media === undefined) {
    const types = Object.keys(documented.content).join(", ");
    throw new Error(`${asked} ${response.status} has the type "${type}"; it should be ${types}`);
  }
  return method === "HEAD" ? response : await bodyChecked(asked, media.schema, response);
}

async function bodyChecked(asked: string, schema: JsonSchema, response: Response): Promise<Response> {
  // What is not JSON is text or bytes, whose schema has nothing to say; some of it never ends.
  if (
    !/json/.test(response.headers.get("content-type") ?? "") || /ndjson/.test(response.headers.get("content-type")!)
  ) {
    return response;
  }
  const text = await response.clone().text();
  if (text === "") return response;
  const refused = refusedBy(schema, JSON.parse(text));
  if (refused !== null) throw new Error(`${asked} ${response.status} is not as documented: ${refused}\n${text}`);
  return response;
}

/** The part itself, where it is a reference to one of the document's components; fails when there is no such component. */
export function resolve(part: JsonSchema | undefined): JsonSchema | undefined {
  if (typeof part?.$ref !== "string") return part;
  const [kind, name] = part.$ref.replace("#/components/", "").split("/") as [string, string];
  const found = documentOfAll().components[kind]?.[name];
  if (found === undefined) throw new Error(`The document has no ${part.$ref}`);
  return found;
}

/** As the runtime's own, with every answer of a hub held to its document. */
export async function fetch(url: string, init: RequestInit = {}): Promise<Response> {
  return await checked(init.method ?? "GET", url, await globalThis.fetch(url, init));
}

function note(seen: string): void {
  if (folder === "" || noted.has(seen)) return;
  noted.add(seen);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, file), `${seen}\n`);
}
