/** Answers of SCIM: their media type, their errors (RFC 7644, section 3.12), and the tags of versions. */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Context } from "hono";
import { Fault, type FaultCode } from "../../model/errors.ts";
import { errorBody, ScimError } from "../../scim/error.ts";
import type { Resource } from "../../scim/value.ts";
import { toHex } from "../../std/hex.ts";
import type { Env } from "../kit/env.ts";
import { problem } from "../kit/problem.ts";

const MEDIA_TYPE = "application/scim+json; charset=utf-8";

export function answer(
  c: Context<Env>,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return c.body(JSON.stringify(body), status as 200, { "content-type": MEDIA_TYPE, ...headers });
}

/** The `scimType` of faults that the hub has in common with its other requests. */
const SCIM_TYPES: Partial<Record<FaultCode, string>> = {
  invalid_request: "invalidSyntax",
  malformed_json: "invalidSyntax",
};

/** Headers that a refusal keeps. */
const KEPT = ["retry-after", "www-authenticate", "allow"];

/** Every refusal has the RFC's form, whatever has failed. */
export async function answerError(error: unknown, c: Context<Env>): Promise<Response> {
  if (error instanceof ScimError) {
    const headers: Record<string, string> = error.retryAfterS === null
      ? {}
      : { "retry-after": String(error.retryAfterS) };
    return answer(c, errorBody(error.status, error.message, error.scimType), error.status, headers);
  }
  return await withScimBody(c, problem(c, error), error instanceof Fault ? SCIM_TYPES[error.code] : undefined);
}

/** The same refusal in the form of SCIM. */
export async function withScimBody(c: Context<Env>, refusal: Response, scimType?: string): Promise<Response> {
  const { detail } = await refusal.json() as { detail: string };
  // SCIM has no 422.
  const status = refusal.status === 422 ? 400 : refusal.status;
  const headers = Object.fromEntries(KEPT.flatMap((name) => {
    const value = refusal.headers.get(name);
    return value === null ? [] : [[name, value]];
  }));
  return answer(c, errorBody(status, detail, scimType ?? null), status, headers);
}

/** The resource with its tag in `meta.version`. The tag is of all that the resource shows, whatever has changed it. */
export function tagged(resource: Resource): Resource {
  const digest = toHex(sha256(new TextEncoder().encode(JSON.stringify(resource))).subarray(0, 12));
  return { ...resource, meta: { ...resource.meta as Record<string, string>, version: `W/"${digest}"` } };
}

export function tagOf(resource: Resource): string {
  return (resource.meta as Record<string, string>).version!;
}

export function locationOf(resource: Resource): string {
  return (resource.meta as Record<string, string>).location!;
}

/** Fails with 412 when `If-Match` names another version. Weak and strong tags are the same here. */
export function requireMatch(c: Context<Env>, resource: Resource): void {
  const wanted = c.req.header("if-match");
  if (wanted === undefined || includesTag(wanted, tagOf(resource))) return;
  throw new ScimError("stale", "The resource has changed since it was read: read it again");
}

/** Whether `If-None-Match` names this version. */
export function isKnown(c: Context<Env>, resource: Resource): boolean {
  const known = c.req.header("if-none-match");
  return known !== undefined && includesTag(known, tagOf(resource));
}

function includesTag(header: string, tag: string): boolean {
  const bare = (text: string) => text.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((each) => bare(each) === bare(tag));
}
