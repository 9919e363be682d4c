/**
 * Signed links: a run in, the addresses of its page and its reports out; and an address's signed part back to what it
 * may open. Whoever has the link may open what it names, so it names one thing, for a time, and can be taken back.
 *
 * A link is a JWT (RFC 7519, HS256) under a key of the hub's own. It is made when a message is sent and never stored.
 */
import { errors, jwtVerify, SignJWT } from "jose";
import type { Hub } from "../hub.ts";
import { decodeId, encodeId } from "../id.ts";
import { isRevoked } from "../store/signed-links.ts";
import { findRun, type Run, type StoredRun } from "../store/runs.ts";

/** What a link opens: the page with its decisions, or the failure report in one format. */
export type LinkKind = "page" | "csv" | "json";

const HOUR_MS = 3_600_000;
const PAGE_LINK_MS = 72 * HOUR_MS;
const REPORT_LINK_MS = 7 * 24 * HOUR_MS;
/** After this, every link that was made has expired. */
export const LONGEST_LINK_MS = REPORT_LINK_MS;

/** Where each kind of link is answered. */
const PATHS: Record<LinkKind, string> = { page: "/r", csv: "/reports", json: "/reports" };

/** What a link may be about. */
type LinkedRun = Pick<Run, "id" | "organizationId">;

/** Addresses for one message. They work for whoever has them, so they belong in what is sent and nowhere else. */
export interface Links {
  readonly page: string;
  readonly csv: string;
  readonly json: string;
}

/** New links to a run's page (72 hours) and to its failure report (7 days), to be made at the moment of sending. */
export async function mintLinks(hub: Hub, run: LinkedRun): Promise<Links> {
  const [page, csv, json] = await Promise.all([
    mintLink(hub, run, "page", hub.now() + PAGE_LINK_MS),
    mintLink(hub, run, "csv", hub.now() + REPORT_LINK_MS),
    mintLink(hub, run, "json", hub.now() + REPORT_LINK_MS),
  ]);
  return { page, csv, json };
}

/** A new link of one kind. `expiresAt` in milliseconds since 1970; a link ends with the second that it lies in. */
export async function mintLink(hub: Hub, run: LinkedRun, kind: LinkKind, expiresAt: number): Promise<string> {
  const signed = await new SignJWT({ org: encodeId("org", run.organizationId), made: hub.now() })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(kind)
    .setSubject(encodeId("run", run.id))
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(await hub.secrets.derive("links"));
  return `${hub.publicUrl}${PATHS[kind]}/${signed}`;
}

/** Why a link opens nothing. `invalid`: it was never one of this hub's, or not for this. */
export type Refusal = "invalid" | "expired" | "revoked" | "gone";

export type Opened =
  | { readonly refusal: Refusal }
  | { readonly refusal: null; readonly kind: LinkKind; readonly found: StoredRun; readonly expiresAt: number };

/** What the signed part of a link opens, if it is for one of `kinds`. */
export async function openLink(hub: Hub, signed: string, kinds: readonly LinkKind[]): Promise<Opened> {
  const claims = await verify(hub, signed, kinds);
  if (typeof claims === "string") return { refusal: claims };
  const { kind, organizationId, runId, made, expiresAt } = claims;
  if (await isRevoked(hub.db, organizationId, runId, made)) return { refusal: "revoked" };
  const found = await findRun(hub.db, organizationId, runId);
  return found === null ? { refusal: "gone" } : { refusal: null, kind, found, expiresAt };
}

interface Claims {
  readonly kind: LinkKind;
  readonly organizationId: number;
  readonly runId: number;
  readonly made: number;
  readonly expiresAt: number;
}

/** A signature holds under the current key, or under an earlier one that the hub still has. */
async function verify(hub: Hub, signed: string, kinds: readonly LinkKind[]): Promise<Claims | Refusal> {
  let refusal: Refusal = "invalid";
  for (const key of await hub.secrets.deriveAll("links")) {
    try {
      const { payload } = await jwtVerify(signed, key, {
        algorithms: ["HS256"],
        audience: [...kinds],
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(hub.now()),
      });
      const organizationId = decodeId("org", String(payload.org));
      const runId = decodeId("run", payload.sub!);
      const kind = kinds.find((each) => each === payload.aud);
      if (organizationId === null || runId === null || kind === undefined || typeof payload.made !== "number") continue;
      return { kind, organizationId, runId, made: payload.made, expiresAt: payload.exp! * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) refusal = "expired";
      else if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return refusal;
}
