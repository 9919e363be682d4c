/**
 * Applies a page of changes: one atomic batch that also marks the page as applied, so that a process may be killed at
 * any point and the next one goes on where it stopped. Everything is said in SQL over the stored page.
 */
import { type SQL, sql } from "drizzle-orm";
import { IMAGE, type ImageColumn } from "../../reconcile/image.ts";
import type { Database, Statement } from "../database.ts";
import type { OpenPage, Renew } from "./plans.ts";
import {
  afterChange,
  changesOneOf,
  MANAGER_SAYS_SOMETHING,
  MUST_LOOK_AGAIN,
  ofChange,
  ofDigest,
  ofLink,
  ofMissing,
  ofPending,
  withheldOf,
} from "./entry-places.ts";
import { PLACES, STAGED } from "./staging.ts";
import { retry } from "../../std/retry.ts";
import { hasMoved, unlessMoved } from "../moved.ts";

export interface ApplyContext {
  readonly organizationId: number;
  readonly connectionId: number;
  readonly now: number;
  readonly renew: Renew;
  /** Pages that have been taken apart already. */
  readonly staged: ReadonlySet<number>;
}

/** What became of one page. */
export interface Applied {
  /** Entries that were not applied because the hub had moved: their place, action, line and user. */
  readonly superseded: readonly {
    index: number;
    action: string;
    line: number | null;
    userId: number;
    key: string | null;
  }[];
}

/**
 * `expected`: the organization's data version if nobody else has written since the plan was made; then every entry is
 * as planned. Otherwise the entries are checked one by one, and those whose user, email, id or key moved are left out.
 */
export async function applyPage(
  db: Database,
  context: ApplyContext,
  page: OpenPage,
  expected: number,
): Promise<Applied> {
  try {
    await db.write(batch(db, context, page, expected, null));
    return { superseded: [] };
  } catch (error) {
    if (!hasMoved(error)) throw error;
  }
  return await retry(async () => {
    const [row] = await db.rows<[number]>(
      sql`select data_version from organizations where id = ${context.organizationId}`,
    );
    const superseded = page.kind === "creates" || page.kind === "updates" ? await stale(db, context, page) : [];
    await db.write(batch(db, context, page, row![0], superseded.map(({ index }) => index)));
    return { superseded };
    // Another write slipped in between the look and the batch: look again.
  }, (error, failures) => hasMoved(error) && failures <= 100 ? 0 : null);
}

/** Several pages in one batch, as long as nobody else has written; false, and nothing is applied, when somebody has. */
export async function applyTogether(
  db: Database,
  context: ApplyContext,
  pages: readonly OpenPage[],
  expected: number,
): Promise<boolean> {
  try {
    await db.write(pages.flatMap((page, index) => batch(db, context, page, expected + index, null)));
    return true;
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return false;
  }
}

function batch(
  db: Database,
  context: ApplyContext,
  page: OpenPage,
  dataVersion: number,
  superseded: readonly number[] | null,
): Statement[] {
  const run = (query: SQL) => db.orm.run(query) as Statement;
  const without = superseded === null || superseded.length === 0 ? null : JSON.stringify(superseded);
  return [
    run(sql`select ${
      unlessMoved(sql`data_version = ${dataVersion}
        and exists (select 1 from change_pages where id = ${page.id} and applied_at is null)`)
    } from organizations where id = ${context.organizationId}`),
    run(sql`insert into sequences (name, next) values ('seq', ${1 + page.count})
      on conflict (name) do update set next = next + ${page.count}`),
    run(sql`update change_pages set applied_at = ${context.now}, superseded = ${without},
      seq = case when kind in ('departments', 'creates', 'updates')
        then (select next - ${page.count} from sequences where name = 'seq') end where id = ${page.id}`),
    run(sql`update organizations set data_version = data_version + 1 where id = ${context.organizationId}`),
    ...context.renew(),
    ...statements(context, page, without, superseded !== null).map(run),
  ];
}

