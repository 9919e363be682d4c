/** Which users a list has: by their words and other filters. */
import { type SQL, sql } from "drizzle-orm";
import { decodeId } from "../../model/id.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { isLeaving } from "./leavers.ts";
import { matchOf, searchedWords } from "./search-words.ts";
import type { Database } from "../database.ts";
import type { UserFilter } from "./users.ts";

export interface FoundUsers {
  /** Ascending. */
  readonly ids: readonly number[];
  /** Id to continue after; null at the end. */
  readonly next: number | null;
}

/** How many people with the words one search tests against the other filters; the next search continues there. */
const MAX_LOOKED_AT = 5_000;

/**
 * At most `limit` of those after id `after`. A search with other filters may give fewer, even none, and still a `next`.
 *
 * A person with exactly the email, the employee id or the id that is searched for is found without the index of words,
 * which may be a little behind.
 */
export async function findUserIds(
  db: Database,
  organizationId: number,
  filter: UserFilter,
  { after, limit }: { after: number; limit: number },
): Promise<FoundUsers> {
  const fits = fitting(organizationId, filter);
  if (filter.q === null) {
    const rows = await db.rows<[number]>(sql`select u.id from users u
      where u.organization_id = ${organizationId} and u.id > ${after} and u.merged_into is null and ${fits ?? sql`1`}
      order by u.id limit ${limit + 1}`);
    const ids = rows.map(([id]) => id);
    return ids.length > limit ? { ids: ids.slice(0, limit), next: ids[limit - 1]! } : { ids, next: null };
  }
  const looked = fits === null ? limit + 1 : MAX_LOOKED_AT;
  const rows = await db.rows<[number, number | null]>(sql`
    with named(id) as (${named(organizationId, filter.q, after, looked)}),
      first(id) as materialized (select id from named order by id limit ${looked})
    select first.id, u.id is not null and u.merged_into is null and (${fits ?? sql`1`}) from first
    left join users u on u.id = first.id and u.organization_id = ${organizationId} order by first.id`);
  const ids = rows.filter(([, fit]) => fit === 1).map(([id]) => id);
  if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1]! };
  return { ids, next: rows.length < looked ? null : rows.at(-1)![0] };
}

/** Whether the search may take long. */
export function isHeavy(filter: UserFilter): boolean {
  if (filter.q !== null) return true;
  if (filter.email !== null || filter.employeeId !== null) return false;
  return filter.status !== null || filter.departmentId !== null || filter.updatedSince !== null ||
    filter.inactiveUntil !== null;
}

/** The first ids after `after` of people with all the words, and of the person whose email or id the text is. */
function named(organizationId: number, q: string, after: number, limit: number): SQL {
  const words = searchedWords(q);
  const id = decodeId("usr", q.trim());
  const own = sql`organization_id = ${organizationId} and id > ${after}`;
  const parts = [
    sql`select id from users where ${own} and email = ${foldEmail(q)}`,
    sql`select id from users where ${own} and employee_id = ${q.trim().normalize("NFC")}`,
    ...(id === null ? [] : [sql`select id from users where id = ${id} and ${own}`]),
    ...(words.length === 0 ? [] : [sql`select * from (select rowid from user_words
      where user_words match ${matchOf(organizationId, words)} and rowid > ${after} order by rowid limit ${limit})`]),
  ];
  return sql.join(parts, sql` union `);
}

function fitting(organizationId: number, filter: UserFilter): SQL | null {
  const parts = [
    filter.email === null ? null : sql`u.email = ${filter.email}`,
    filter.employeeId === null ? null : sql`u.employee_id = ${filter.employeeId}`,
    filter.status === null ? null : sql`u.status = ${filter.status}`,
    filter.departmentId === null ? null : sql`u.department_id = ${filter.departmentId}`,
    filter.updatedSince === null ? null : sql`u.updated_at >= ${filter.updatedSince}`,
    filter.inactiveUntil === null ? null : sql`u.id in (select user_id from leavers
      where ${isLeaving({ organizationId, until: filter.inactiveUntil })})`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : sql.join(parts, sql` and `);
}
