/**
 * How a route describes itself, where it is declared: middleware carries it, and openapi.ts collects it.
 *
 * Whatever checks something tells what follows from that (its scope, its schema, its refusals), so a route only adds what
 * nothing else knows: its name, its answers, and the refusals that its handler makes.
 */
import type { MiddlewareHandler } from "hono";
import type { H } from "hono/types";
import { findTargetHandler } from "hono/utils/handler";
import { z } from "zod";
import type { FaultCode } from "../../model/errors.ts";
import type { Scope } from "../../model/scope.ts";
import type { Env } from "./env.ts";

/** A header of a request. */
export interface RequestHeader {
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType;
  /** Why a request that has it may be refused. */
  readonly faults?: readonly FaultCode[];
}

/** A header of an answer. */
export interface AnswerHeader {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Not on every answer of that status. */
  readonly optional?: boolean;
  /** Its name in the document, where another header has its own. */
  readonly component?: string;
  /** Never on a refusal. */
  readonly onlyOnSuccess?: boolean;
}

/** Body of a request or an answer by media type. */
export type Content = Readonly<Record<string, z.ZodType>>;

export interface Answer {
  /** Without one, the meaning of its status is used. */
  readonly description?: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, AnswerHeader>>;
}

/** What one middleware, or one route, tells. */
export interface Facts {
  /** The only methods that it concerns, for middleware that stands before others too. */
  readonly methods?: readonly string[];
  /** Stable name of the operation, in camelCase; generated clients call it so. */
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  /** Heading that it stands under; by default the first part of its path. */
  readonly tag?: string;
  /** Whether a token is needed, and which scopes it has to have. */
  readonly token?: readonly Scope[];
  readonly query?: z.ZodType;
  readonly headers?: readonly RequestHeader[];
  readonly body?: { readonly content: Content; readonly required: boolean };
  readonly answers?: Readonly<Record<number, Answer>>;
  /** On every answer. */
  readonly answerHeaders?: Readonly<Record<string, AnswerHeader>>;
  readonly faults?: readonly FaultCode[];
  /** For people: refusals are pages, which are among its answers. */
  readonly pages?: boolean;
  /** What is not there is answered like what may not be asked: a stranger cannot learn which. */
  readonly hides?: boolean;
}

const described = new WeakMap<object, Facts>();

/** The same middleware, which from now on tells these facts of every route that it stands before. */
export function telling<M extends object>(middleware: M, facts: Facts): M {
  described.set(middleware, facts);
  return middleware;
}

/** What a handler of an application's route tells; nothing for one that has nothing to tell. */
export function factsOf(handler: object): Facts {
  // An application with a way of its own to say what went wrong has its handlers wrapped in it.
  return described.get(findTargetHandler(handler as H)) ?? {};
}

/**
 * Describes a route: its operation's id, a summary in the imperative, and its answers by status; a schema stands for
 * JSON of that shape. `more` has one to three sentences for whoever calls it (what it does, when to use it, its limits)
 * and what its handler brings beyond its validators, such as the faults that it throws.
 */
export function describe(
  operationId: string,
  summary: string,
  answers: Readonly<Record<number, Answer | z.ZodType>>,
  more:
    & { readonly description: string }
    & Pick<Facts, "tag" | "headers" | "body" | "faults" | "pages" | "hides">,
): MiddlewareHandler<Env> {
  return telling((_, next) => next(), {
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

/** A single thing with its version. */
export function versioned(schema: z.ZodType): Answer {
  return json(schema, { ETag: ETAG });
}

/** A run that was started, and where to look for it. */
export function started(schema: z.ZodType, description: string): Answer {
  return json(schema, { Location: LOCATION }, description);
}

/** Something to save rather than to show. */
export function download(content: Content, description: string): Answer {
  return { content, description, headers: { "Content-Disposition": DISPOSITION } };
}

/** An answer without a body. */
export const NOTHING: Answer = { description: "Done, without a body" };

/** Bytes as they are. */
export const BYTES = z.string().meta({ format: "binary" });
export const CSV = z.string().meta({ id: "Csv", examples: ["employee_id,email\r\n000123,ana@example.com\r\n"] });
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
