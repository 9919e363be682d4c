/**
 * Prepares a new database: the organization `default`, and a first token. Idempotent, also when two processes do it at the
 * same time. Works on every runtime.
 */
import { Fault } from "../model/errors.ts";
import type { Database } from "../store/database.ts";
import { createOrganization, findOrganizationNamed, type Organization } from "../store/organizations.ts";
import { createToken, findTokenByHash } from "../store/tokens.ts";
import { hashToken, isTokenText, TOKEN_FORM } from "../security/token.ts";

/** The organization that is meant where none is named. */
export async function ensureDefaultOrganization(db: Database, now: number): Promise<Organization> {
  const found = await findOrganizationNamed(db, "default");
  if (found !== null) return found;
  try {
    return await createOrganization(db, { slug: "default", name: "Default", timezone: "UTC" }, now);
  } catch (error) {
    const made = await findOrganizationNamed(db, "default");
    if (made === null) throw error;
    return made;
  }
}

/** Stores the token with the scopes `admin` and `operator`, unless it is stored already. */
export async function installAdminToken(
  db: Database,
  organizationId: number,
  text: string,
  now: number,
): Promise<void> {
  if (!isTokenText(text)) {
    throw new Fault("unprocessable", `MUSTER_ADMIN_TOKEN is not a token: it should be ${TOKEN_FORM}`);
  }
  const hash = hashToken(text);
  if (await findTokenByHash(db, hash) !== null) return;
  try {
    await createToken(
      db,
      organizationId,
      { name: "First token", scopes: ["admin", "operator"], hash, expiresAt: null },
      now,
    );
  } catch (error) {
    if (await findTokenByHash(db, hash) === null) throw error;
  }
}
