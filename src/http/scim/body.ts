/** The JSON body of a SCIM request: `application/scim+json` or `application/json`, within limits. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import { incoming, readBody } from "../kit/body.ts";
import type { Env } from "../kit/env.ts";
import { scanJson } from "../kit/json-scan.ts";

/** A group of fifty thousand is some five megabytes. */
const MAX_BYTES = 8 * 1024 * 1024;
const SHAPE = { maxDepth: 16, maxMembers: 100_000, maxKeys: 5_000 };

/** Fails with `unsupported_media_type`, `too_large` or `malformed_json`. */
export async function readJsonBody(c: Context<Env>): Promise<unknown> {
  const { headers } = c.req.raw;
  const type = (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "" && !/^application\/([\w.-]+\+)?json$/.test(type)) {
    throw new Fault("unsupported_media_type", `The body is "${type}"; it should be application/scim+json`);
  }
  const bytes = await readBody(headers, incoming(c), MAX_BYTES);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    scanJson(text, SHAPE);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("malformed_json", "The body is not valid JSON in UTF-8", { cause });
  }
}
