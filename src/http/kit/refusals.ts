/**
 * Refusals in the document: problem details by status, each with its possible codes and an example of each.
 *
 * Operations with the same refusals share one response, which is named by its codes. No I/O. No clock.
 */
import { z } from "zod";
import { type FaultCode, FAULTS } from "../../model/errors.ts";
import { type AnswerHeader, LOCATION, RETRY_AFTER } from "./describe.ts";
import type { JsonSchema } from "./json-schema.ts";
import { headersOf, type Parts } from "./parts.ts";
import type { PROBLEM } from "./problem.ts";

/** Example details, for codes whose title is not enough. */
const DETAILS: Partial<Record<FaultCode, string>> = {
  invalid_request: "The request body is invalid: is required (/name)",
  malformed_json: "The body is not valid JSON at line 2, column 13: it ends early",
  unauthorized: "The token is unknown; it may have been revoked",
  forbidden: 'The token lacks the scope "users:read"',
  not_found: 'There is no user "usr_2"',
  stale: 'The version is "4" now, but If-Match names "3"; read it again',
  unsupported_media_type: 'The body is "text/plain"; it should be application/json',
};

/** Headers that belong to a status. */
const HEADERS_OF_STATUS: Readonly<Record<number, Readonly<Record<string, AnswerHeader>>>> = {
  301: { Location: LOCATION },
  401: { "WWW-Authenticate": { description: "The authentication scheme to use", schema: z.string() } },
  429: { "Retry-After": RETRY_AFTER },
  503: {
    "Retry-After": {
      component: "Retry-After-optional",
      description: "Seconds until a retry is worthwhile, where that is known",
      schema: z.string().meta({ examples: ["1"] }),
      optional: true,
    },
  },
};

/**
 * References to the responses of these codes, by status. `around` are headers of every answer. Responses of operations
 * without a token (`isPublic`) have other headers, and names of their own.
 */
export function refusalsOf(
  parts: Parts,
  codes: ReadonlySet<FaultCode>,
  { around, isPublic }: { around: Readonly<Record<string, AnswerHeader>>; isPublic: boolean },
): Record<string, JsonSchema> {
  const { problem, responses, examples } = parts;
  const byStatus = new Map<number, FaultCode[]>();
  for (const code of codes) {
    const { status } = FAULTS[code];
    byStatus.set(status, [...byStatus.get(status) ?? [], code].sort());
  }
  const onRefusals = Object.fromEntries(Object.entries(around).filter(([, header]) => !header.onlyOnSuccess));
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      responses.share([...isPublic ? ["public"] : [], ...same].join("."), {
        description: same.map((code) => FAULTS[code].title).join("; or: "),
        headers: headersOf(parts, { ...onRefusals, ...HEADERS_OF_STATUS[status] }),
        content: {
          "application/problem+json": {
            schema: { ...problem, properties: { code: { enum: same } } },
            examples: Object.fromEntries(
              same.map((code) => [code, examples.share(code, { summary: FAULTS[code].title, value: exampleOf(code) })]),
            ),
          },
        },
      }),
    ]),
  );
}

function exampleOf(code: FaultCode): z.infer<typeof PROBLEM> {
  const { status, title } = FAULTS[code];
  return {
    type: `https://hub.example.com/errors/${code}`,
    title,
    status,
    detail: DETAILS[code] ?? title,
    code,
    request_id: "3f0c1d8e-6a52-4f1b-9d3e-2b7a90c4e516",
    errors: code === "invalid_request" ? [{ pointer: "/name", detail: "is required" }] : [],
  };
}