/** `moved`: somebody else has written since the plan was made. */
function statements(context: ApplyContext, page: OpenPage, without: string | null, moved: boolean): SQL[] {
  switch (page.kind) {
    case "creates":
      if (without === null && context.staged.has(page.id)) {
        return [insertStagedUsers(context, page), insertStagedLinks(context, page)];
      }
      return [stage(context, page, without), insertUsers(context, page), insertLinks(context), UNSTAGE];
    case "updates":
      return [
        ...(page.parked ? [park(page, without)] : []),
        stage(context, page, without),
        ...updateUsers(context, page),
        updateLinks(context),
        insertUsers(context, page),
        insertLinks(context, true),
        UNSTAGE,
      ];
    case "links": {
      // These rows changed nothing, which may no longer be so of a user who has changed meanwhile.
      const vouched = moved ? () => sql`null` : unlessLookedAtAgain;
      return [
        // Only this person's: the key may be somebody else's by now.
        recall(
          context,
          sql`(source_key, user_id) in (select ${ofLink("value", "movedFrom")}, ${ofLink("value", "userId")}
          from json_each((select body from page_bodies where page_id = ${page.id}))
          where ${ofLink("value", "movedFrom")} is not null)`,
        ),
        sql`delete from links where connection_id = ${context.connectionId} and (source_key, user_id) in
          (select ${ofLink("value", "movedFrom")}, ${ofLink("value", "userId")}
            from json_each((select body from page_bodies where page_id = ${page.id}))
            where ${ofLink("value", "movedFrom")} is not null)`,
        sql`insert into links (connection_id, source_key, user_id, digest, canonical, active, said)
          ${entries(page, null)}
          select ${context.connectionId}, ${ofLink("v", "key")}, ${ofLink("v", "userId")},
            ${vouched(ofLink("v", "digest"))}, ${vouched(ofLink("v", "canonical"))}, ${ofLink("v", "active")},
            ${withheldOf("v")} from r left join m on m.k = r.k where true
          on conflict (connection_id, source_key) do update set user_id = excluded.user_id, active = excluded.active,
            digest = excluded.digest, canonical = excluded.canonical, said = excluded.said,
            missing_since = null, missing_from = null`,
      ];
    }
    case "unlinks":
      return [
        recall(
          context,
          sql`source_key in
          (select value from json_each((select body from page_bodies where page_id = ${page.id})))`,
        ),
        sql`delete from links where connection_id = ${context.connectionId} and source_key in
          (select value from json_each((select body from page_bodies where page_id = ${page.id})))`,
      ];
    case "digests":
      // A link whose digests were voided meanwhile has a changed user: what was seen of it no longer holds.
      return [
        sql`with ${
          found(
            page,
            [ofDigest("value", "userId"), ofDigest("value", "digest"), sql`null`],
            sql`l.user_id = r.k and +l.connection_id = ${context.connectionId}`,
          )
        }
        update links set digest = s.a, canonical = iif(s.a is null, null, canonical) from s
        where links.rowid = s.id and links.canonical is not null`,
      ];
    case "missing":
      return [
        sql`with ${
          found(
            page,
            [ofMissing("value", "key"), ofMissing("value", "since"), ofMissing("value", "fromInput")],
            sql`l.source_key = r.k and l.connection_id = ${context.connectionId}`,
          )
        }
        update links set missing_since = s.a, missing_from = s.b from s where links.rowid = s.id`,
      ];
    case "pending":
      return [
        sql`delete from pending_managers where (user_id, connection_id) in
          (select ${ofPending("value", "userId")}, ${ofPending("value", "connectionId")}
            from json_each((select body from page_bodies where page_id = ${page.id})))`,
        sql`insert into pending_managers (organization_id, user_id, connection_id, field, value)
          select ${context.organizationId}, ${ofPending("value", "userId")}, ${ofPending("value", "connectionId")},
            ${ofPending("value", "field")}, ${ofPending("value", "value")}
          from json_each((select body from page_bodies where page_id = ${page.id}))
          where ${ofPending("value", "field")} is not null`,
      ];
    case "recalls":
      return [sql`insert or ignore into recalls (organization_id, user_id) select ${context.organizationId}, value
        from json_each((select body from page_bodies where page_id = ${page.id}))`];
    case "departments":
      return departmentStatements(context, page);
  }
}

