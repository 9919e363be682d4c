/** A run's issues with the people whom their rows are about, as events have them. */
import { sql } from "drizzle-orm";
import type { PersonsIssue } from "../../model/event.ts";
import { type Database, setOf } from "../database.ts";
import { type IssueReader, listIssueRows } from "./issues.ts";
import type { Run } from "./runs.ts";

type OfRun = Pick<Run, "id" | "organizationId" | "connectionId" | "entity">;

/** The first issues, at most `limit`, in the order of the input. `reader`: as in rowsFor. */
export async function listPersonsIssues(
  db: Database,
  run: OfRun,
  limit: number,
  reader: IssueReader = "row",
): Promise<PersonsIssue[]> {
  const rows = await listIssueRows(db, run.organizationId, run.id, limit, reader);
  const people = run.entity === "users" ? await findPeople(db, run, rows.flatMap(({ key }) => key ?? [])) : new Map();
  return rows.flatMap(({ line, key, issues }) =>
    issues.map((issue) => ({ line, ...issue, key, user: people.get(key) ?? null }))
  ).slice(0, limit);
}

/** Those who are linked to the run's connection, by their keys. */
async function findPeople(
  db: Database,
  { organizationId, connectionId }: OfRun,
  keys: readonly string[],
): Promise<ReadonlyMap<string | null, PersonsIssue["user"]>> {
  if (keys.length === 0) return new Map();
  const found = await db.rows<[string, number, string | null, string | null]>(sql`
    select l.source_key, u.id, u.first_name, u.last_name from links l join users u on u.id = l.user_id
    where l.connection_id = ${connectionId} and l.source_key in ${
    setOf(keys)
  } and u.organization_id = ${organizationId}`);
  return new Map(
    found.map(([key, id, first, last]) => [key, { id, name: [first, last].filter((part) => part !== null).join(" ") }]),
  );
}
