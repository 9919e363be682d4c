/**
 * Signed links to a run's page and its reports. Anyone who has a link can open it, so each link opens one thing, for a
 * limited time, and can be revoked.
 *
 * A link is a JWT (RFC 7519, HS256) under a key of the hub's own. It is made when a message is sent and never stored.
 */
import { errors, jwtVerify, SignJWT } from "jose";
import type { Hub } from "../hub.ts";
import { decodeId, encodeId } from "../model/id.ts";
import { isSignedText } from "../security/signed-text.ts";
import { type LinkRights, rightsOfRole, rightsWith } from "../model/link.ts";
import { findReceiver } from "../store/notify/endpoints.ts";
import { isRevoked } from "../store/notify/signed-links.ts";
import { findLiveLink } from "../store/notify/run-links.ts";
import { findRun, type Run, type StoredRun } from "../store/runs/runs.ts";
import { HOUR_MS } from "../std/time.ts";

/** What a link opens: the page with its decisions, or the failure report in one format. */
export type LinkKind = "page" | "csv" | "xlsx" | "json";

export const PAGE_LINK_MS = 72 * HOUR_MS;
export const REPORT_LINK_MS = 7 * 24 * HOUR_MS;
/** After this, every link that was made has expired. */
export const LONGEST_LINK_MS = REPORT_LINK_MS;

/** The path of each kind of link. */
const PATHS: Record<LinkKind, string> = { page: "/r", csv: "/reports", xlsx: "/reports", json: "/reports" };

/** The run that a link is about. */
type LinkedRun = Pick<Run, "id" | "organizationId">;

/** The rights of links in mails: the technical contact may have to decide. */
const EVERY_RIGHT: LinkRights = { people: true, approve: true, cancel: true };

/** What a link is made for. */
export interface LinkTerms {
  readonly rights: LinkRights;
  /**
   * When the event happened that the link is sent with, in milliseconds since 1970. Revoking a run's links revokes those
   * of all earlier events, including links that are made later because a message is sent again.
   */
  readonly made: number;
  /** The endpoint that the link is sent to, whose scopes limit its rights; null: it is sent by mail. */
  readonly via: number | null;
  /** The stored link that it is, which may be deleted; absent: it is sent with a message. */
  readonly link?: number;
}

/** Addresses for one message. They work for anyone who has them, so they must not be stored or logged. */
export type Links = { readonly [kind in LinkKind]: string };

/**
 * Makes links to a run's page (72 hours) and to its failure report (7 days) that allow everything. To be called when the
 * message is sent. `made`: as in LinkTerms.
 */
export async function mintLinks(hub: Hub, run: LinkedRun, made = hub.now()): Promise<Links> {
  return await mintAll(hub, run, { rights: EVERY_RIGHT, made, via: null });
}

/** As mintLinks, within the terms; a link is null if they do not allow it, or if links to the run were revoked since. */
export async function mintLinksWithin(
  hub: Hub,
  run: LinkedRun,
  terms: LinkTerms | null,
  pageMs = PAGE_LINK_MS,
): Promise<{ readonly [kind in LinkKind]: string | null }> {
  if (terms === null || await isRevoked(hub.db, run.organizationId, run.id, terms.made)) {
    return { page: null, csv: null, xlsx: null, json: null };
  }
  const links = await mintAll(hub, run, terms, pageMs);
  return terms.rights.people ? links : { ...links, csv: null, xlsx: null, json: null };
}

async function mintAll(hub: Hub, run: LinkedRun, terms: LinkTerms, pageMs = PAGE_LINK_MS): Promise<Links> {
  const now = hub.now();
  return {
    page: await mintLink(hub, run, "page", now + pageMs, terms),
    csv: await mintLink(hub, run, "csv", now + REPORT_LINK_MS, terms),
    xlsx: await mintLink(hub, run, "xlsx", now + REPORT_LINK_MS, terms),
    json: await mintLink(hub, run, "json", now + REPORT_LINK_MS, terms),
  };
}

