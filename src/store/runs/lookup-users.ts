/** Users whom planning looks up: by id, email, employee id or phone number. */
import { type SQL, sql } from "drizzle-orm";
import type { Lookups } from "../../reconcile/draft.ts";
import { IMAGE, type Image, IMAGE_INDEX, type Stored } from "../../reconcile/image.ts";
import type { KnownUser } from "../../reconcile/person.ts";
import { createSpellings, type Spellings } from "../../reconcile/phone-spellings.ts";
import { isInternational, type Phones } from "../../reconcile/phones.ts";
import { addTo } from "../../std/add-to.ts";
import type { Database } from "../database.ts";

type UserLookups = Pick<
  Lookups,
  | "usersById"
  | "usersNamed"
  | "idsByEmployeeId"
  | "usersByEmail"
  | "usersByPhone"
  | "usersSpelledAlike"
  | "withLeadingZeros"
  | "statusesOf"
>;

const JSON_COLUMNS = [IMAGE_INDEX.custom, IMAGE_INDEX.field_sources, IMAGE_INDEX.edited_by_hand];
/** One text for each user: the client makes an object of each row, which costs more than reading the columns. */
const USER = sql.raw(
  `json_array(${["id", "version", "last_page", ...IMAGE].map((column) => `u.${column}`).join(", ")})`,
);

export function createUserLookups(db: Database, organizationId: number, phones: Phones): UserLookups {
  const users = async (query: SQL) => (await db.rows<[string]>(query)).map(([row]) => userOf(JSON.parse(row)));
  const usersById = (ids: readonly number[]) =>
    users(sql`select ${USER} from json_each(${JSON.stringify(ids)}) j cross join users u
      on u.id = j.value and u.organization_id = ${organizationId}`);
  return {
    usersById,
    usersNamed: ({ ids, employeeIds, emails }) =>
      users(sql`select ${USER} from (
          select n.id from json_each(${JSON.stringify(employeeIds)}) j cross join users n
            on n.organization_id = ${organizationId} and n.employee_id = j.value
          union select n.id from json_each(${JSON.stringify(emails)}) j cross join users n
            on n.organization_id = ${organizationId} and n.email = j.value
          except select value from json_each(${JSON.stringify(ids)})) w
        cross join users u on u.id = w.id and u.organization_id = ${organizationId}`),
    async idsByEmployeeId(values) {
      const [row] = await db.rows<[string]>(sql`select json_group_array(json_array(u.employee_id, u.id))
        from json_each(${JSON.stringify(values)}) j cross join users u
        on u.organization_id = ${organizationId} and u.employee_id = j.value`);
      return new Map(JSON.parse(row![0]) as [string, number][]);
    },
    usersByEmail: (values) =>
      users(sql`select ${USER} from json_each(${JSON.stringify(values)}) j cross join users u
        on u.organization_id = ${organizationId} and u.email = j.value`),
    ...lookupByPhone(db, organizationId, usersById, phones),
    withLeadingZeros: lookupWithZeros(db, organizationId),
    async statusesOf(ids) {
      const found = await db.rows<[string]>(sql`select distinct u.employment_status
        from json_each(${JSON.stringify(ids)}) j
        cross join users u on u.id = j.value and u.organization_id = ${organizationId}
        where u.employment_status is not null`);
      return found.flat();
    },
  };
}

/** There is no index of phone numbers: the first look-up reads them all, and the next ones remember them. */
function lookupByPhone(
  db: Database,
  organizationId: number,
  usersById: UserLookups["usersById"],
  phones: Phones,
): Pick<UserLookups, "usersByPhone" | "usersSpelledAlike"> {
  let numbers: Promise<Numbers> | null = null;
  const load = () => numbers ??= loadNumbers(db, organizationId, phones);
  async function usersOf(idsOf: ReadonlyMap<string, readonly number[]>): Promise<Map<string, KnownUser[]>> {
    const wanted = [...new Set([...idsOf.values()].flat())];
    const found = new Map((wanted.length === 0 ? [] : await usersById(wanted)).map((user) => [user.id, user]));
    return new Map([...idsOf].map(([key, ids]) => [key, ids.flatMap((id) => found.get(id) ?? [])]));
  }
  return {
    async usersByPhone(keys) {
      const { ids } = await load();
      return await usersOf(new Map(keys.map((key) => [key, ids.get(key) ?? []])));
    },
    async usersSpelledAlike(asked) {
      const { spellings } = await load();
      return await usersOf(new Map(asked.map((number) => [number.key, spellings.alike(number)])));
    },
  };
}

/** The mobile phones of an organization: ids of users by the comparable form, and by what may be spelled alike. */
interface Numbers {
  readonly ids: ReadonlyMap<string, readonly number[]>;
  readonly spellings: Spellings<number>;
}

async function loadNumbers(db: Database, organizationId: number, phones: Phones): Promise<Numbers> {
  const ids = new Map<string, number[]>();
  const spellings = createSpellings<number>();
  const all = await db.rows<[number, string]>(sql`select id, mobile_phone from users
    where organization_id = ${organizationId} and mobile_phone is not null`);
  for (const [id, phone] of all) {
    const key = phones.fold(phone);
    addTo(ids, key, id);
    if (phones.country === null) spellings.add({ key, isInternational: isInternational(phone), of: id });
  }
  return { ids, spellings };
}

/** Ids are padded to every length that numeric ids of the organization have, so that the index finds them. */
function lookupWithZeros(db: Database, organizationId: number): UserLookups["withLeadingZeros"] {
  let lengths: number[] | null = null;
  return async (ids) => {
    lengths ??= (await db.rows<[number]>(sql`select distinct length(employee_id) from users
      where organization_id = ${organizationId} and employee_id >= '0' and employee_id < '1'
        and employee_id not glob '*[^0-9]*'`)).flat();
    const shorter = new Map(
      lengths.flatMap((length) =>
        ids.filter((id) => id.length < length).map((id) => [id.padStart(length, "0"), id] as const)
      ),
    );
    if (shorter.size === 0) return new Map();
    const found = await db.rows<[string, number]>(sql`select j.value, u.id
      from json_each(${JSON.stringify([...shorter.keys()])}) j
      cross join users u on u.organization_id = ${organizationId} and u.employee_id = j.value`);
    return new Map(found.map(([id, user]) => [shorter.get(id)!, { id, user }]));
  };
}

function userOf(row: unknown[]): KnownUser {
  const image = row.slice(3) as Image;
  for (const index of JSON_COLUMNS) {
    if (image[index] !== null) image[index] = JSON.parse(image[index] as string) as Stored;
  }
  return { id: row[0] as number, version: row[1] as number, lastPage: row[2] as number | null, image };
}
