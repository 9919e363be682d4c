/** Who is signed in: the session that the browser's cookie names, and what it may do. */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { createSecretText, formTokenOf, hashSecretText, isSecretText } from "../../security/session.ts";
import { findMember } from "../../store/members.ts";
import { findLiveSession, type Owner, type Session, SESSION_MS, touchSession } from "../../store/sessions.ts";
import { findToken } from "../../store/tokens.ts";
import { bearerOf, bearerOfMember } from "../kit/authorize.ts";
import type { Bearer, Env, Visitor } from "../kit/env.ts";

/** How often a session's last use is recorded. */
const TOUCH_EVERY_MS = 5 * 60 * 1000;

/** Null: nobody is signed in, or the session has ended. */
export async function findVisitor(c: Context<Env>): Promise<Visitor | null> {
  const text = getCookie(c, cookieName(c)) ?? "";
  if (!isSecretText(text)) return null;
  const { db, now } = c.get("hub");
  const session = await findLiveSession(db, hashSecretText(text), now());
  const bearer = session === null ? null : await bearerFor(c, session);
  if (session === null || bearer === null) return null;
  if (now() - session.usedAt >= TOUCH_EVERY_MS) await touchSession(db, session.id, now());
  return { session, bearer, formToken: formTokenOf(text) };
}

/** What the session's token or member may do now; null: it is gone, or has expired. */
export async function bearerFor(
  c: Context<Env>,
  { organizationId, tokenId, memberId }: Owner,
): Promise<Bearer | null> {
  const { db, now } = c.get("hub");
  if (memberId !== null) {
    const member = await findMember(db, organizationId, memberId);
    return member === null ? null : bearerOfMember(member);
  }
  const token = tokenId === null ? null : await findToken(db, organizationId, tokenId);
  return token === null || (token.expiresAt !== null && token.expiresAt <= now()) ? null : bearerOf(token);
}

/** A new session's text, and its row but for its id. */
export function newSession(c: Context<Env>, owner: Owner): { text: string; row: Omit<Session, "id"> } {
  const text = createSecretText(), now = c.get("hub").now();
  const { organizationId, tokenId, memberId } = owner;
  const address = c.env?.address ?? null;
  const row = { organizationId, tokenId, memberId, hash: hashSecretText(text), address, usedAt: now, createdAt: now };
  return { text, row: { ...row, expiresAt: now + SESSION_MS } };
}

export function keepCookie(c: Context<Env>, text: string): void {
  setCookie(c, cookieName(c), text, { ...cookieOptions(c), maxAge: SESSION_MS / 1000 });
}

export function dropCookie(c: Context<Env>): void {
  deleteCookie(c, cookieName(c), cookieOptions(c));
}

/** RFC 6265bis: with the prefix, browsers take the cookie from this host alone, and over TLS. */
function cookieName(c: Context<Env>): string {
  return isSecure(c) ? "__Host-muster" : "muster";
}

function cookieOptions(c: Context<Env>) {
  return { httpOnly: true, sameSite: "Lax", secure: isSecure(c), path: "/" } as const;
}

function isSecure(c: Context<Env>): boolean {
  return c.get("hub").publicUrl.startsWith("https:");
}