/** Makes a link of one kind. `expiresAt`: in milliseconds since 1970, rounded down to a second. */
export async function mintLink(
  hub: Hub,
  run: LinkedRun,
  kind: LinkKind,
  expiresAt: number,
  { rights, made, via, link }: LinkTerms = { rights: EVERY_RIGHT, made: hub.now(), via: null },
): Promise<string> {
  const can = Object.entries(rights).filter(([, granted]) => granted).map(([right]) => right);
  const signed = await new SignJWT({
    org: encodeId("org", run.organizationId),
    made,
    can,
    ...(via === null ? {} : { via: encodeId("whe", via) }),
    ...(link === undefined ? {} : { link: encodeId("lnk", link) }),
  })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(kind)
    .setSubject(encodeId("run", run.id))
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(await hub.secrets.derive("links"));
  return `${hub.publicUrl}${PATHS[kind]}/${signed}`;
}

/** Why a link opens nothing. `invalid`: this hub did not sign it, or not for this purpose. */
export type Refusal = "invalid" | "expired" | "revoked" | "gone";

export type Opened =
  | { readonly refusal: Refusal }
  | {
    readonly refusal: null;
    readonly kind: LinkKind;
    readonly found: StoredRun;
    readonly expiresAt: number;
    readonly terms: LinkTerms;
  };

/** Opens a link by its signed part, if it is of one of `kinds`. */
export async function openLink(hub: Hub, signed: string, kinds: readonly LinkKind[]): Promise<Opened> {
  const claims = await verify(hub, signed, kinds);
  if (typeof claims === "string") return { refusal: claims };
  const { kind, organizationId, runId, terms, expiresAt } = claims;
  if (await isRevoked(hub.db, organizationId, runId, terms.made)) return { refusal: "revoked" };
  const rights = await rightsNow(hub, organizationId, terms);
  if (rights === null || (kind !== "page" && !rights.people)) return { refusal: "revoked" };
  const found = await findRun(hub.db, organizationId, runId);
  return found === null ? { refusal: "gone" } : { refusal: null, kind, found, expiresAt, terms: { ...terms, rights } };
}

/**
 * The link's rights, within what its stored row or the present scopes of the endpoint that it was sent to allow; null: none
 * are left.
 */
async function rightsNow(
  hub: Hub,
  organizationId: number,
  { rights, via, link }: LinkTerms,
): Promise<LinkRights | null> {
  if (link !== undefined) {
    const found = await findLiveLink(hub.db, organizationId, link, hub.now());
    return found === null ? null : rightsOfRole(found.scopes, found.role);
  }
  if (via === null) return rights;
  const endpoint = await findReceiver(hub.db, organizationId, via);
  if (endpoint === null || endpoint.disabledReason === "revoked") return null;
  const now = rightsWith(endpoint.scopes);
  return now && {
    people: rights.people && now.people,
    approve: rights.approve && now.approve,
    cancel: rights.cancel && now.cancel,
  };
}

interface Claims {
  readonly kind: LinkKind;
  readonly organizationId: number;
  readonly runId: number;
  readonly terms: LinkTerms;
  readonly expiresAt: number;
}

/** Accepts signatures under the current key, and under earlier keys that the hub still has. */
async function verify(hub: Hub, signed: string, kinds: readonly LinkKind[]): Promise<Claims | Refusal> {
  // Decoders ignore white space and surplus bits, so other spellings are refused first.
  if (!isSignedText(signed)) return "invalid";
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
      // Links from before rights were part of them show people, and allow no decision.
      const { can = ["people"], made } = payload;
      const via = payload.via === undefined ? null : decodeId("whe", String(payload.via));
      const link = payload.link === undefined ? undefined : decodeId("lnk", String(payload.link));
      if (!Array.isArray(can) || link === null || (payload.via !== undefined && via === null)) continue;
      const rights = {
        people: can.includes("people"),
        approve: can.includes("approve"),
        cancel: can.includes("cancel"),
      };
      return { kind, organizationId, runId, terms: { rights, made, via, link }, expiresAt: payload.exp! * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) refusal = "expired";
      else if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return refusal;
}
