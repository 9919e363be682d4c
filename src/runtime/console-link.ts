/**
 * The link that a start prints on its terminal: it signs its opener in to the console, once, as the first token. Who can
 * read the terminal of the hub can read the file with that token, too.
 */
import { readFile } from "node:fs/promises";
import { createSecretText, hashSecretText } from "../security/session.ts";
import { hashToken } from "../security/token.ts";
import { MINUTE_MS } from "../std/time.ts";
import type { Database } from "../store/database.ts";
import { createSignInLink } from "../store/sessions.ts";
import { findTokenByHash } from "../store/tokens.ts";

const LINK_MS = 15 * MINUTE_MS;

/** The link's path. Null: the file with the first token is gone, or the token no longer works. */
export async function createStartLink(db: Database, firstTokenFile: string, now: number): Promise<string | null> {
  const kept = await readFile(firstTokenFile, "utf8").catch(() => "");
  const token = await findTokenByHash(db, hashToken(kept.trim()));
  if (token === null || (token.expiresAt !== null && token.expiresAt <= now)) return null;
  const text = createSecretText();
  await createSignInLink(db, {
    hash: hashSecretText(text),
    organizationId: token.organizationId,
    tokenId: token.id,
    memberId: null,
    isDirect: true,
    expiresAt: now + LINK_MS,
  });
  return `/sign-in/${text}`;
}
