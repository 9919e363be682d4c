/**
 * Applies pages of changes. A page is one atomic batch that also marks the page as applied, so that a process may be
 * killed at any point and the next one continues there. All of it is SQL over the stored page.
 */
import { type SQL, sql } from "drizzle-orm";
import { retry } from "../../std/retry.ts";
import type { Database, Statement } from "../database.ts";
import { hasMoved, unlessMoved } from "../moved.ts";
import { departmentStatements } from "./apply-departments.ts";
import {
  digestStatements,
  linkStatements,
  missingStatements,
  pendingStatements,
  recallStatements,
  sightingStatements,
  unlinkStatements,
} from "./apply-links.ts";
import { createStagedStatements, createStatements, updateStatements } from "./apply-users.ts";
import type { PageContext } from "./page-entries.ts";
import type { OpenPage } from "./plans.ts";
import type { Renew } from "./queue.ts";
import { dataVersionOf } from "./run-steps.ts";
import { listSuperseded, type SupersededEntry } from "./superseded.ts";

export interface ApplyContext extends PageContext {
  readonly renew: Renew;
  /** Pages that were staged while planning went on (staging.ts). */
  readonly staged: ReadonlySet<number>;
}

/** What became of one page. */
export interface Applied {
  /** Entries that were not applied because the hub had changed. */
  readonly superseded: readonly SupersededEntry[];
}

/**
 * `expected`: the organization's data version if no other process has written since the plan was made; then every entry
 * is applied as planned. Otherwise the entries are checked one by one, and superseded ones are left out.
 */
export async function applyPage(
  db: Database,
  context: ApplyContext,
  page: OpenPage,
  expected: number,
): Promise<Applied> {
  if (await applyTogether(db, context, [page], expected)) return { superseded: [] };
  return await retry(async () => {
    const dataVersion = await dataVersionOf(db, context.organizationId);
    const superseded = page.kind === "creates" || page.kind === "updates"
      ? await listSuperseded(db, context, page)
      : [];
    await db.write([
      ...context.renew(),
      ...batch(db, context, page, dataVersion, superseded.map(({ index }) => index)),
    ]);
    return { superseded };
    // Another process wrote between the check and the batch: check again.
  }, (error, failures) => hasMoved(error) && failures <= 100 ? 0 : null);
}

/** Several pages in one batch; false, and nothing is applied, when another process has written since the plan was made. */
export async function applyTogether(
  db: Database,
  context: ApplyContext,
  pages: readonly OpenPage[],
  expected: number,
): Promise<boolean> {
  try {
    await db.write([
      ...context.renew(),
      ...pages.flatMap((page, index) => batch(db, context, page, expected + index, null)),
    ]);
    return true;
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return false;
  }
}

/** `superseded`: places of entries to leave out; null: no other process has written. */
function batch(
  db: Database,
  context: ApplyContext,
  page: OpenPage,
  dataVersion: number,
  superseded: readonly number[] | null,
): Statement[] {
  const without = superseded === null || superseded.length === 0 ? null : JSON.stringify(superseded);
  return [
    db.run(sql`select ${
      unlessMoved(sql`data_version = ${dataVersion}
        and exists (select 1 from change_pages where id = ${page.id} and applied_at is null)`)
    } from organizations where id = ${context.organizationId}`),
    db.run(sql`insert into sequences (name, next) values ('seq', ${1 + page.count})
      on conflict (name) do update set next = next + ${page.count}`),
    db.run(sql`update change_pages set applied_at = ${context.now}, superseded = ${without},
      seq = case when kind in ('departments', 'creates', 'updates')
        then (select next - ${page.count} from sequences where name = 'seq') end where id = ${page.id}`),
    db.run(sql`update organizations set data_version = data_version + 1 where id = ${context.organizationId}`),
    ...statementsOf(context, page, without, superseded !== null).map((query) => db.run(query)),
  ];
}

function statementsOf(context: ApplyContext, page: OpenPage, without: string | null, hasMoved: boolean): SQL[] {
  switch (page.kind) {
    case "creates":
      return without === null && context.staged.has(page.id)
        ? createStagedStatements(context, page)
        : createStatements(context, page, without);
    case "updates":
      return updateStatements(context, page, without);
    case "links":
      return linkStatements(context, page, hasMoved);
    case "unlinks":
      return unlinkStatements(context, page);
    case "digests":
      return digestStatements(context, page);
    case "missing":
      return missingStatements(context, page);
    case "pending":
      return pendingStatements(context, page);
    case "recalls":
      return recallStatements(context, page);
    case "sightings":
      return sightingStatements(context, page);
    case "departments":
      return departmentStatements(context, page);
    case "groups":
      // They are written at once, never planned.
      return [];
  }
}
