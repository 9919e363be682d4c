/** The rows of a run that would make their user somebody else, in the order of the input, from the run's report. */
import { sql } from "drizzle-orm";
import type { Issue } from "../../model/record.ts";
import type { IssueRow } from "../../reconcile/draft.ts";
import type { Database } from "../database.ts";

/** A row with its one issue that says so. */
export interface Contradiction extends IssueRow {
  readonly key: string;
  readonly issues: readonly [Issue & Required<Pick<Issue, "conflict">>];
}

export interface ContradictionPage {
  readonly rows: readonly Contradiction[];
  /** The place in the input to continue after; null at the end. */
  readonly next: number | null;
}

/** In the text of a report, outside of values: there, quotes have a backslash in front. */
const MARK = '"conflict":';

/** Up to `limit` rows behind place `after` of the input (-1: from the first). */
export async function listContradictions(
  db: Database,
  organizationId: number,
  runId: number,
  { after, limit }: { after: number; limit: number },
): Promise<ContradictionPage> {
  const found = await db.rows<[string]>(sql`select j.value from issue_pages p cross join json_each(p.body) j
    where p.run_id = ${runId} and p.organization_id = ${organizationId} and instr(p.body, ${MARK}) > 0
      and instr(j.value, ${MARK}) > 0 and j.value ->> '$.n' > ${after}
    order by j.value ->> '$.n' limit ${limit + 1}`);
  const rows = found.map(([row]) => JSON.parse(row) as IssueRow).flatMap((row) => contradictionOf(row) ?? []);
  return rows.length > limit ? { rows: rows.slice(0, limit), next: rows[limit - 1]!.n } : { rows, next: null };
}

/** The row at this place of the input; null: there is none that would make its user somebody else. */
export async function findContradiction(
  db: Database,
  organizationId: number,
  runId: number,
  n: number,
): Promise<Contradiction | null> {
  const { rows } = await listContradictions(db, organizationId, runId, { after: n - 1, limit: 1 });
  return rows[0]?.n === n ? rows[0] : null;
}

function contradictionOf({ key, issues, ...row }: IssueRow): Contradiction | null {
  const issue = issues.find(({ conflict }) => conflict !== undefined);
  return key === null || issue === undefined ? null : { ...row, key, issues: [issue as Contradiction["issues"][0]] };
}
