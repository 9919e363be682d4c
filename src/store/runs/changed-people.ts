/** The people whom a run affects or has changed, for events: the first of them, and how many there are. */
import { type SQL, sql } from "drizzle-orm";
import { CHANGE } from "../../reconcile/columns/entry.ts";
import type { ImageColumn } from "../../reconcile/image.ts";
import { type ChangedRange, MAX_DATA_BYTES } from "../../model/event.ts";
import { listRunChanges } from "./changes.ts";
import { type ChangeView } from "../../model/change.ts";
import type { Database } from "../database.ts";
import { changesOneOf, ofChange } from "./entry-places.ts";
import type { Run } from "./runs.ts";
import type { HeldBy } from "../../model/run.ts";

/** Whether the change takes the place of a value in the column. */
function hadOtherThan(column: ImageColumn): SQL {
  return sql.raw(`json_extract(e.value, '$[${CHANGE.before}].${column}') is not null`);
}

/** Which planned changes a guard counts. Guards that are not here count all of them. */
const ABOUT: { readonly [guard in HeldBy["guard"]]?: SQL } = {
  create: sql`${ofChange("e.value", "action")} = 'create'`,
  update: sql`${ofChange("e.value", "action")} = 'update'`,
  // A new deactivation date counts as well.
  deactivate: sql`(${ofChange("e.value", "action")} = 'deactivate' or ${
    changesOneOf("e.value", ["deactivation_date"])
  })`,
  reactivate: sql`${ofChange("e.value", "action")} = 'reactivate'`,
  identity: sql`(${hadOtherThan("email")} or ${hadOtherThan("employee_id")}
    or (${hadOtherThan("first_name")} and ${hadOtherThan("last_name")}))`,
};

/** The first people whom a planned run's guards count, in the order of the plan, each once. */
export async function listAffected(
  db: Database,
  run: Run,
  heldBy: readonly HeldBy[],
  limit: number,
): Promise<number[]> {
  const about = heldBy.map(({ guard }) => ABOUT[guard]);
  const which = about.some((each) => each === undefined) ? sql`1` : sql.join(about as SQL[], sql` or `);
  const rows = await db.rows<[number]>(sql`select ${ofChange("e.value", "userId")} from change_pages p
      join page_bodies b on b.page_id = p.id, json_each(b.body) e
    where p.run_id = ${run.id} and p.organization_id = ${run.organizationId} and p.kind in ('creates', 'updates')
      and (${which}) order by p.page, e.key limit ${limit * 2}`);
  return [...new Set(rows.map(([id]) => id))].slice(0, limit);
}

/** Null when the run has not changed any user. */
export async function rangeApplied(db: Database, run: Run): Promise<ChangedRange | null> {
  const [row] = await db.rows<[number | null, number | null, number | null]>(sql`select
      sum(count - coalesce(json_array_length(superseded), 0)), min(seq), max(seq + count - 1) from change_pages
    where run_id = ${run.id} and organization_id = ${run.organizationId} and kind in ('creates', 'updates')
      and seq is not null`);
  const [count, firstSeq, lastSeq] = row!;
  return count === null || count === 0 ? null : { count, firstSeq: firstSeq!, lastSeq: lastSeq! };
}

const STEP = 100;

/** The first changes of people that the run has applied, in order: all of them, or more than an event holds. */
export async function listApplied(db: Database, run: Run): Promise<ChangeView[]> {
  const applied: ChangeView[] = [];
  let length = 0;
  for (let after: number | null = 0; after !== null && length < MAX_DATA_BYTES;) {
    const { changes, next }: Awaited<ReturnType<typeof listRunChanges>> = await listRunChanges(
      db,
      run.organizationId,
      run.id,
      { after, limit: STEP },
    );
    for (const change of changes) {
      if (change.entity !== "user" || change.seq === null) continue;
      applied.push(change);
      // A change that is too long for an event is sent as ids only.
      length += Math.min(JSON.stringify(change).length, 200);
    }
    after = next;
  }
  return applied;
}