/** Before links go: whoever is named by one of these keys is found by it no more. */
function recall(context: ApplyContext, which: SQL): SQL {
  return sql`insert or ignore into recalls (organization_id, user_id) select ${context.organizationId}, user_id
    from links where connection_id = ${context.connectionId} and ${which}`;
}

/** The page's entries `r(k, v)` and the managers beside them `m(k, value)`. */
function entries(page: OpenPage, without: string | null): SQL {
  return sql`with r(k, v) as materialized (select key, value from json_each((select body from page_bodies where page_id = ${page.id}))
      ${without === null ? sql`` : sql`where key not in (select value from json_each(${without}))`}),
    ${managers(page)}`;
}

/** `which`: those that say something, or only those of entries that are to be looked at again. */
function managers(page: OpenPage, which: SQL = MANAGER_SAYS_SOMETHING): SQL {
  return sql`m(k, value) as materialized (select key, value
      from json_each(coalesce((select managers from page_managers where page_id = ${page.id}), '[]')) where ${which})`;
}

/**
 * The connection's links `s(id, a, b)` that the page's entries are about, looked up from the entries' side. `places`: what
 * an entry has as k, a and b.
 * `+` keeps a condition from choosing an index: there are few links of a user and a million of a connection.
 */
function found(page: OpenPage, places: readonly SQL[], on: SQL): SQL {
  return sql`r(k, a, b) as materialized (select ${sql.join(places as SQL[], sql`, `)}
      from json_each((select body from page_bodies where page_id = ${page.id}))),
    s(id, a, b) as materialized (select l.rowid, r.a, r.b from r cross join links l
      on ${on})`;
}

/** A row whose manager could not be taken must say so again next time, so it gets no digest. */
function unlessLookedAtAgain(digest: SQL): SQL {
  return sql`case when m.${MUST_LOOK_AGAIN} then null else ${digest} end`;
}

const NAMES = sql.raw(IMAGE.join(", "));
/**
 * Columns in some index: writing one takes it out there and puts it back, changed or not, so they are written only where
 * they change. A department is what changes most, and mostly alone.
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
/** What a link says of a row that was applied; what was noted of it before goes. */
const linkSaid = (from: string) =>
  `active = ${from}.active, digest = ${from}.digest, canonical = ${from}.canonical, said = null, missing_since = null,
  missing_from = null`;
const LINK_SAID = sql.raw(linkSaid("s"));
/** The key is linked already: the link becomes this user's. */
const LINK_TAKEN = sql.raw(
  `on conflict (connection_id, source_key) do update set user_id = excluded.user_id, ${linkSaid("excluded")}`,
);
const UNSTAGE = sql`delete from staged_users`;

/**
 * Takes the page's entries apart. Every insert here is `or fail`: what must not be is an error that undoes the whole
 * batch, so SQLite need not keep for each statement what that one alone would undo.
 */
function stage(context: ApplyContext, page: OpenPage, without: string | null): SQL {
  return sql`insert or fail into staged_users (entry, id, planned_version, moves, source_key, digest, canonical, active, ${NAMES})
    ${entries(page, without)}
    select r.k, ${ofChange("v", "userId")}, ${ofChange("v", "version")}, ${WHAT_MOVES}, ${ofChange("v", "key")},
      ${unlessLookedAtAgain(ofChange("v", "digest"))}, ${unlessLookedAtAgain(ofChange("v", "canonical"))},
      ${ofChange("v", "active")}, ${columns(context.connectionId)}
    from r left join m on m.k = r.k`;
}

/** Whether nothing beside the page says who manages this entry. */
const STAYS = sql`m.k is null or m.${MUST_LOOK_AGAIN}`;

function managerOr(planned: SQL): SQL {
  return sql`case when ${STAYS} then ${planned} else m.value end`;
}

