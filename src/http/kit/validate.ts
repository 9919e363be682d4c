/** Envelopes: bodies and queries checked by a zod schema before a handler sees them; each error names its place. */
import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault, type FaultDetail } from "../../model/errors.ts";
import { pointerOf } from "./pointer.ts";
import { findJsonError } from "../../intake/json-error.ts";
import { type Bytes, tooLarge } from "../../store/runs/drop-content.ts";
import { incoming } from "./body.ts";
import { telling } from "./describe.ts";
import { scanJson, type ShapeLimits } from "./json-scan.ts";
import type { Env } from "./env.ts";
import { counted } from "./in-flight.ts";

/** Of an envelope; drops and parts have limits of their own. */
const MAX_JSON_BYTES = 1024 * 1024;
/** Each list and object has a limit of its own, which is far below. A record of an input may have 32 levels. */
const SHAPE: ShapeLimits = { maxDepth: 34, maxMembers: 20_000, maxKeys: 20_000 };

type Checked<T extends z.ZodType> = MiddlewareHandler<
  Env,
  string,
  { in: { json: z.input<T> }; out: { json: z.output<T> } }
>;

/** The body as the schema's type in `c.req.valid("json")`. Fails with 400, 413 or 415. */
export function jsonBody<T extends z.ZodType>(schema: T, maxBytes = MAX_JSON_BYTES) {
  const isLarge = maxBytes > MAX_JSON_BYTES;
  const readAndCheck: MiddlewareHandler<Env> = async (c, next) => {
    const read = () => readJson(c.req.raw.headers, incoming(c), maxBytes);
    // Of usual ones, as many are read at once as requests may be sent.
    const result = parse(schema, await (isLarge ? counted(c, "bodies", read) : read()));
    if (!result.success) throw invalid("The request body is invalid", result.error.issues);
    c.req.addValidatedData("json", result.data as object);
    await next();
  };
  return telling(readAndCheck as unknown as Checked<T>, {
    // A schema that nothing fails in is one that needs no body.
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

/** The schema library gives up, on its stack, on what is wrong in a hundred thousand places. */
function parse<T extends z.ZodType>(schema: T, value: unknown) {
  try {
    return schema.safeParse(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Fault("invalid_request", "The request body has more errors than can be listed", { cause });
  }
}

/** The query as the schema's type in `c.req.valid("query")`; each name at most once. Fails with 400. */
export function query<T extends z.ZodType>(schema: T) {
  const check = zValidator("query", schema, (result) => {
    if (!result.success) {
      throw invalid("The query is invalid", result.error.issues, (path) => `?${String(path[0] ?? "")}`);
    }
  });
  return telling(check, { query: schema, faults: ["invalid_request"] });
}

/** The one way to say what a schema refused. `pointerTo` turns a path into a place that a sender knows. */
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

/** Of several forms that a value may have, what is wrong with the one that it comes closest to. */
function closestTo(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const [closest, next] = [...issue.errors].sort((a, b) => a.length - b.length);
  // As far from one as from the other: it is none of them.
  if (next !== undefined && next.length === closest!.length) return [issue];
  return closest!.flatMap((each) => closestTo({ ...each, path: [...issue.path, ...each.path] }));
}

/** The schema library's own messages as what should be, like those that the schemas bring. */
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
  // No body at all is an empty envelope; the schema knows whether something is required.
  if (body === null || headers.get("content-length") === "0") return {};
  // A body is announced by its type; some senders announce one for a request without any.
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

/** Where a text stops being JSON. Of a long one by the runtime's word alone, as finding out why takes seconds. */
function placeOf(text: string, cause: unknown): { at: number; what: string } {
  if (text.length <= MAX_JSON_BYTES) return findJsonError(text) ?? { at: text.length, what: "it is not JSON" };
  const position = /at position (\d+)/.exec(String(cause))?.[1];
  return { at: position === undefined ? text.length : Number(position), what: "unexpected character" };
}

/** The whole body, as long as it is within the limit. */
export async function readBody(headers: Headers, body: Bytes | null, maxBytes: number): Promise<Uint8Array> {
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw tooLarge("this one", maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const reader = body?.getReader();;) {
    const read = await reader?.read().catch((cause: unknown) => {
      throw new Fault("invalid_request", "The body ended early; send the request again", { cause });
    });
    if (read === undefined || read.done) break;
    size += read.value.length;
    if (size > maxBytes) {
      await reader!.cancel().catch(() => {});
      throw tooLarge("this one", maxBytes);
    }
    chunks.push(read.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
