/**
 * What planning asks the database, in sets: every list travels as one JSON parameter and is opened with json_each.
 */
import { type SQL, sql } from "drizzle-orm";
import type { KnownLink, KnownUser } from "../../reconcile/person.ts";
import type { Lookups, PendingManager } from "../../reconcile/draft.ts";
import { phoneDigits } from "../../reconcile/fold.ts";
import {
  addDigests,
  addKnown,
  createDigestIndex,
  createKnown,
  type DigestIndex,
  type Known,
  NO_DIGEST,
} from "../../reconcile/columns/known.ts";
import { IMAGE, type Image, IMAGE_INDEX, type Stored } from "../../reconcile/image.ts";
import type { Database } from "../database.ts";

const JSON_COLUMNS = [IMAGE_INDEX.custom, IMAGE_INDEX.field_sources, IMAGE_INDEX.edited_by_hand];
/** One text a user: the client makes an object of a row, which costs more than reading the columns. */
const USER = sql.raw(
  `json_array(${["id", "version", "last_page", ...IMAGE].map((column) => `u.${column}`).join(", ")})`,
);
const LINK = sql.raw("l.source_key, l.user_id, l.active, l.missing_since, l.missing_from, l.said");

/** Links read at once: their digests are a text that is young when it dies. */
const LINKS_A_PAGE = 2_500;

export async function createLookups(db: Database, organizationId: number, connectionId: number): Promise<Lookups> {
  const rows = (query: SQL) => db.rows<unknown[]>(query);
  const users = async (query: SQL) => (await db.rows<[string]>(query)).map(([row]) => userOf(JSON.parse(row)));
  const links = async (query: SQL) => (await rows(query)).map(linkOf);
  let phones: Map<string, number[]> | null = null;
  let zeroLengths: number[] | null = null;

  const usersById = (ids: readonly number[]) =>
    users(sql`select ${USER} from json_each(${JSON.stringify(ids)}) j cross join users u
      on u.id = j.value and u.organization_id = ${organizationId}`);

  return {
    hasUsers: (await rows(sql`select 1 from users where organization_id = ${organizationId} limit 1`)).length > 0,
    usersById,
    linksByKey: (keys) =>
      links(sql`select ${LINK} from json_each(${JSON.stringify(keys)}) j cross join links l
        on l.connection_id = ${connectionId} and l.source_key = j.value`),
    linksOfUsers: (ids) =>
      links(sql`select ${LINK} from json_each(${JSON.stringify(ids)}) j cross join links l
        on l.user_id = j.value and +l.connection_id = ${connectionId}`),
    async activeElsewhere(ids) {
      const found = await rows(sql`select distinct l.user_id from json_each(${JSON.stringify(ids)}) j cross join links l
        on l.user_id = j.value and l.connection_id <> ${connectionId} and l.active = 1 and l.missing_since is null`);
      return new Set(found.map(([id]) => id as number));
    },
    usersNamed: ({ ids, employeeIds, emails }) =>
      users(sql`select ${USER} from (
          select n.id from json_each(${JSON.stringify(employeeIds)}) j cross join users n
            on n.organization_id = ${organizationId} and n.employee_id = j.value
          union select n.id from json_each(${JSON.stringify(emails)}) j cross join users n
            on n.organization_id = ${organizationId} and n.email = j.value
          except select value from json_each(${JSON.stringify(ids)})) w
        cross join users u on u.id = w.id and u.organization_id = ${organizationId}`),
    async idsByEmployeeId(values) {
      const [row] = await rows(sql`select json_group_array(json_array(u.employee_id, u.id))
        from json_each(${JSON.stringify(values)}) j cross join users u
        on u.organization_id = ${organizationId} and u.employee_id = j.value`);
      return new Map(JSON.parse(row![0] as string) as [string, number][]);
    },
    usersByEmail: (values) =>
      users(sql`select ${USER} from json_each(${JSON.stringify(values)}) j cross join users u
        on u.organization_id = ${organizationId} and u.email = j.value`),
    async usersByPhone(digits) {
      if (phones === null) {
        phones = new Map();
        const all = await rows(sql`select id, mobile_phone from users
          where organization_id = ${organizationId} and mobile_phone is not null`);
        for (const [id, phone] of all) {
          const key = phoneDigits(phone as string);
          phones.set(key, [...(phones.get(key) ?? []), id as number]);
        }
      }
      const ids = digits.flatMap((key) => phones!.get(key) ?? []);
      const found = new Map((ids.length === 0 ? [] : await usersById(ids)).map((user) => [user.id, user]));
      return new Map(digits.map((key) => [key, (phones!.get(key) ?? []).flatMap((id) => found.get(id) ?? [])]));
    },
    async withLeadingZeros(ids) {
      zeroLengths ??= (await rows(sql`select distinct length(employee_id) from users
        where organization_id = ${organizationId} and employee_id >= '0' and employee_id < '1'
          and employee_id not glob '*[^0-9]*'`)).map(([length]) => length as number);
      const shorter = new Map(
        zeroLengths.flatMap((length) =>
          ids.filter((id) => id.length < length).map((id) => [id.padStart(length, "0"), id] as const)
        ),
      );
      if (shorter.size === 0) return new Map();
      const found = await rows(sql`select j.value, u.id from json_each(${JSON.stringify([...shorter.keys()])}) j
        cross join users u on u.organization_id = ${organizationId} and u.employee_id = j.value`);
      return new Map(
        found.map(([id, user]) => [shorter.get(id as string)!, { id: id as string, user: user as number }]),
      );
    },
    async statusesOf(ids) {
      const found = await rows(sql`select distinct u.employment_status from json_each(${JSON.stringify(ids)}) j
        cross join users u on u.id = j.value and u.organization_id = ${organizationId}
        where u.employment_status is not null`);
      return found.map(([status]) => status as string);
    },
    async tree() {
      const ids: number[][] = [], managers: number[][] = [];
      for (let after = 0;;) {
        const [page] = await rows(sql`select json_group_array(id), json_group_array(manager_id), max(id) from (
          select id, manager_id from users where organization_id = ${organizationId} and id > ${after}
            and manager_id is not null order by id limit ${LINKS_A_PAGE})`);
        if (page === undefined || page[2] === null) break;
        ids.push(JSON.parse(page[0] as string));
        managers.push(JSON.parse(page[1] as string));
        after = page[2] as number;
      }
      return { ids: Float64Array.from(ids.flat()), managers: Float64Array.from(managers.flat()) };
    },
    async managersAbove(userIds) {
      const [page] = await rows(sql`with recursive above(id) as (select value from json_each(${JSON.stringify(userIds)})
          union select u.manager_id from above cross join users u on u.id = above.id where u.manager_id is not null)
        select json_group_array(u.id), json_group_array(u.manager_id) from above cross join users u on u.id = above.id
        where u.organization_id = ${organizationId} and u.manager_id is not null`);
      return {
        ids: Float64Array.from(JSON.parse(page![0] as string)),
        managers: Float64Array.from(JSON.parse(page![1] as string)),
      };
    },
    async *pendingManagers() {
      for (let user = 0, connection = 0;;) {
        const page = await rows(sql`select user_id, connection_id, field, value from pending_managers
          where organization_id = ${organizationId} and (user_id, connection_id) > (${user}, ${connection})
          order by user_id, connection_id limit 5000`);
        if (page.length === 0) return;
        yield page.map(([userId, connectionId, field, value]) =>
          ({ userId, connectionId, field, value }) as PendingManager
        );
        [user, connection] = page.at(-1) as [number, number];
      }
    },
    async activeLinked() {
      const [row] = await rows(sql`select count(*) from links l cross join users u on u.id = l.user_id
        where l.connection_id = ${connectionId} and u.status = 'active'`);
      return row![0] as number;
    },
  };
}

