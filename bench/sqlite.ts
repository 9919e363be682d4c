/**
 * The baseline: the `sqlite3` tool on the hub's own tables.
 *
 * The schema is the migrations as they are, so that it cannot drift; the work is in baseline/*.sql.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { measure, type Measured } from "./process.ts";

const HERE = import.meta.dirname!;

/** What a day meant, as each system counts it. */
export interface DayCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

/**
 * Makes an empty database with the hub's tables and one organization; without the index of people's words, which asks for
 * a younger SQLite than many a tool is, and which the hub fills behind its runs.
 */
export async function prepareDatabase(database: string): Promise<void> {
  mkdirSync(dirname(database), { recursive: true });
  const migrations = join(HERE, "..", "migrations");
  const schema = readdirSync(migrations).filter((name) => name.endsWith(".sql")).sort()
    .flatMap((name) => readFileSync(join(migrations, name), "utf8").split("--> statement-breakpoint"))
    .filter((statement) => !statement.includes("user_words"));
  await tool(database, [...schema, script("prepare")]);
}

/** Loads one day's file, staging included, and gives what it meant. */
export async function importWithSqlite(
  database: string,
  file: string,
  day: "first" | "later",
): Promise<Measured & { counts: DayCounts }> {
  const measured = await tool(database, [script("pragmas"), `.import --csv "${file}" stage\n`, script(day)]);
  return { ...measured, counts: JSON.parse(lastLine(measured.stdout)) };
}

/** How many things differ between the baseline and a second database with the same tables. */
export async function compareDatabases(
  baseline: string,
  other: string,
): Promise<{ users: number; departments: number; links: number }> {
  const { stdout } = await tool(baseline, [`attach '${other}' as other;\n`, script("compare")]);
  return JSON.parse(lastLine(stdout));
}

function tool(database: string, scripts: readonly string[]): Promise<Measured> {
  return measure("sqlite3", ["-bail", database], { input: scripts.join("\n") });
}

function script(name: string): string {
  return readFileSync(join(HERE, "baseline", `${name}.sql`), "utf8");
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)!;
}