/** The user's columns of an entry, with the manager from beside the page; who brings another one to a user wrote it. */
function columns(connectionId: number): SQL {
  // Bound as a parameter it would be written into JSON as 4.0.
  const me = sql.raw(String(connectionId));
  const list = IMAGE.map((column) => {
    const planned = afterChange("v", column);
    switch (column) {
      case "manager_id":
        return managerOr(planned);
      case "field_sources":
        return sql`case when ${NEW} or ${STAYS} then ${planned}
          when ${afterChange("v", "source_id")} = ${me} then nullif(json_remove(${planned}, '$.manager'), '{}')
          else json_set(coalesce(${planned}, '{}'), '$.manager', ${me}) end`;
      case "edited_by_hand":
        return sql`case when ${NEW} or ${STAYS} or ${planned} is null then ${planned}
          else (select nullif(json_group_array(e.value), '[]') from json_each(${planned}) e where e.value <> 'manager') end`;
      default:
        return planned;
    }
  });
  return sql.join(list, sql`, `);
}

function insertUsers(context: ApplyContext, page: OpenPage): SQL {
  return sql`insert or fail into users (id, organization_id, last_page, version, created_at, updated_at, ${NAMES})
    select id, ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now}, ${NAMES}
    from staged_users where planned_version = 0`;
}

/** The page's entries as they were staged, each with the manager from beside the page. */
function staged(page: OpenPage): SQL {
  const first = page.id * PLACES;
  return sql`${sql.raw(STAGED)} s left join m on m.k = s.place - ${first}
    where s.place between ${first} and ${first + PLACES - 1}`;
}

function insertStagedUsers(context: ApplyContext, page: OpenPage): SQL {
  const values = IMAGE.map((column) => column === "manager_id" ? managerOr(sql`s.manager_id`) : sql.raw(`s.${column}`));
  return sql`with ${managers(page)}
    insert or fail into users (id, organization_id, last_page, version, created_at, updated_at, ${NAMES})
    select s.id, ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now}, ${sql.join(values, sql`, `)}
    from ${staged(page)}`;
}

function insertStagedLinks(context: ApplyContext, page: OpenPage): SQL {
  return sql`with ${managers(page, MUST_LOOK_AGAIN)}
    insert or fail into links (connection_id, source_key, user_id, digest, canonical, active)
    select ${context.connectionId}, s.source_key, s.id, ${unlessLookedAtAgain(sql`s.digest`)},
      ${unlessLookedAtAgain(sql`s.canonical`)}, s.active from ${
    staged(page)
  } and s.source_key is not null ${LINK_TAKEN}`;
}

function updateUsers(context: ApplyContext, page: OpenPage): SQL[] {
  const from = sql`from staged_users s where users.id = s.id and s.planned_version > 0
    and users.organization_id = ${context.organizationId}`;
  const change = sql`update users set version = version + 1, updated_at = ${context.now}, last_page = ${page.id}`;
  // Whoever was parked gets back even what does not change.
  if (page.parked) return [sql`${change}, ${ALL_ASSIGNMENTS} ${from}`];
  return [
    sql`${change}, ${PLAIN_ASSIGNMENTS} ${from} and s.moves = ${STAYS_IN_PLACE}`,
    sql`${change}, ${DEPARTMENT_ASSIGNMENTS} ${from} and s.moves = ${MOVES_DEPARTMENT}`,
    sql`${change}, ${ALL_ASSIGNMENTS} ${from} and s.moves = ${MOVES}`,
  ];
}

/** Frees every email and id that moves within the page, so that no order of setting them can collide. */
function park(page: OpenPage, without: string | null): SQL {
  return sql`update users set email = null, employee_id = null where id in
    (select p.value from json_each((select parked from change_pages where id = ${page.id})) p
      ${
    without === null ? sql`` : sql`where p.value not in (select ${ofChange("value", "userId")}
      from json_each((select body from page_bodies where page_id = ${page.id})) where key in (select value from json_each(${without})))`
  })`;
}

/** Links that stay with their user: their place among the user's is left alone. */
function updateLinks(context: ApplyContext): SQL {
  return sql`with s as materialized (select l.rowid as link, u.digest, u.canonical, u.active from staged_users u
      cross join links l on l.connection_id = ${context.connectionId} and l.source_key = u.source_key and +l.user_id = u.id)
    update links set ${LINK_SAID} from s where links.rowid = s.link`;
}

