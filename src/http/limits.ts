/**
 * How often somebody may ask: each token so many times a minute, and each network address so many times with a token
 * that is none. Says so in the header fields of draft-ietf-httpapi-ratelimit-headers-10.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault } from "../errors.ts";
import { type Limiter, networkOf } from "../rates.ts";
import { callerOf } from "./caller.ts";
import { telling } from "./describe.ts";
import type { Env } from "./env.ts";

/** Looks before the database is asked for anything. */
const lookAtLogins: MiddlewareHandler<Env> = async (c, next) => {
  const { rates, now } = c.get("hub");
  const logins = rates?.logins ?? null;
  const address = c.env?.address ?? null;
  if (rates === undefined || logins === null || address === null) return await next();
  const network = networkOf(address);
  const held = sha256(new TextEncoder().encode(c.req.header("authorization") ?? "")).join();
  const { allowed, retryAfterS } = logins.look(network, now());
  if (!allowed && !rates.welcome.has(held)) {
    throw tooMany(c, retryAfterS, `There were more than ${logins.quota} failed log-ins a minute from this address`);
  }
  await next();
  if (c.res.status === 401) logins.take(network, now());
  else if (c.get("token") !== undefined) rates.welcome.add(held);
};

const countRequest: MiddlewareHandler<Env> = async (c, next) => {
  const { rates, now } = c.get("hub");
  const limiter = rates?.requests ?? null;
  // The hub's own bridge asks for as much as there is to do.
  if (limiter === null || c.get("token").kind === "own") return await next();
  const { allowed, remaining, resetS, retryAfterS } = limiter.take(callerOf(c), now());
  const fields = { "ratelimit-policy": policyOf(limiter), "ratelimit": `"token";r=${remaining};t=${resetS}` };
  if (!allowed) {
    for (const [name, value] of Object.entries(fields)) c.header(name, value);
    throw tooMany(c, retryAfterS, `The token sent more than its ${limiter.quota} requests a minute`);
  }
  await next();
  for (const [name, value] of Object.entries(fields)) c.res.headers.set(name, value);
};

/** Sends away who failed to log in too often. Stands before `authenticate`. */
export const limitLogins = telling(lookAtLogins, { faults: ["rate_limited"] });

/** Counts the request for its token. Stands behind `authenticate`. */
export const limitRequests = telling(countRequest, {
  answerHeaders: {
    "RateLimit-Policy": {
      description: "How many requests (`q`) in how many seconds (`w`) the token has",
      schema: z.string().meta({ examples: ['"token";q=6000;w=60'] }),
      optional: true,
    },
    "RateLimit": {
      description: "How many are left (`r`), and in how many seconds all of them are back (`t`)",
      schema: z.string().meta({ examples: ['"token";r=5991;t=1'] }),
      optional: true,
    },
  },
  faults: ["rate_limited"],
});

function policyOf(limiter: Limiter): string {
  return `"token";q=${limiter.quota};w=${limiter.windowS}`;
}

function tooMany(c: Context<Env>, retryAfterS: number, what: string): Fault {
  c.header("retry-after", String(retryAfterS));
  const seconds = retryAfterS === 1 ? "1 second" : `${retryAfterS} seconds`;
  return new Fault("rate_limited", `${what}; the next should come in ${seconds}`);
}
