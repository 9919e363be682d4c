/**
 * Faults: what stops a run or a request. (Issues, which are expected and collected, are values: see record.ts.)
 *
 * One class, one table from code to HTTP status and title; what helps is in codes/requests.ts. Thrown early, caught in
 * two places: the request boundary and the run's start.
 */

export const FAULTS = {
  // A request that cannot be served
  merged: { status: 301, title: "The record was merged into another one" },
  invalid_request: { status: 400, title: "The request is invalid" },
  malformed_json: { status: 400, title: "The body is not valid JSON" },
  unauthorized: { status: 401, title: "A valid token is required" },
  forbidden: { status: 403, title: "The token is not allowed to do this" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "The request conflicts with the current state" },
  content_erased: { status: 409, title: "The input contains a person who has since been erased" },
  plan_changed: { status: 409, title: "The plan has changed since it was reviewed" },
  idempotency_key_in_use: {
    status: 409,

    title: "The first request with this key is still running",
  },
  stale: { status: 412, title: "The resource has changed since it was read" },
  too_large: { status: 413, title: "The input is too large" },
  unsupported_media_type: { status: 415, title: "The media type of the body is not supported" },
  unprocessable: { status: 422, title: "The request cannot be processed" },
  idempotency_key_reused: { status: 422, title: "The idempotency key belongs to another request" },
  rate_limited: { status: 429, title: "Too many requests" },
  too_many_in_flight: { status: 429, title: "Too many requests of this kind in progress" },
  queue_full: { status: 429, title: "Too many runs are queued" },
  // An input that cannot be read: the run fails, nothing is applied
  encoding_invalid: { status: 422, title: "The input is not text in its encoding" },
  delimiter_ambiguous: { status: 422, title: "The delimiter cannot be detected" },
  quote_invalid: { status: 422, title: "A quoted cell is malformed" },
  json_invalid: { status: 422, title: "The input is not valid JSON" },
  workbook_invalid: { status: 422, title: "The workbook cannot be read" },
  header_missing: { status: 422, title: "A required column is missing" },
  header_duplicate: { status: 422, title: "A column name occurs twice" },
  input_empty: { status: 422, title: "The input has no rows" },
  input_incomplete: { status: 422, title: "The input is incomplete" },
  decryption_failed: { status: 422, title: "The input cannot be decrypted" },
  rows_rejected: { status: 422, title: "No row of the input could be used" },
  content_expired: { status: 422, title: "The input is no longer stored" },
  // A source that cannot be read: the run fails, or continues with what was read
  source_unreachable: { status: 502, title: "The source is unavailable" },
  source_refused: { status: 422, title: "The source rejected the credentials" },
  source_unreadable: { status: 502, title: "The answer of the source is invalid" },
  source_misconfigured: { status: 422, title: "The source cannot be read with these settings" },
  connector_failed: { status: 500, title: "The connector has an error of its own" },
  connector_missing: { status: 503, title: "The connector is not installed" },
  secrets_required: { status: 422, title: "The connection lacks a required secret" },
  // Of the hub itself
  duplicate_input: { status: 200, title: "The input is identical to the one applied last" },
  run_failed: { status: 500, title: "The run could not be completed" },
  storage_full: { status: 507, title: "The hub is out of disk space" },
  unavailable: { status: 503, title: "The hub is temporarily unavailable" },
  internal: { status: 500, title: "Internal error" },
} as const satisfies Record<string, { status: number; title: string }>;

export type FaultCode = keyof typeof FAULTS;

/** One place of a request that is wrong: a JSON pointer into its body, or `?name` for a query parameter. */
export interface FaultDetail {
  readonly pointer: string;
  readonly detail: string;
}

export class Fault extends Error {
  readonly code: FaultCode;
  /** The physical line of the input, or null. */
  readonly line: number | null;
  readonly errors: readonly FaultDetail[];
  /** Seconds until a retry makes sense; null: not known. */
  readonly retryAfterS: number | null;
  /** The path where the thing is by now; null: not known. */
  readonly location: string | null;

  constructor(
    code: FaultCode,
    message: string,
    options: {
      cause?: unknown;
      line?: number | null;
      errors?: readonly FaultDetail[];
      retryAfterS?: number;
      location?: string;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.line = options.line ?? null;
    this.errors = options.errors ?? [];
    this.retryAfterS = options.retryAfterS ?? null;
    this.location = options.location ?? null;
  }
}