/** `updated`: without those of `updateLinks`. */
function insertLinks(context: ApplyContext, updated = false): SQL {
  const others = sql`and not exists (select 1 from links l where l.connection_id = ${context.connectionId}
    and l.source_key = s.source_key and +l.user_id = s.id)`;
  return sql`insert or fail into links (connection_id, source_key, user_id, digest, canonical, active)
    select ${context.connectionId}, s.source_key, s.id, s.digest, s.canonical, s.active from staged_users s
    where s.source_key is not null ${updated ? others : sql``} ${LINK_TAKEN}`;
}

function departmentStatements(context: ApplyContext, page: OpenPage): SQL[] {
  const each = sql`json_each((select body from page_bodies where page_id = ${page.id}))`;
  const image = sql`value ->> '$.after.name', value ->> '$.after.folded', value ->> '$.after.parent_id',
    value ->> '$.after.external_id', value ->> '$.after.active', value ->> '$.after.closing'`;
  return [
    // Names and keys may pass from one department to another within the page.
    sql`update departments set folded = char(1) || id, external_id = null where organization_id = ${context.organizationId}
      and id in (select value ->> '$.departmentId' from ${each} where value ->> '$.version' > 0)`,
    sql`insert into departments (id, organization_id, last_change, version, created_at, updated_at,
        name, folded, parent_id, external_id, active, closing)
      select value ->> '$.departmentId', ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now}, ${image}
      from ${each} where value ->> '$.version' = 0`,
    sql`with s as materialized (select value ->> '$.departmentId' as id, value ->> '$.after.name' as name,
        value ->> '$.after.folded' as folded, value ->> '$.after.parent_id' as parent_id,
        value ->> '$.after.external_id' as external_id, value ->> '$.after.active' as active,
        value ->> '$.after.closing' as closing from ${each} where value ->> '$.version' > 0)
      update departments set version = version + 1, updated_at = ${context.now}, last_change = ${page.id},
        name = s.name, folded = s.folded, parent_id = s.parent_id, external_id = s.external_id, active = s.active,
        closing = s.closing from s
      where departments.id = s.id and departments.organization_id = ${context.organizationId}`,
    // Rows that name a renamed or closed department mean something else now.
    sql`update organizations set reference_version = reference_version + 1 where id = ${context.organizationId}
      and exists (select 1 from ${each} where value ->> '$.version' > 0)`,
  ];
}

/** Entries whose user has changed since, or whose email, employee_id or key somebody else took. */
async function stale(db: Database, context: ApplyContext, page: OpenPage): Promise<Applied["superseded"]> {
  const user = ofChange("v", "userId"), key = ofChange("v", "key");
  const rows = await db.rows<[number, string, number | null, number, string | null]>(sql`
    with r(k, v) as materialized (select key, value from json_each((select body from page_bodies where page_id = ${page.id}))),
      mine(id) as materialized (select ${user} from r)
    select k, ${ofChange("v", "action")}, ${ofChange("v", "line")}, ${user}, ${key} from r
    where (not (${NEW}) and not exists (select 1 from users u
        where u.id = ${user} and u.version = ${ofChange("v", "version")}))
      or (${afterChange("v", "status")} = 'active' and exists (select 1 from users u
        where u.organization_id = ${context.organizationId} and u.email = ${afterChange("v", "email")}
          and u.status = 'active' and u.id not in (select id from mine)))
      or exists (select 1 from users u where u.organization_id = ${context.organizationId}
        and u.employee_id = ${afterChange("v", "employee_id")} and u.id not in (select id from mine))
      or (${NEW} and exists (select 1 from links l join users u on u.id = l.user_id
        where l.connection_id = ${context.connectionId} and l.source_key = ${key} and u.status = 'active'))`);
  if (rows.length === 0) return [];
  // What travels together falls together.
  const all = page.parked
    ? await db.rows<[number, string, number | null, number, string | null]>(
      sql`select key, ${ofChange("value", "action")}, ${ofChange("value", "line")}, ${ofChange("value", "userId")},
        ${ofChange("value", "key")}
        from json_each((select body from page_bodies where page_id = ${page.id}))`,
    )
    : rows;
  return all.map(([index, action, line, userId, key]) => ({ index, action, line, userId, key }));
}