/** The connection's links with the digests of their rows' bytes. */
export async function loadKnown(db: Database, connectionId: number): Promise<Known> {
  const known = createKnown(await countLinks(db, connectionId));
  const users = sql.raw("json_group_array(user_id)");
  const digest = sql.raw(
    `case when missing_since is null then coalesce(digest, '${NO_DIGEST}') else '${NO_DIGEST}' end`,
  );
  for await (const [ids, digests] of readLinks<string>(db, connectionId, users, digest)) {
    addKnown(known, JSON.parse(ids), digests);
  }
  return known;
}

/** The same links in the same order, with the digests of their cells by field. */
export async function loadCanonical(db: Database, connectionId: number): Promise<DigestIndex> {
  const index = createDigestIndex(await countLinks(db, connectionId));
  const digest = sql.raw(
    `case when missing_since is null then coalesce(canonical || substr(digest, 33), '${NO_DIGEST}')
      else '${NO_DIGEST}' end`,
  );
  for await (const [count, digests] of readLinks<number>(db, connectionId, sql.raw("count(*)"), digest)) {
    addDigests(index, count, digests);
  }
  return index;
}

async function countLinks(db: Database, connectionId: number): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select count(*) from links where connection_id = ${connectionId}`);
  return row![0];
}

/** Links in the order they were made, which is how they lie in the file: some thousands at a time, `what` of them and their digests as bytes. */
async function* readLinks<T>(
  db: Database,
  connectionId: number,
  what: SQL,
  digest: SQL,
): AsyncGenerator<[what: T, digests: ArrayBuffer]> {
  for (let after = 0;;) {
    const [page] = await db.rows<[T, ArrayBuffer | ArrayLike<number>, number]>(sql`select ${what},
      unhex(group_concat(d, '')), max(id) from (select user_id, rowid as id, ${digest} as d from links
      where connection_id = ${connectionId} and rowid > ${after} order by rowid limit ${LINKS_A_PAGE})`);
    if (page === undefined || page[2] === null) return;
    yield [page[0], new Uint8Array(page[1]).buffer as ArrayBuffer];
    after = page[2];
  }
}

function userOf(row: unknown[]): KnownUser {
  const image = row.slice(3) as Image;
  for (const index of JSON_COLUMNS) {
    if (image[index] !== null) image[index] = JSON.parse(image[index] as string) as Stored;
  }
  return { id: row[0] as number, version: row[1] as number, lastPage: row[2] as number | null, image };
}

function linkOf([key, userId, active, missingSince, missingFrom, withheld]: unknown[]): KnownLink {
  return {
    key: key as string,
    userId: userId as number,
    active: active === 1,
    missingSince: missingSince as number | null,
    missingFrom: missingFrom as number | null,
    withheld: withheld === null ? null : JSON.parse(withheld as string),
  };
}
