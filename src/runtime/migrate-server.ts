/**
 * Brings the tables on a libSQL server up to date. Where they are, this only reads. Otherwise it is one batch, which fails if
 * another start was faster; then, and where the answer was lost, it looks again. No transaction is open between requests.
 */
import { readMigrationFiles } from "drizzle-orm/migrator";
import { retry } from "../std/retry.ts";
import type { Engine, Query } from "../store/engine.ts";
import { hasMoved } from "../store/moved.ts";
import { lastMigration, newerSchema, versionQuery } from "./schema-version.ts";
import { isBusy, mayBeDone } from "../store/trouble.ts";

/** drizzle's own table and columns: a database that was made by its migrator goes on here. */
const TABLE = "__drizzle_migrations";

const MAX_TRIES = 300;
const PAUSE_MS = 100;

/** Fails with `unavailable` if a later version has made the tables. */
export async function migrateServer(engine: Engine, folder: string): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder: folder });
  const run = (text: string, values: unknown[] = []) => engine.all({ text, values });
  await retry(
    async () => {
      const newer = await newerSchema(run);
      if (newer !== null) throw newer;
      const last = await lastMigration(run);
      const due = migrations.filter(({ folderMillis }) => last === null || folderMillis > last);
      if (due.length > 0) await engine.batch([...first(last), ...due.flatMap(statementsOf), versionQuery(Date.now())]);
      // Whatever failed, another look shows what there is to do.
    },
    (error, failures) =>
      failures < MAX_TRIES && (hasMoved(error) || isBusy(error) || mayBeDone(error)) ? PAUSE_MS : null,
  );
}

type Migration = ReturnType<typeof readMigrationFiles>[number];

/** Makes the table, and fails unless its last migration is still the one that was read. */
function first(last: number | null): Query[] {
  return [
    {
      text: `create table if not exists ${TABLE} (id serial primary key, hash text not null, created_at numeric)`,
      values: [],
    },
    {
      text: `select case when (select max(created_at) from ${TABLE}) is ? then 1 else json('moved') end`,
      values: [last],
    },
  ];
}

function statementsOf({ sql, hash, folderMillis }: Migration): Query[] {
  return [
    ...sql.map((text) => ({ text, values: [] })),
    { text: `insert into ${TABLE} (hash, created_at) values (?, ?)`, values: [hash, folderMillis] },
  ];
}
