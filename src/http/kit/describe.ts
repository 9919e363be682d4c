/**
 * How an operation is written: a named constant has its description, its middleware and its handler, and the table of
 * its resource puts it under a path.
 *
 *     const get = route(describe("getThing", …), requires("things:read"), async (c) => …);
 *     export const thingRoutes: Hono<Env> = new Hono<Env>().get("/:id", ...get);
 *
 * Middleware carries the descriptions, and openapi.ts collects them. Middleware that checks something describes the
 * consequences itself: a scope, a schema, refusals. An operation adds what only it knows: its name, its answers, and
 * the refusals of its handler.
 */
import type { MiddlewareHandler } from "hono";
import { createFactory } from "hono/factory";
import type { H } from "hono/types";
import { findTargetHandler } from "hono/utils/handler";
import { z } from "zod";
import type { FaultCode } from "../../model/errors.ts";
import type { Scope } from "../../model/scope.ts";
import { XLSX } from "../../report/workbook.ts";
import type { Env } from "./env.ts";

/** A header of a request. */
export interface RequestHeader {
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType;
  /** Refusals of requests that have the header. */
  readonly faults?: readonly FaultCode[];
}

/** A header of an answer. */
export interface AnswerHeader {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Whether some answers of the status lack it. */
  readonly optional?: boolean;
  /** Its name among the document's components, if its own is used for another header. */
  readonly component?: string;
  /** Whether refusals never have it. */
  readonly onlyOnSuccess?: boolean;
}

/** Body of a request or an answer by media type. */
export type Content = Readonly<Record<string, z.ZodType>>;

export interface Answer {
  /** By default the meaning of the status. */
  readonly description?: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, AnswerHeader>>;
}

/** The description of one middleware, or of one operation. */
export interface Facts {
  /** The only methods that the middleware concerns; by default all. */
  readonly methods?: readonly string[];
  /** Name of the operation in generated clients, in camelCase. Never changes. */
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  /** Heading in the document; by default the first part of the path. */
  readonly tag?: string;
  /** The scopes that the token needs; absent: no token is needed. */
  readonly token?: readonly Scope[];
  readonly query?: z.ZodType;
  readonly headers?: readonly RequestHeader[];
  readonly body?: { readonly content: Content; readonly required: boolean };
  readonly answers?: Readonly<Record<number, Answer>>;
  /** Headers of every answer. */
  readonly answerHeaders?: Readonly<Record<string, AnswerHeader>>;
  readonly faults?: readonly FaultCode[];
  /** For people: refusals are pages, and described among the answers. */
  readonly pages?: boolean;
  /** Whether it is a page of the console, which is no part of the API and of its document. */
  readonly console?: boolean;
  /** Whether it is SCIM, which describes itself by its own schemas and is no part of the document. */
  readonly scim?: boolean;
  /** Answers alike whether a thing does not exist or may not be used, so that strangers cannot tell. */
  readonly hides?: boolean;
}

/** Every parameter that a path may have. An operation does not know its path, so it reads all of them as strings. */
type Parameters = "/:id/:key/:part/:pgp_key/:connection/:connector/:code/:file/:signed/:link/:organization";

export const { createHandlers: route } = createFactory<Env, Parameters>();

const described = new WeakMap<object, Facts>();

/** Gives the middleware a description, which becomes part of that of every operation behind it. */
export function documented<M extends object>(middleware: M, facts: Facts): M {
  described.set(middleware, facts);
  return middleware;
}

/** The description of a route's handler; empty if it has none. */
export function factsOf(handler: object): Facts {
  // Handlers of an application with its own `onError` are wrapped in it.
  return described.get(findTargetHandler(handler as H)) ?? {};
}

/**
 * Describes an operation: its id, a summary in the imperative, and its answers by status, where a schema means JSON of
 * that shape. `more` has one to three sentences for its callers (what it does, when to use it, its limits), and what
 * its handler does in addition to its validators, such as the faults that it throws.
 */
export function describe(
  operationId: string,
  summary: string,
  answers: Readonly<Record<number, Answer | z.ZodType>>,
  more:
    & { readonly description: string }
    & Pick<Facts, "tag" | "headers" | "body" | "faults" | "pages" | "hides">,
): MiddlewareHandler<Env> {
  return documented((_, next) => next(), {
    ...more,
    operationId,
    summary,
    answers: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, isSchema(answer) ? json(answer) : answer]),
    ),
  });
}

function isSchema(answer: Answer | z.ZodType): answer is z.ZodType {
  return answer instanceof z.ZodType;
}

const ETAG: AnswerHeader = {
  description: "The version, for `If-Match`",
  schema: z.string().meta({ examples: ['"3"'] }),
};
export const LOCATION: AnswerHeader = {
  description: "Where to continue: the run that was started, or the page to show",
  schema: z.string().meta({ examples: ["/v1/runs/run_2"] }),
};
export const RETRY_AFTER: AnswerHeader = {
  description: "Seconds until the next request is accepted",
  schema: z.string().meta({ examples: ["1"] }),
};
const DISPOSITION: AnswerHeader = {
  description: "The file name to save it under",
  schema: z.string().meta({ examples: ["attachment; filename*=UTF-8''people.csv"] }),
};

export function json(schema: z.ZodType, headers: Answer["headers"] = {}, description?: string): Answer {
  return { content: { "application/json": schema }, headers, description };
}

/** JSON of one thing, with its version. */
export function versioned(schema: z.ZodType): Answer {
  return json(schema, { ETag: ETAG });
}

/** JSON with a run that was started, and the run's address. */
export function started(schema: z.ZodType, description: string): Answer {
  return json(schema, { Location: LOCATION }, description);
}

/** A file to be saved. */
export function download(content: Content, description: string): Answer {
  return { content, description, headers: { "Content-Disposition": DISPOSITION } };
}

/** An answer without a body. */
export const NOTHING: Answer = { description: "Done, without a body" };

/** Bytes as they are. */
export const BYTES = z.string().meta({ format: "binary" });
export const CSV = z.string().meta({ id: "Csv", examples: ["employee_id,email\r\n000123,ana@example.com\r\n"] });
/** Files for spreadsheets. */
export const SPREADSHEETS = {
  csv: download({ "text/csv": CSV }, "For a spreadsheet, with a byte order mark"),
  xlsx: download({ [XLSX]: BYTES }, "A workbook in which every cell is text"),
};
const HTML = z.string().meta({ id: "Page", examples: ["<!doctype html>…"] });

/** A page for people. */
export const PAGE = { description: "A page", content: { "text/html": HTML } } satisfies Answer;

export const IF_MATCH: RequestHeader = {
  name: "If-Match",
  description: "The `ETag` of the version that was read; 412 if the resource has changed since",
  schema: z.string().meta({ examples: ['"3"'] }),
  faults: ["stale"],
};
export const PREFER: RequestHeader = {
  name: "Prefer",
  description: "`wait=N`: delay the answer until the run ends, for up to N seconds (at most 60)",
  schema: z.string().meta({ examples: ["wait=30"] }),
};
