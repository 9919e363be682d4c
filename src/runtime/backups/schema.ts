/** The version of a database's tables, by the name of its last migration. */
import { Fault } from "../../model/errors.ts";
import { listMigrations } from "../schema-version.ts";
import type { SqliteFile } from "../sqlite.ts";

/** Fails with `unprocessable` if this version does not know the last migration. */
export function schemaOf(file: SqliteFile): string {
  const [row] = file.all("select max(created_at) from __drizzle_migrations");
  const found = listMigrations().find(({ when }) => when === Number(row?.[0]));
  if (found !== undefined) return found.tag;
  throw new Fault(
    "unprocessable",
    "The database is not of this version of Muster: use the version that it was used with",
  );
}

/** Fails with `unprocessable` if a database of this schema is newer than this version of Muster. */
export function requireKnownSchema(schema: string, muster: string): void {
  const known = listMigrations();
  if (known.some(({ tag }) => tag === schema)) return;
  throw new Fault(
    "unprocessable",
    `The backup has the schema "${schema}", made by Muster ${muster}: this version knows schemas up to ` +
      `"${known.at(-1)!.tag}". Install that version of Muster, or a newer one, and restore with it`,
  );
}
