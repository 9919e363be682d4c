/** Applies a page of changes of people: users and their links, split into columns once and then written in sets. */
import { type SQL, sql } from "drizzle-orm";
import { IMAGE, type ImageColumn } from "../../reconcile/image.ts";
import { BY_HAND } from "../../reconcile/person.ts";
import { afterChange, changesOneOf, isActive, isFiltered, MUST_LOOK_AGAIN, ofChange } from "./entry-places.ts";
import {
  byHandAfter,
  eachEntry,
  isEdit,
  managersOf,
  type PageContext,
  unlessLookedAtAgain,
  withEntries,
} from "./page-entries.ts";
import type { OpenPage } from "./plans.ts";
import { PLACES, STAGED } from "./staging.ts";

const NAMES = sql.raw(IMAGE.join(", "));
/**
 * Columns in an index. Writing one updates the index even if its value stays, so they are written only where they change.
 * The department changes most often, and mostly alone.
 */
const INDEXED: ReadonlySet<ImageColumn> = new Set(["employee_id", "email", "deactivation_date", "status"]);
const assignments = (columns: readonly ImageColumn[]) =>
  sql.raw(columns.map((column) => `${column} = s.${column}`).join(", "));
const PLAIN_ASSIGNMENTS = assignments(IMAGE.filter((column) => !INDEXED.has(column) && column !== "department_id"));
const DEPARTMENT_ASSIGNMENTS = assignments(IMAGE.filter((column) => !INDEXED.has(column)));
const ALL_ASSIGNMENTS = assignments(IMAGE);
/** Which indexed columns an entry's `before` names: none, the department alone, or others. */
const STAYS_IN_PLACE = 0, MOVES_DEPARTMENT = 1, MOVES = 2;
const NEW = sql`${ofChange("v", "version")} = 0`;
const WHAT_MOVES = sql`case when ${NEW} then ${sql.raw(String(STAYS_IN_PLACE))}
  when ${changesOneOf("v", INDEXED)} then ${sql.raw(String(MOVES))}
  when ${changesOneOf("v", ["department_id"])} then ${sql.raw(String(MOVES_DEPARTMENT))}
  else ${sql.raw(String(STAYS_IN_PLACE))} end`;
/** A link after its row was applied: without withheld values, and not missing. */
const LINK_AFTER = sql.raw(`active = ${isActive("s.active")}, filtered = ${isFiltered("s.active")}, digest = s.digest,
  canonical = s.canonical, said = null, missing_since = null, missing_from = null`);
/** The key is linked already: the link becomes this user's. */
const linkTaken = ({ edits }: PageContext) =>
  sql.raw(`on conflict (connection_id, source_key) do update set user_id = excluded.user_id, active = excluded.active,
    filtered = excluded.filtered, digest = excluded.digest, canonical = excluded.canonical, said = null,
    missing_since = null, missing_from = null, by_hand = ${byHandAfter(edits)}`);
const OF_LINK = sql.raw("connection_id, source_key, user_id, digest, canonical, active, filtered, by_hand");
const SAYS_OF_S = sql.raw(`${isActive("s.active")}, ${isFiltered("s.active")}`);
const UNSTAGE = sql`delete from staged_users`;

/** `without`: places of superseded entries, as JSON. */
export function createStatements(context: PageContext, page: OpenPage, without: string | null): SQL[] {
  return [stage(context, page, without), insertUsers(context, page), insertLinks(context), UNSTAGE];
}

/** For a page that was staged while planning went on (staging.ts). */
export function createStagedStatements(context: PageContext, page: OpenPage): SQL[] {
  return [insertStagedUsers(context, page), insertStagedLinks(context, page)];
}

/** Its entries may be of new users, too. */
export function updateStatements(context: PageContext, page: OpenPage, without: string | null): SQL[] {
  return [
    ...(page.parked ? [park(page, without)] : []),
    stage(context, page, without),
    ...updateUsers(context, page),
    updateLinks(context),
    insertUsers(context, page),
    insertLinks(context, true),
    UNSTAGE,
  ];
}

/**
 * Splits the page's entries into columns, once for all statements that need them. Every insert here is `or fail`: an
 * error undoes the whole batch anyway, so SQLite need not journal each statement by itself.
 */
function stage(context: PageContext, page: OpenPage, without: string | null): SQL {
  return sql`insert or fail into staged_users (entry, id, planned_version, moves, source_key, digest, canonical, active, ${NAMES})
    ${withEntries(page, without)}
    select r.k, ${ofChange("v", "userId")}, ${ofChange("v", "version")}, ${WHAT_MOVES}, ${ofChange("v", "key")},
      ${unlessLookedAtAgain(ofChange("v", "digest"))}, ${unlessLookedAtAgain(ofChange("v", "canonical"))},
      ${ofChange("v", "active")}, ${columns(context)}
    from r left join m on m.k = r.k`;
}

/** The manager beside the page does not change this entry. */
const STAYS = sql`m.k is null or m.${MUST_LOOK_AGAIN}`;

function managerOr(planned: SQL): SQL {
  return sql`case when ${STAYS} then ${planned} else m.value end`;
}

/**
 * The user's columns of an entry, with the manager from beside the page: the connection that brought it wrote it, or a
 * hand did.
 */
