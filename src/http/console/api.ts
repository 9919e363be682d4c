/** The API, as the console's pages ask it: for who is signed in, with all its checks, within this process. */
import type { Context } from "hono";
import { Fault, type FaultCode } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import type { Organization } from "../../store/organizations.ts";
import { sentBy } from "../kit/authorize.ts";
import type { Api, Env, Sending } from "../kit/env.ts";

/** A page of a list. */
export interface Listed<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

/** Answers a request to the API; `env` is what the server knows of the browser's. */
type Fetch = (request: Request, env: Env["Bindings"]) => Response | Promise<Response>;

export function createApi(c: Context<Env>, fetch: Fetch): Api {
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    // On the operator's own pages there is none: the API takes the token's own.
    const organization = c.get("organization") as Organization | undefined;
    if (organization !== undefined) headers.set("muster-organization", encodeId("org", organization.id));
    headers.set("x-request-id", c.get("requestId"));
    const request = new Request(new URL(path, c.req.url), { signal: c.req.raw.signal, ...init, headers });
    return await fetch(sentBy(c.get("visitor")!.bearer, request), c.env);
  };
  const read = async <Shape>(path: string, init?: RequestInit) => {
    const answer = await ask(path, init);
    if (answer.ok) return await answer.json() as Shape;
    throw await faultOf(answer);
  };
  const send = async <Shape>(path: string, sending: Sending) => {
    const answer = await ask(path, requestOf(sending));
    if (!answer.ok) throw await faultOf(answer);
    return (answer.status === 204 ? null : await answer.json()) as Shape;
  };
  return { ask, read, send };
}

function requestOf({ method, body, version, once }: Sending): RequestInit {
  const headers = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(version && /^\d{1,15}$/.test(version) ? { "if-match": `"${version}"` } : {}),
    ...(once ? { "idempotency-key": once } : {}),
  };
  return { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
}

/** The refusal of the API, as it was thrown there. */
async function faultOf(answer: Response): Promise<Fault> {
  const { code, detail, errors } = await answer.json() as {
    code: FaultCode;
    detail: string;
    errors: Fault["errors"];
  };
  const seconds = Number(answer.headers.get("retry-after")), location = answer.headers.get("location");
  return new Fault(code, detail, {
    errors,
    ...(seconds > 0 ? { retryAfterS: seconds } : {}),
    ...(location === null ? {} : { location }),
  });
}
