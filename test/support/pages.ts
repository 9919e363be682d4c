/** Pages of changes as they lie in the store, for tests of what is written there. */
import { asc, eq, getTableColumns } from "drizzle-orm";
import { changePages, pageBodies, pageManagers } from "../../src/store/runs/schema-plans.ts";
import type { TestHub } from "./hub.ts";

/** All pages in the order of the feed, with their entries and managers. */
export async function loadPages(hub: TestHub) {
  const rows = await hub.db.orm.select({
    ...getTableColumns(changePages),
    body: pageBodies.body,
    managers: pageManagers.managers,
  }).from(changePages)
    .leftJoin(pageBodies, eq(pageBodies.pageId, changePages.id))
    .leftJoin(pageManagers, eq(pageManagers.pageId, changePages.id))
    .orderBy(asc(changePages.seq));
  return rows.map(({ body, managers, ...row }) => ({
    ...row,
    entries: JSON.parse(body!) as unknown[],
    managers: managers === null ? null : JSON.parse(managers) as (number | null)[],
  }));
}