function columns({ connectionId, edits }: PageContext): SQL {
  // A bound parameter would be written into JSON as 4.0.
  const me = sql.raw(String(connectionId)), hand = sql.raw(String(BY_HAND));
  const byHand = isEdit(edits, ofChange("v", "userId"));
  const list = IMAGE.map((column) => {
    const planned = afterChange("v", column);
    switch (column) {
      case "manager_id":
        return managerOr(planned);
      case "field_sources":
        return sql`case when ${NEW} or ${STAYS} then ${planned}
          when ${byHand} then json_set(coalesce(${planned}, '{}'), '$.manager', ${hand})
          when ${afterChange("v", "source_id")} = ${me} and (m.value is not null
            or coalesce(json_extract(${planned}, '$.manager'), ${me}) = ${me}) then nullif(json_remove(${planned}, '$.manager'), '{}')
          else json_set(coalesce(${planned}, '{}'), '$.manager', ${me}) end`;
      case "edited_by_hand":
        return sql`case when ${NEW} or ${STAYS} then ${planned}
          when ${byHand} then (select json_group_array(value) from (select value from json_each(coalesce(${planned}, '[]'))
            union select 'manager' order by 1))
          when ${planned} is null then null
          else (select nullif(json_group_array(e.value), '[]') from json_each(${planned}) e where e.value <> 'manager') end`;
      default:
        return planned;
    }
  });
  return sql.join(list, sql`, `);
}

function insertUsers(context: PageContext, page: OpenPage): SQL {
  return sql`insert or fail into users
    (id, organization_id, last_page, version, created_at, updated_at, guarded_leaving, ${NAMES})
    select id, ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now},
      case when ${isApproved(page)} then deactivation_date end, ${NAMES}
    from staged_users where planned_version = 0`;
}

/** Whether a person has approved the page's run. */
function isApproved(page: OpenPage): SQL {
  return sql`(select r.approved_at is not null from change_pages p join runs r on r.id = p.run_id where p.id = ${page.id})`;
}

/** A leaving day that is new or brought forward has passed the guard of deactivations, and any that was approved. */
function guardedLeaving(page: OpenPage): SQL {
  return sql`guarded_leaving = case when s.deactivation_date is null then null
    when ${isApproved(page)} then s.deactivation_date
    when users.status <> 'active' then null
    when users.deactivation_date is null or s.deactivation_date < users.deactivation_date then s.deactivation_date
    else users.guarded_leaving end`;
}

/** The page's staged entries, each with the manager from beside the page. */
function staged(page: OpenPage): SQL {
  const first = page.id * PLACES;
  return sql`${sql.raw(STAGED)} s left join m on m.k = s.place - ${first}
    where s.place between ${first} and ${first + PLACES - 1}`;
}

function insertStagedUsers(context: PageContext, page: OpenPage): SQL {
  const values = IMAGE.map((column) => column === "manager_id" ? managerOr(sql`s.manager_id`) : sql.raw(`s.${column}`));
  return sql`with ${managersOf(page)}
    insert or fail into users (id, organization_id, last_page, version, created_at, updated_at, ${NAMES})
    select s.id, ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now}, ${sql.join(values, sql`, `)}
    from ${staged(page)}`;
}

function insertStagedLinks(context: PageContext, page: OpenPage): SQL {
  return sql`with ${managersOf(page, MUST_LOOK_AGAIN)}
    insert or fail into links (${OF_LINK})
    select ${context.connectionId}, s.source_key, s.id, ${unlessLookedAtAgain(sql`s.digest`)},
      ${unlessLookedAtAgain(sql`s.canonical`)}, ${SAYS_OF_S}, ${context.edits === null ? 0 : 1} from ${
    staged(page)
  } and s.source_key is not null ${linkTaken(context)}`;
}

function updateUsers(context: PageContext, page: OpenPage): SQL[] {
  const from = sql`from staged_users s where users.id = s.id and s.planned_version > 0
    and users.organization_id = ${context.organizationId}`;
  const change = sql`update users set version = version + 1, updated_at = ${context.now}, last_page = ${page.id}`;
  // Parked users get back all columns, even those that do not change.
  const all = sql`${change}, ${guardedLeaving(page)}, ${ALL_ASSIGNMENTS}`;
  if (page.parked) return [sql`${all} ${from}`];
  return [
    sql`${change}, ${PLAIN_ASSIGNMENTS} ${from} and s.moves = ${STAYS_IN_PLACE}`,
    sql`${change}, ${DEPARTMENT_ASSIGNMENTS} ${from} and s.moves = ${MOVES_DEPARTMENT}`,
    sql`${all} ${from} and s.moves = ${MOVES}`,
  ];
}

/** Frees every email and id that moves within the page, so that they can be set in any order. */
function park(page: OpenPage, without: string | null): SQL {
  return sql`update users set email = null, employee_id = null where id in
    (select p.value from json_each((select parked from change_pages where id = ${page.id})) p
      ${
    without === null ? sql`` : sql`where p.value not in (select ${ofChange("value", "userId")}
      from ${eachEntry(page)} where key in (select value from json_each(${without})))`
  })`;
}

/** Links that stay with their user: the index of users' links is not written. */
function updateLinks(context: PageContext): SQL {
  return sql`with s as materialized (select l.rowid as link, u.digest, u.canonical, u.active from staged_users u
      cross join links l on l.connection_id = ${context.connectionId} and l.source_key = u.source_key and +l.user_id = u.id)
    update links set ${LINK_AFTER}${
    context.edits === null ? sql`, by_hand = 0` : sql``
  } from s where links.rowid = s.link`;
}

/** `updated`: without the links of `updateLinks`. */
function insertLinks(context: PageContext, updated = false): SQL {
  const others = sql`and not exists (select 1 from links l where l.connection_id = ${context.connectionId}
    and l.source_key = s.source_key and +l.user_id = s.id)`;
  return sql`insert or fail into links (${OF_LINK})
    select ${context.connectionId}, s.source_key, s.id, s.digest, s.canonical, ${SAYS_OF_S}, ${
    context.edits === null ? 0 : 1
  } from staged_users s
    where s.source_key is not null ${updated ? others : sql``} ${linkTaken(context)}`;
}
