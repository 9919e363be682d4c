/** Checks bodies and queries against zod schemas before a handler runs. Each error names its place. */
import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault, type FaultDetail } from "../../model/errors.ts";
import { pointerOf } from "../../std/json-pointer.ts";
import { findJsonError } from "../../intake/json-error.ts";
import type { Bytes } from "../../store/runs/cut-body.ts";
import { incoming, readBody } from "./body.ts";
import { documented } from "./describe.ts";
import { scanJson, type ShapeLimits } from "./json-scan.ts";
import type { Env } from "./env.ts";
import { counted } from "./in-flight.ts";

/** Limit of most JSON bodies; drops and parts have limits of their own. */
const MAX_JSON_BYTES = 1024 * 1024;
/** Far above the limits that schemas have. A record of an input may have 32 levels. */
const SHAPE: ShapeLimits = { maxDepth: 34, maxMembers: 20_000, maxKeys: 20_000 };

type Checked<T extends z.ZodType> = MiddlewareHandler<
  Env,
  string,
  { in: { json: z.input<T> }; out: { json: z.output<T> } }
>;

/** Checks the body; `c.req.valid("json")` then has the schema's type. Fails with 400, 413 or 415. */
export function jsonBody<T extends z.ZodType>(schema: T, maxBytes = MAX_JSON_BYTES) {
  const isLarge = maxBytes > MAX_JSON_BYTES;
  const readAndCheck: MiddlewareHandler<Env> = async (c, next) => {
    const read = () => readJson(c.req.raw.headers, incoming(c), maxBytes);
    // Only large bodies are counted; small ones are limited by the number of requests.
    const result = parse(schema, await (isLarge ? counted(c, "bodies", read) : read()));
    if (!result.success) throw invalid("The request body is invalid", result.error.issues);
    c.req.addValidatedData("json", result.data as object);
    await next();
  };
  return documented(readAndCheck as unknown as Checked<T>, {
    // If an empty object is valid, the body may be left out.
    body: { content: { "application/json": schema }, required: !schema.safeParse({}).success },
    faults: [
      "invalid_request",
      "malformed_json",
      "too_large",
      "unsupported_media_type",
      ...(isLarge ? ["too_many_in_flight" as const] : []),
    ],
  });
}

/** zod overflows the stack on bodies with about 100,000 errors. */
function parse<T extends z.ZodType>(schema: T, value: unknown) {
  try {
    return schema.safeParse(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Fault("invalid_request", "The request body has more errors than can be listed", { cause });
  }
}

/**
 * Checks the query, in which each name may occur once; `c.req.valid("query")` then has the schema's type. Fails with
 * 400.
 */
export function query<T extends z.ZodType>(schema: T) {
  const check = zValidator("query", schema, (result) => {
    if (!result.success) {
      throw invalid("The query is invalid", result.error.issues, (path) => `?${String(path[0] ?? "")}`);
    }
  });
  return documented(check, { query: schema, faults: ["invalid_request"] });
}

/** The fault for errors that a schema has found. `pointerTo` turns a path of the schema into a place in the request. */
export function invalid(
  message: string,
  issues: readonly z.core.$ZodIssue[],
  pointerTo: (path: readonly PropertyKey[]) => string = pointerOf,
): Fault {
  const errors = issues.flatMap(closestTo).flatMap((issue): FaultDetail[] =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
        pointer: pointerTo([...issue.path, key]),
        detail: `Unknown field "${key}"`,
      }))
      : [{ pointer: pointerTo(issue.path), detail: inOwnWords(issue.message) }]
  );
  const first = errors[0];
  return new Fault("invalid_request", first ? `${message}: ${first.detail} (${first.pointer || "/"})` : message, {
    errors,
  });
}

/** For a value that may have several forms: the errors of the form that it comes closest to. */
function closestTo(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const [closest, next] = [...issue.errors].sort((a, b) => a.length - b.length);
  // It is equally far from two forms, so neither is meant.
  if (next !== undefined && next.length === closest!.length) return [issue];
  return closest!.flatMap((each) => closestTo({ ...each, path: [...issue.path, ...each.path] }));
}

/** Rewords zod's own messages like those of the schemas: as what should be. */
function inOwnWords(message: string): string {
  const options = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (options !== undefined) return `should be one of ${options.replaceAll("|", ", ")}`;
  const [, size, limit] = /^Too (small|big): expected \w+ to be [<>]=(\S+)$/.exec(message) ?? [];
  if (limit !== undefined) return `should be at ${size === "small" ? "least" : "most"} ${limit}`;
  const [, wanted, given] = /^Invalid input: expected (.+), received (\w+)$/.exec(message) ?? [];
  if (wanted === undefined) return message;
  return given === "undefined"
    ? "is required"
    : `should be ${/^[aeio]/.test(wanted) ? "an" : "a"} ${wanted}, but is ${given}`;
}

async function readJson(headers: Headers, body: Bytes | null, maxBytes: number): Promise<unknown> {
  const type = (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  // A missing body counts as an empty object; the schema decides whether something is required.
  if (body === null || headers.get("content-length") === "0") return {};
  // Some clients announce a body of no type and send none.
  if (type === "" && (await readBody(headers, body, maxBytes)).length === 0) return {};
  if (!/^application\/([\w.-]+\+)?json$/.test(type)) {
    throw new Fault("unsupported_media_type", `The body is "${type}"; it should be application/json`);
  }
  const bytes = await readBody(headers, body, maxBytes);
  if (bytes.length === 0) return {};
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Fault("malformed_json", "The body is not UTF-8", { cause });
  }
  scanJson(text, SHAPE);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { at, what } = placeOf(text, cause);
    const before = text.slice(0, at).split("\n");
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    throw new Fault("malformed_json", `The body is not valid JSON at ${place}: ${what}`, { cause });
  }
}

/** Where a text stops being JSON. For a long text only what the runtime reports, as more takes seconds to find out. */
function placeOf(text: string, cause: unknown): { at: number; what: string } {
  if (text.length <= MAX_JSON_BYTES) return findJsonError(text) ?? { at: text.length, what: "it is not JSON" };
  const position = /at position (\d+)/.exec(String(cause))?.[1];
  return { at: position === undefined ? text.length : Number(position), what: "unexpected character" };
}
