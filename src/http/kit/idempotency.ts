/**
 * `Idempotency-Key` on every POST of the API: a client that does not know whether its request arrived sends it again
 * with the same key, and it is done once.
 *
 * The first success is what later requests are answered with. A refused or failed request has done nothing, so its key
 * can be used again, unless the database's answer was lost: then it may have been done, and is not done again. If two requests come at once, the key's row in the database decides which is first
 * (store/idempotency.ts).
 */
import { sha256Hex } from "../../std/hex.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { tooLarge } from "../../store/runs/cut-body.ts";
import { MAX_DROP_BYTES } from "../../store/runs/drop-content.ts";
import {
  claimKey,
  createClaim,
  loadAnswer,
  ownClaim,
  releaseClaim,
  renewClaim,
  settleClaim,
} from "../../store/idempotency.ts";
import { fencedDatabase } from "../../store/fence.ts";
import { RENEW_EVERY_MS } from "../../store/lease.ts";
import { mayBeDone } from "../../store/trouble.ts";
import { callerOf } from "./caller.ts";
import { documented } from "./describe.ts";
import { discard, watchBody } from "./watched-body.ts";
import type { Env } from "./env.ts";
import { counted } from "./in-flight.ts";
import { withoutSecrets } from "./shown-once.ts";

/** Headers that are stored with an answer. */
const STORED_HEADERS = ["content-type", "location", "etag", "preference-applied"];
/**
 * Length of the parts in which an answer is sealed: each fits into one request to a libSQL server, even if all characters are wide.
 */
const PART_CHARACTERS = 200_000;

/**
 * Up to this size, the body of a repeated request does not count as an upload in progress, as the first one did not.
 */
const MAX_UNCOUNTED_BYTES = 1024 * 1024;

