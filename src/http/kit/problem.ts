/**
 * The request boundary: an error that a handler throws becomes problem details (RFC 9457).
 *
 * The answer to an unexpected error leaves out its message, which may quote a query and a person's data.
 */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { Fault, type FaultCode, FAULTS } from "../../model/errors.ts";
import { redact } from "../../security/redact.ts";
import { isFenced } from "../../store/fence.ts";
import { describeTrouble, isFull, mayBeDone, troubleOf } from "../../store/trouble.ts";
import type { Env } from "./env.ts";
import { causesOf, codeOf } from "../../std/causes.ts";

/** How many of a body's errors an answer lists. */
const MAX_ERRORS = 200;
const MAX_CHARACTERS = 2_000;
/** Seconds after which a database that is away is worth another request. */
const RETRY_AFTER_S = 5;

/** Problem details, as an answer has them. */
export const PROBLEM = z.strictObject({
  type: z.url().meta({ description: "The code's own help page" }),
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({ description: "What is, and then what should be" }),
  code: z.enum(Object.keys(FAULTS) as [FaultCode, ...FaultCode[]]),
  request_id: z.string(),
  errors: z.array(z.strictObject({
    pointer: z.string().meta({ description: "A JSON pointer into the body, or ?name for a query parameter" }),
    detail: z.string(),
  })).readonly(),
}).meta({ id: "Problem" });

/** The answer to a request that failed with `error`. */
export function problem(c: Context<Env>, error: unknown): Response {
  const fault = error instanceof Fault ? error : toFault(c, error);
  const { status, title } = FAULTS[fault.code];
  const body: z.infer<typeof PROBLEM> = {
    type: `${c.get("hub").publicUrl}/errors/${fault.code}`,
    title,
    status,
    request_id: c.get("requestId"),
    ...shownFault(fault),
  };
  // Some codes describe ends of runs that are not failures, with a status below 300. A request never ends in one.
  return c.body(JSON.stringify(body), status < 300 ? 500 : status as 400, {
    "content-type": "application/problem+json",
    ...(fault.location === null ? {} : { location: fault.location }),
    ...(fault.retryAfterS === null ? {} : { "retry-after": String(fault.retryAfterS) }),
    ...(status === 401 ? { "www-authenticate": `Bearer realm="muster"` } : {}),
  });
}

/** What an answer shows of a fault, without secrets. */
export function shownFault(
  { code, message, errors }: Fault,
): Pick<z.infer<typeof PROBLEM>, "code" | "detail" | "errors"> {
  const shown = errors.slice(0, MAX_ERRORS)
    .map(({ pointer, detail }) => ({ pointer: shorten(pointer), detail: shorten(detail) }));
  return { code, detail: shorten(message), errors: shown };
}

/** Removes secrets and shortens: the text may quote what was sent. */
function shorten(text: string): string {
  const shown = redact(text);
  return shown.length > MAX_CHARACTERS ? `${shown.slice(0, MAX_CHARACTERS)}…` : shown;
}

/** The fault of a request whose value at `pointer` cannot be used. */
export function unprocessable(pointer: string, detail: string): Fault {
  return new Fault("unprocessable", detail, { errors: [{ pointer, detail }] });
}

function toFault(c: Context<Env>, error: unknown): Fault {
  if (error instanceof HTTPException && error.status < 500) {
    return new Fault("invalid_request", error.message || "The request is invalid", { cause: error });
  }
  if (isFenced(error)) {
    return new Fault(
      "conflict",
      "Another process has taken this over, and nothing was stored; look at it, and try again",
      {
        cause: error,
      },
    );
  }
  c.get("hub").log("request_failed", { error: nameOf(error), why: describeTrouble(error), place: placeOf(error) });
  if (isFull(error)) return storageFull(error);
  if (troubleOf(error) !== null) return databaseAway(error);
  return new Fault("internal", "Internal error; the hub's log has details under the request id", { cause: error });
}

/** The log says what failed; a client learns no more than whether it may simply send the request again. */
function databaseAway(cause: unknown): Fault {
  return new Fault(
    "unavailable",
    mayBeDone(cause)
      ? "The database's answer was lost, and the request may have been done: look before you send it again"
      : "The hub's database is unavailable, and nothing was done; retry later",
    { cause, retryAfterS: mayBeDone(cause) ? undefined : RETRY_AFTER_S },
  );
}

function storageFull(cause: unknown): Fault {
  return new Fault(
    "storage_full",
    "The hub's disk is full, and nothing was stored; retry once its operator has freed space",
    { cause },
  );
}

/** The innermost error's class and code, such as `LibsqlError SQLITE_FULL`. */
function nameOf(error: unknown): string {
  const innermost = causesOf(error).at(-1);
  if (innermost === undefined) return "unknown";
  const code = codeOf(innermost);
  return code === null ? innermost.name : `${innermost.name} ${code}`;
}

/** The innermost line of the hub's own source in the stack. */
function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return /\/src\/([\w/.-]+\.ts:\d+)/.exec(stack)?.[1] ?? null;
}
