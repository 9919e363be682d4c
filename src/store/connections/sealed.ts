/**
 * Which master key the database's secrets are sealed with, and how they are all sealed with another one.
 *
 * Every column with sealed text must be in SEALED, or a rotation of the key would miss it.
 */
import { sql } from "drizzle-orm";
import type { Secrets } from "../../security/secrets.ts";
import type { Database, Statement } from "../database.ts";
import { masterKeys } from "./schema-secrets.ts";

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
}

/** Every column with text sealed by `Secrets.seal`, or null. */
export const SEALED: readonly SealedColumn[] = [
  { table: "webhook_endpoints", column: "secret" },
  { table: "webhook_endpoints", column: "previous_secret" },
  { table: "idempotency_answers", column: "sealed" },
  { table: "connection_secrets", column: "sealed" },
  { table: "authorizations", column: "verifier" },
  { table: "pgp_keys", column: "private_key" },
];

/** Values read at once: each may be as large as a row of D1. */
const AT_ONCE = 10;

/** Id of the key that the database's secrets are sealed with; null: no secret was ever sealed. */
export async function currentKeyId(db: Database): Promise<string | null> {
  const [row] = await db.orm.select({ keyId: masterKeys.keyId }).from(masterKeys);
  return row?.keyId ?? null;
}

/** Replaces the current key `before` (null: there is none). Does nothing when another process has replaced it already. */
export async function setCurrentKeyId(db: Database, before: string | null, keyId: string, now: number): Promise<void> {
  await db.write([
    before === null
      ? db.orm.insert(masterKeys).values({ id: 1, keyId, since: now }).onConflictDoNothing()
      : db.orm.update(masterKeys).set({ keyId, since: now }).where(sql`${masterKeys.keyId} = ${before}`),
  ]);
}

/**
 * Seals with the current key every secret that is sealed with an earlier one; gives how many. If it is killed, the next
 * call continues. A secret that is changed or deleted at the same time stays so. `columns`: others only in tests.
 */
export async function resealAll(
  db: Database,
  secrets: Secrets,
  columns: readonly SealedColumn[] = SEALED,
): Promise<number> {
  let count = 0;
  for (const { table, column } of columns) {
    const [from, value] = [sql.identifier(table), sql.identifier(column)];
    for (let after = 0;;) {
      const rows = await db.rows<[number, string]>(sql`select rowid, ${value} from ${from}
        where rowid > ${after} and ${value} is not null order by rowid limit ${AT_ONCE}`);
      if (rows.length === 0) break;
      const statements: Statement[] = [];
      for (const [id, before] of rows) {
        const sealed = await secrets.reseal(before);
        if (sealed === null) continue;
        statements.push(
          db.run(sql`update ${from} set ${value} = ${sealed} where rowid = ${id} and ${value} = ${before}`),
        );
      }
      await db.write(statements);
      count += statements.length;
      after = rows.at(-1)![0];
    }
  }
  return count;
}
