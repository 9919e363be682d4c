/**
 * Which tables a database has, and which this version knows. What a later version has brought up to date is refused
 * before anything is written, because this one does not know what its columns mean.
 */
import { readFileSync } from "node:fs";
import { Fault } from "../model/errors.ts";
import { toInstant } from "../std/time.ts";
import { ownFile } from "./own-files.ts";

/** Runs one statement and gives its rows, each an array of its columns. */
export type Run = (text: string, values?: unknown[]) => Promise<unknown[][]>;

interface Migration {
  readonly tag: string;
  /** When it was made, as the database has it; migrations are in this order. */
  readonly when: number;
}

const read = (path: string) => JSON.parse(readFileSync(ownFile(path), "utf8"));

let known: { readonly version: string; readonly last: Migration } | undefined;

/** All migrations of this version of Muster, the first one first. */
export function listMigrations(): readonly Migration[] {
  return read("migrations/meta/_journal.json").entries;
}

/** This version, and the last migration that it knows. */
export function ownSchema(): { readonly version: string; readonly last: Migration } {
  return known ??= {
    version: read("package.json").version,
    last: listMigrations().at(-1)!,
  };
}

const HAS_MIGRATIONS = "select 1 from sqlite_master where type = 'table' and name = '__drizzle_migrations'";
const LAST_MIGRATION = "select max(created_at) from __drizzle_migrations";
const MADE_BY = "select version from schema_versions order by migration desc limit 1";

/** When the database's last migration was made; null: it has no tables yet. */
export async function lastMigration(run: Run): Promise<number | null> {
  if ((await run(HAS_MIGRATIONS)).length === 0) return null;
  const when = (await run(LAST_MIGRATION))[0]?.[0];
  return when === null || when === undefined ? null : Number(when);
}

/** Null: this version knows the tables, or they are still to be brought up to date. */
export async function newerSchema(run: Run): Promise<Fault | null> {
  const when = await lastMigration(run);
  if (when === null || when <= ownSchema().last.when) return null;
  return refusal(when, (await run(MADE_BY).catch(() => []))[0]?.[0]);
}

/** As newerSchema, for a connection whose statements do not wait. */
function newerInFile(run: (text: string) => unknown[][]): Fault | null {
  if (run(HAS_MIGRATIONS).length === 0) return null;
  const when = Number(run(LAST_MIGRATION)[0]?.[0] ?? 0);
  return when <= ownSchema().last.when ? null : refusal(when, run(MADE_BY)[0]?.[0]);
}

/**
 * Gives a function to call in each transaction that writes to a file, before its first statement: it fails with
 * `unavailable` where a later version has brought the tables up to date meanwhile. SQLite counts changes of tables in the
 * file's header, so that one look at a page in memory is all that this costs.
 */
export function createSchemaCheck(): (run: (text: string) => unknown[][]) => void {
  let checked: unknown = null;
  return (run) => {
    const count = run("pragma schema_version")[0]?.[0];
    if (count === checked) return;
    const newer = newerInFile(run);
    if (newer !== null) throw newer;
    checked = count;
  };
}

/**
 * The same for a batch to a server, as its first statement: SQLite cannot read `newer` as JSON. It reads a table of some
 * dozens of rows, and travels with the batch.
 */
export function schemaCheckQuery(): { readonly text: string; readonly values: unknown[] } {
  return {
    text: `select case when (${LAST_MIGRATION}) <= ? then 1 else json('newer') end`,
    values: [ownSchema().last.when],
  };
}

/** Notes which version brought the tables to its last migration, unless that is known. */
export function versionQuery(now: number): { readonly text: string; readonly values: unknown[] } {
  const { version, last } = ownSchema();
  return {
    text: "insert into schema_versions (migration, version, migrated_at) values (?, ?, ?) on conflict do nothing",
    values: [last.when, version, now],
  };
}

function refusal(when: number, madeBy: unknown): Fault {
  const { version, last } = ownSchema();
  const by = typeof madeBy === "string" ? `Muster ${madeBy}` : "a later version of Muster";
  return new Fault(
    "unavailable",
    `The database was brought up to date by ${by}, to a migration of ${toInstant(when)}; this is Muster ${version}, ` +
      `which knows them up to ${last.tag}. Nothing was written: use ${by} or a later one, or restore the backup from ` +
      "before the upgrade",
  );
}