interface Answer {
  /** Digest of the answered request. */
  readonly request: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const onceForEachKey: MiddlewareHandler<Env> = async (c, next) => {
  const header = c.req.header("idempotency-key");
  const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path;
  if (c.req.method !== "POST" || header === undefined || route === undefined) return await next();
  const { db, now, log, secrets, holder } = c.get("hub");
  const asked = { id: c.get("requestId"), startedAt: now() };
  // Without a master key no answer can be stored; this fails before anything is done.
  await secrets.derive("idempotency");
  const organizationId = c.get("organization").id;
  const watched = watchBody(c.req.raw, c.get("hub").packing?.createSha256() ?? sha256.create());
  c.set("watchedBody", watched);
  const key = { organizationId, caller: holderOf(c), route, keyHash: await sha256Hex(readKey(header)) };
  const claimed = await claimKey(db, key, createClaim(holder), now(), holder);
  if (claimed.is === "running") {
    throw new Fault(
      "idempotency_key_in_use",
      "The first request with this Idempotency-Key is still running; retry once it has been answered",
      { retryAfterS: 1 },
    );
  }
  if (claimed.is === "answered") {
    const read = () => discard(watched, MAX_DROP_BYTES, () => tooLarge("a drop", MAX_DROP_BYTES));
    const isSmall = Number(c.req.header("content-length") ?? NaN) <= MAX_UNCOUNTED_BYTES;
    await (isSmall ? read() : counted(c, "bodies", read));
    return await answerAgain(c, claimed.claim, await digestRequest(c, await watched.digest()));
  }

  const { claim } = claimed;
  c.set("hub", { ...c.get("hub"), db: fencedDatabase(db, ownClaim(claim)) });
  const renewal = setInterval(() => void renewClaim(db, claim).catch(() => {}), RENEW_EVERY_MS);
  try {
    await next();
  } finally {
    clearInterval(renewal);
  }
  try {
    if (mayBeDone(c.error)) return await settleClaim(db, claim, [], asked, now());
    const request = c.res.ok ? await digestRequest(c, await watched.digest()) : null;
    const body = request === null ? null : await bodyToKeep(c.res);
    if (request === null || body === null) return await releaseClaim(db, claim);
    const headers = STORED_HEADERS.flatMap((name) => c.res.headers.has(name) ? [[name, c.res.headers.get(name)!]] : []);
    const answer: Answer = { request, status: c.res.status, headers: Object.fromEntries(headers), body };
    await settleClaim(db, claim, await seal(c, claim, answer), asked, now());
  } catch (error) {
    // The request itself is done, so it is answered. The key becomes free when its claim is no longer renewed.
    log("idempotency.not_kept", { error: error instanceof Error ? error.name : "unknown" });
  }
};

/**
 * Who may get the stored answer. The scopes of a stored token never change. Those of a member or of an issuer's subject
 * may have become fewer in the meantime, so they are part of the key.
 */
function holderOf(c: Context<Env>): string {
  const { kind, scopes } = c.get("token");
  return kind === "openid" || kind === "member"
    ? `${callerOf(c)} ${[...new Set(scopes)].sort().join(" ")}`
    : callerOf(c);
}

/** Answers a repeated request like the first one with its key. */
export const idempotent = documented(onceForEachKey, {
  methods: ["POST"],
  headers: [{
    name: "Idempotency-Key",
    description:
      "1 to 255 characters of your choice. The same request with the same key is done once, and answered alike for 24 hours",
    schema: z.string().meta({ examples: ["2026-03-02-people"] }),
  }],
  answerHeaders: {
    "Idempotency-Replayed": {
      description: "`true`: this is the stored answer to the first request with the key",
      schema: z.string().meta({ examples: ["true"] }),
      optional: true,
      onlyOnSuccess: true,
    },
  },
  faults: ["conflict", "idempotency_key_in_use", "idempotency_key_reused", "too_many_in_flight"],
});

async function answerAgain(c: Context<Env>, claim: string, request: string | null): Promise<Response> {
  const { db, secrets } = c.get("hub");
  const parts = await loadAnswer(db, c.get("organization").id, claim);
  if (parts.length === 0) {
    throw new Fault(
      "conflict",
      "The request with this Idempotency-Key was done, or may have been, and its answer is no longer stored: look at what is there",
    );
  }
  const opened = await Promise.all(parts.map((sealed) => secrets.open(purposeOf(claim), sealed)));
  const answer = JSON.parse(opened.join("")) as Answer;
  if (answer.request !== request) {
    throw new Fault("idempotency_key_reused", "This Idempotency-Key was used for another request; use a new key");
  }
  return new Response(answer.body, {
    status: answer.status,
    headers: { ...answer.headers, "idempotency-replayed": "true" },
  });
}

async function seal(c: Context<Env>, claim: string, answer: Answer): Promise<string[]> {
  const { secrets } = c.get("hub");
  const text = JSON.stringify(answer);
  const sealed: string[] = [];
  for (let from = 0; from < text.length;) {
    let end = from + PART_CHARACTERS;
    // A part must not end between the two halves of a surrogate pair, which UTF-8 cannot express.
    if (/[\ud800-\udbff]/.test(text[end - 1] ?? "")) end--;
    sealed.push(await secrets.seal(purposeOf(claim), text.slice(from, end)));
    from = end;
  }
  return sealed;
}

function purposeOf(claim: string): string {
  return `idempotency:${claim}`;
}

/** The answer's body without secrets; null if it is not JSON, and so cannot be stored. */
async function bodyToKeep(answer: Response): Promise<string | null> {
  const type = answer.headers.get("content-type");
  if (answer.body === null) return "";
  if (!/^application\/json\b/.test(type ?? "")) return null;
  return JSON.stringify(withoutSecrets(await answer.clone().json()));
}

/** The key's text. The header may have it in quotes, as in the IETF's draft. */
function readKey(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new Fault(
    "invalid_request",
    `The Idempotency-Key has ${key.length} characters; it should have 1 to 255, all of them printable ASCII`,
  );
}

/** Digest of what must be the same in a repeated request; null if the body was not read to its end. */
async function digestRequest(c: Context<Env>, body: string | null): Promise<string | null> {
  if (body === null) return null;
  const { pathname, search } = new URL(c.req.url);
  const type = (c.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  return await sha256Hex(JSON.stringify([pathname, search, type, body]));
}
