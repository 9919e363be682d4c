/**
 * What planning asks the database, in sets: every list travels as one JSON parameter and is opened with json_each.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Lookups } from "../../reconcile/draft.ts";
import { createPhones, type Phones } from "../../reconcile/phones.ts";
import type { KnownLink } from "../../reconcile/person.ts";
import type { Database } from "../database.ts";
import { createManagerLookups } from "./lookup-managers.ts";
import { createUserLookups } from "./lookup-users.ts";

const LINK = sql.raw(
  "l.source_key, l.user_id, l.active, l.missing_since, l.missing_from, l.absent_from, l.said, l.filtered, l.by_hand",
);

/** `phones`: how the run compares phone numbers. */
export async function createLookups(
  db: Database,
  organizationId: number,
  connectionId: number,
  phones: Phones = createPhones(null),
): Promise<Lookups> {
  const links = async (query: SQL) => (await db.rows(query)).map(linkOf);
  const [user] = await db.rows(sql`select 1 from users where organization_id = ${organizationId} limit 1`);
  return {
    ...createUserLookups(db, organizationId, phones),
    ...createManagerLookups(db, organizationId),
    hasUsers: user !== undefined,
    linksByKey: (keys) =>
      links(sql`select ${LINK} from json_each(${JSON.stringify(keys)}) j cross join links l
        on l.connection_id = ${connectionId} and l.source_key = j.value`),
    linksOfUsers: (ids) =>
      links(sql`select ${LINK} from json_each(${JSON.stringify(ids)}) j cross join links l
        on l.user_id = j.value and +l.connection_id = ${connectionId}`),
    async otherLinks(ids) {
      const rows = await db.rows<[number, number, number, number, number, number]>(sql`select l.user_id,
          l.connection_id, l.active, l.filtered, l.missing_since is not null, l.by_hand
        from json_each(${JSON.stringify(ids)}) j cross join links l
        on l.user_id = j.value and +l.connection_id <> ${connectionId}`);
      return rows.map(([userId, connection, active, filtered, isMissing, byHand]) => ({
        userId,
        connectionId: connection,
        active: active === 1,
        filtered: filtered === 1,
        isMissing: isMissing === 1,
        byHand: byHand === 1,
      }));
    },
    async activeLinked() {
      const [row] = await db.rows<[number]>(sql`select count(*) from links l cross join users u on u.id = l.user_id
        where l.connection_id = ${connectionId} and u.status = 'active'`);
      return row![0];
    },
  };
}

function linkOf(
  [key, userId, active, missingSince, missingFrom, absentFrom, withheld, filtered, byHand]: unknown[],
): KnownLink {
  return {
    key: key as string,
    userId: userId as number,
    active: active === 1,
    filtered: filtered === 1,
    byHand: byHand === 1,
    missingSince: missingSince as number | null,
    missingFrom: missingFrom as number | null,
    absentFrom: absentFrom as number | null,
    withheld: withheld === null ? null : JSON.parse(withheld as string),
  };
}
