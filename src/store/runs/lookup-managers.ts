/** Who manages whom, as planning looks it up, and which managers were named and not found. */
import { sql } from "drizzle-orm";
import type { Lookups, PendingManager } from "../../reconcile/draft.ts";
import type { Database } from "../database.ts";

/** Users read at once. */
const WINDOW = 2_500;
const PENDING_WINDOW = 5_000;

export function createManagerLookups(
  db: Database,
  organizationId: number,
): Pick<Lookups, "tree" | "managersAbove" | "pendingManagers"> {
  return {
    async tree() {
      const ids: number[][] = [], managers: number[][] = [];
      for (let after = 0;;) {
        const [page] = await db.rows<[string, string, number | null]>(sql`
          select json_group_array(id), json_group_array(manager_id), max(id) from (
          select id, manager_id from users where organization_id = ${organizationId} and id > ${after}
            and manager_id is not null order by id limit ${WINDOW})`);
        if (page === undefined || page[2] === null) break;
        ids.push(JSON.parse(page[0]));
        managers.push(JSON.parse(page[1]));
        after = page[2];
      }
      return { ids: Float64Array.from(ids.flat()), managers: Float64Array.from(managers.flat()) };
    },
    async managersAbove(userIds) {
      const [page] = await db.rows<[string, string]>(sql`
        with recursive above(id) as (select value from json_each(${JSON.stringify(userIds)})
          union select u.manager_id from above cross join users u on u.id = above.id where u.manager_id is not null)
        select json_group_array(u.id), json_group_array(u.manager_id) from above cross join users u on u.id = above.id
        where u.organization_id = ${organizationId} and u.manager_id is not null`);
      const [ids, managers] = page!;
      return { ids: Float64Array.from(JSON.parse(ids)), managers: Float64Array.from(JSON.parse(managers)) };
    },
    async *pendingManagers() {
      for (let user = 0, connection = 0;;) {
        const page = await db.rows<[number, number, PendingManager["field"], string]>(sql`
          select user_id, connection_id, field, value from pending_managers
          where organization_id = ${organizationId} and (user_id, connection_id) > (${user}, ${connection})
          order by user_id, connection_id limit ${PENDING_WINDOW}`);
        if (page.length === 0) return;
        yield page.map(([userId, connectionId, field, value]) => ({ userId, connectionId, field, value }));
        [user, connection] = page.at(-1)!;
      }
    },
  };
}
