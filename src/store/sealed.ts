/**
 * Which master key the database's secrets are sealed with, and how all of them come under another one.
 *
 * A column that holds sealed text belongs into SEALED, or a rotation would leave it behind.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Secrets } from "../secrets.ts";
import type { Database, Statement } from "./database.ts";
import { masterKeys } from "./schema-secrets.ts";

/** Every column with text sealed by `Secrets.seal`; null where nothing is set. */
const SEALED: readonly { readonly table: string; readonly column: string }[] = [
  { table: "webhook_endpoints", column: "secret" },
  { table: "webhook_endpoints", column: "previous_secret" },
];

const AT_ONCE = 100;

/** Id of the key that the database's secrets are sealed with; null while none was ever used. */
export async function currentKeyId(db: Database): Promise<string | null> {
  const [row] = await db.orm.select({ keyId: masterKeys.keyId }).from(masterKeys);
  return row?.keyId ?? null;
}

/** The key in place of `before` (null: of none) from now on. Does nothing when another one is there by then. */
export async function setCurrentKeyId(db: Database, before: string | null, keyId: string, now: number): Promise<void> {
  await db.write([
    before === null
      ? db.orm.insert(masterKeys).values({ id: 1, keyId, since: now }).onConflictDoNothing()
      : db.orm.update(masterKeys).set({ keyId, since: now }).where(sql`${masterKeys.keyId} = ${before}`),
  ]);
}

/**
 * Seals with the current key whatever is sealed with an earlier one; gives how many those were. Killed half-way and
 * done again, it goes on; a secret that is changed meanwhile stays as changed.
 */
export async function resealAll(db: Database, secrets: Secrets): Promise<number> {
  let resealed = 0;
  for (const { table, column } of SEALED) {
    const [name, field] = [sql.identifier(table), sql.identifier(column)];
    for (let after = 0;;) {
      const rows = await db.rows<[number, string]>(sql`select rowid, ${field} from ${name}
        where rowid > ${after} and ${field} is not null order by rowid limit ${AT_ONCE}`);
      if (rows.length === 0) break;
      const changes: [number, string, string][] = [];
      for (const [id, before] of rows) {
        const sealed = await secrets.reseal(before);
        if (sealed !== null) changes.push([id, before, sealed]);
      }
      if (changes.length > 0) await db.write([resealing(db, name, field, changes)]);
      resealed += changes.length;
      after = rows.at(-1)![0];
    }
  }
  return resealed;
}

function resealing(db: Database, table: SQL | ReturnType<typeof sql.identifier>, field: unknown, changes: unknown[]) {
  const column = field as SQL;
  return db.orm.run(sql`update ${table} set ${column} = j.value ->> 2 from json_each(${JSON.stringify(changes)}) j
    where ${table}.rowid = j.value ->> 0 and ${column} = j.value ->> 1`) as Statement;
}
