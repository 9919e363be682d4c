/**
 * Rate limits per minute: for each token, for all tokens of an organization together, and for failed log-ins from each
 * network address. Answers have the header fields of draft-ietf-httpapi-ratelimit-headers-10.
 */
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { type Allowance, digestShown, type Limiter, networkOf } from "../../security/rates.ts";
import { callerOf } from "./caller.ts";
import { documented } from "./describe.ts";
import type { Bearer, Env } from "./env.ts";

/** Runs before the first query to the database. */
const lookAtLogins: MiddlewareHandler<Env> = async (c, next) => {
  const { rates } = c.get("hub");
  const logins = rates?.logins ?? null;
  const address = c.env?.address ?? null;
  if (rates === undefined || logins === null || address === null) return await next();
  const network = networkOf(address);
  const authorization = c.req.header("authorization");
  const isWelcome = authorization !== undefined && rates.welcome.has(digestShown(authorization));
  const { allowed, retryAfterS } = logins.look(network, rates.clockMs());
  if (!allowed && !isWelcome) {
    throw tooMany(`There were more than ${logins.quota} failed logins per minute from this address`, retryAfterS);
  }
  await next();
  if (c.res.status === 401) logins.take(network, rates.clockMs());
};

/** The group in which the token's requests take turns. The hub's own bridge serves all organizations: it has its own. */
const groupOf = ({ kind, organizationId }: Bearer) => kind === "own" ? "bridge" : `organization ${organizationId}`;

const countRequest: MiddlewareHandler<Env> = async (c, next) => {
  const { rates } = c.get("hub");
  const token = c.get("token");
  const authorization = c.req.header("authorization");
  // The console's own requests have none, and let nobody in.
  if (authorization !== undefined) rates?.welcome.add(digestShown(authorization), groupOf(token));
  // The hub's own bridge has no limit.
  if (rates === undefined || rates.requests === null || token.kind === "own") return await next();
  const now = rates.clockMs();
  const counts: Count[] = [count("token", rates.requests, callerOf(c), now)];
  // A request that exceeds the token's limit does not count against the other tokens of the organization.
  if (rates.organizations !== null && counts[0]!.allowance.allowed) {
    counts.push(count("organization", rates.organizations, String(token.organizationId), now));
  }
  const fields = {
    "ratelimit-policy": counts.map(({ name, limiter }) => `"${name}";q=${limiter.quota};w=${limiter.windowS}`),
    "ratelimit": counts.map(({ name, allowance }) => `"${name}";r=${allowance.remaining};t=${allowance.resetS}`),
  };
  const refusing = counts.find(({ allowance }) => !allowance.allowed);
  if (refusing !== undefined) {
    for (const [name, values] of Object.entries(fields)) c.header(name, values.join(", "));
    const { name, limiter, allowance } = refusing;
    throw tooMany(`The ${name} exceeded its ${limiter.quota} requests per minute`, allowance.retryAfterS);
  }
  await next();
  for (const [name, values] of Object.entries(fields)) c.res.headers.set(name, values.join(", "));
};

interface Count {
  readonly name: "token" | "organization";
  readonly limiter: Limiter;
  readonly allowance: Allowance;
}

function count(name: Count["name"], limiter: Limiter, key: string, now: number): Count {
  return { name, limiter, allowance: limiter.take(key, now) };
}

/** Refuses addresses with too many failed log-ins. To be used before `authenticate`. */
export const limitLogins = documented(lookAtLogins, { faults: ["rate_limited"] });

/** Counts the request for its token. To be used after `authenticate`. */
export const limitRequests = documented(countRequest, {
  answerHeaders: {
    "RateLimit": {
      // One header for both, as every answer refers to it.
      description:
        "Requests left (`r`), and seconds until the full quota is back (`t`). `RateLimit-Policy` beside it " +
        'has the quota: `"token";q=6000;w=60` is 6,000 requests in 60 seconds.',
      schema: z.string().meta({ examples: ['"token";r=5991;t=1, "organization";r=23980;t=1'] }),
      optional: true,
    },
  },
  faults: ["rate_limited"],
});

function tooMany(what: string, retryAfterS: number): Fault {
  const seconds = retryAfterS === 1 ? "1 second" : `${retryAfterS} seconds`;
  return new Fault("rate_limited", `${what}; retry in ${seconds}`, { retryAfterS });
}
