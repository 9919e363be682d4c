/** OAuth authorizations in progress, as stored: begun when an admin is sent to a source's consent page, finished once. */
import { eq, lt, sql } from "drizzle-orm";
import { type By } from "../../model/audit.ts";
import { sha256Hex } from "../../std/hex.ts";
import { encodeId } from "../../model/id.ts";
import type { Secrets } from "../../security/secrets.ts";
import { recordAudit } from "../audit.ts";
import { sealSecrets, TOKENS, writeSecrets } from "./connection-secrets.ts";
import type { Connection } from "./connections.ts";
import { type Database, writeNamed } from "../database.ts";
import { authorizations } from "./schema-sources.ts";
import { connections } from "./schema.ts";
import { unchanged } from "../unchanged.ts";
import { recomputeClock } from "./unwind.ts";
import { MINUTE_MS } from "../../std/time.ts";

export type Authorization = typeof authorizations.$inferSelect;

/** How long an authorization may take. */
export const AUTHORIZATION_MS = 15 * MINUTE_MS;

const PURPOSE = "authorization";

/** Begins an authorization; deletes the former ones of this connection, and all that have expired. */
export async function createAuthorization(
  db: Database,
  secrets: Secrets,
  connection: Connection,
  { state, verifier }: { state: string; verifier: string },
  now: number,
  by: By,
): Promise<void> {
  const { id: connectionId, organizationId } = connection;
  const subjects = [encodeId("con", connectionId)];
  const { kind, id, name } = by;
  await db.write([
    db.orm.delete(authorizations).where(eq(authorizations.connectionId, connectionId)),
    db.orm.delete(authorizations).where(lt(authorizations.expiresAt, now)),
    db.orm.insert(authorizations).values({
      state: await sha256Hex(state),
      organizationId,
      connectionId,
      connectionVersion: connection.version,
      verifier: await secrets.seal(PURPOSE, verifier),
      actor: { kind, id, name },
      expiresAt: now + AUTHORIZATION_MS,
    }),
    recordAudit(db, by, { organizationId, action: "connection.authorizing", subjects }, now),
  ]);
}

/** Takes the authorization that has this state, which only works once; null: there is none, or it has expired. */
export async function takeAuthorization(
  db: Database,
  secrets: Secrets,
  state: string,
  now: number,
): Promise<{ readonly authorization: Authorization; readonly verifier: string } | null> {
  const { deleted } = await writeNamed(db, {
    deleted: db.orm.delete(authorizations).where(eq(authorizations.state, await sha256Hex(state))).returning(),
  });
  const authorization = deleted[0];
  if (authorization === undefined || authorization.expiresAt < now) return null;
  return { authorization, verifier: await secrets.open(PURPOSE, authorization.verifier) };
}

/** Stores the tokens; false when the connection has been changed since the authorization began. */
export async function keepTokens(
  db: Database,
  secrets: Secrets,
  { connectionId, organizationId, connectionVersion }: Authorization,
  tokens: string,
  now: number,
  by: By,
): Promise<boolean> {
  const connection = { id: connectionId, organizationId };
  const same = unchanged(connections, { id: connectionId, version: connectionVersion }, ["id", "version"]);
  const sealed = await sealSecrets(secrets, connectionId, { [TOKENS]: tokens });
  const subjects = [encodeId("con", connectionId)];
  const { current } = await writeNamed(db, {
    current: db.all(sql`select 1 where ${same}`),
    secrets: writeSecrets(db, connection, sealed, now, same),
    audit: recordAudit(db, by, { organizationId, action: "connection.authorized", subjects }, now),
    clock: recomputeClock(db, connection, now, same),
  });
  return current.length > 0;
}
