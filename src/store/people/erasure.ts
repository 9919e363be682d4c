/**
 * Where a person's values lie, found and emptied. What is found is taken page by page, so that memory stays small and
 * nobody waits long; emptying is one batch, which holds only if nothing has moved since.
 */
import { type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { IssueRow } from "../../reconcile/draft.ts";
import { decodeChange, encodeChange, type Entry } from "../../reconcile/columns/entry.ts";
import { IMAGE, type Image, IMAGE_INDEX } from "../../reconcile/image.ts";
import { recordAudit } from "../audit.ts";
import { ofChange } from "../runs/entry-places.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { forgetReplies } from "../notify/deliveries.ts";
import { emptyEvents, type FoundInEvents } from "./erased-events.ts";
import { emptyFiles, type FoundInFiles } from "./erased-files.ts";
import { type Erasure, recordErasure } from "./erasures.ts";
import { recordByHand } from "./hand-changes.ts";
import { forgetAnswers } from "../idempotency.ts";
import { LEASE_MS, ORGANIZATION_LEASE, releaseLease } from "../runs/queue.ts";
import type { Counts } from "../../model/run.ts";
import { forgetWords } from "./search-index.ts";
import type { User } from "./users.ts";
import { hasMoved, unlessMoved } from "../moved.ts";

export interface Hold {
  readonly organizationId: number;
  readonly owner: string;
}

/** Keeps runs of the organization from beginning; false while one is at work, or another holds it. */
export async function holdOrganization(db: Database, { organizationId, owner }: Hold, now: number): Promise<boolean> {
  const { taken } = await writeNamed(db, {
    taken: db.orm.all(
      sql`update organizations set lease_run = null, ${ORGANIZATION_LEASE.claim(owner, now + LEASE_MS)}
      where id = ${organizationId} and ${ORGANIZATION_LEASE.isFree(now, [owner])}
        and not exists (select 1 from runs where organization_id = ${organizationId}
          and status in ('planning', 'applying'))
      returning id`,
    ) as Statement,
  });
  return taken.length > 0;
}

export async function releaseOrganization(db: Database, hold: Hold): Promise<void> {
  await db.write([releaseLease(db, hold)]);
}

/** A page of changes as far as erasing needs it. */
export interface TracedPage {
  readonly id: number;
  readonly runId: number | null;
  readonly connectionId: number | null;
  readonly kind: string;
  readonly applied: boolean;
}

/** Pages read at once: some megabytes. */
const WINDOW = 8;

/** Entries of changes of the user, with the pages that they are in. */
export async function* findEntries(
  db: Database,
  organizationId: number,
  userId: number,
): AsyncGenerator<TracedPage & { readonly index: number; readonly entry: Entry }> {
  for await (const ids of pagesOf(db, organizationId, sql`p.kind in ('creates', 'updates')`)) {
    const rows = await db.rows<[number, number | null, number | null, string, number | null, number, string]>(sql`
      select p.id, p.run_id, r.connection_id, p.kind, p.applied_at, e.key, e.value from change_pages p
        join page_bodies b on b.page_id = p.id left join runs r on r.id = p.run_id, json_each(b.body) e
      where p.id in (select value from json_each(${ids})) and instr(b.body, ${`,${userId},`}) > 0
        and ${ofChange("e.value", "userId")} = ${userId}`);
    for (const [id, runId, connectionId, kind, appliedAt, index, entry] of rows) {
      yield { id, runId, connectionId, kind, applied: appliedAt !== null, index, entry: JSON.parse(entry) };
    }
  }
}

/** Pages that are not applied and hold what goes with changes: links, and who is waited for. */
export async function* findOpenPages(
  db: Database,
  organizationId: number,
): AsyncGenerator<TracedPage & { readonly entries: unknown[] }> {
  const which =
    sql`p.applied_at is null and p.kind in ('links', 'unlinks', 'digests', 'missing', 'pending', 'recalls')`;
  for await (const ids of pagesOf(db, organizationId, which)) {
    const rows = await db.rows<[number, number | null, number | null, string, string]>(sql`
      select p.id, p.run_id, r.connection_id, p.kind, b.body from change_pages p
        join page_bodies b on b.page_id = p.id left join runs r on r.id = p.run_id
      where p.id in (select value from json_each(${ids}))`);
    for (const [id, runId, connectionId, kind, body] of rows) {
      yield { id, runId, connectionId, kind, applied: false, entries: JSON.parse(body) };
    }
  }
}

async function* pagesOf(db: Database, organizationId: number, which: SQL): AsyncGenerator<string> {
  for (let after = 0;;) {
    const rows = await db.rows<[number]>(sql`select p.id from change_pages p
      where p.organization_id = ${organizationId} and p.id > ${after} and ${which} order by p.id limit ${WINDOW}`);
    if (rows.length > 0) yield JSON.stringify(rows.map(([id]) => id));
    if (rows.length < WINDOW) return;
    after = rows.at(-1)![0];
  }
}

export interface IssuePage {
  readonly runId: number;
  readonly pass: number;
  readonly page: number;
  readonly connectionId: number;
}

export async function* readIssuePages(
  db: Database,
  organizationId: number,
): AsyncGenerator<IssuePage & { readonly body: string }> {
  for (let at: [number, number, number] = [0, -1, -1];;) {
    const rows = await db.rows<[number, number, number, number, string]>(sql`
      select i.run_id, i.pass, i.page, r.connection_id, i.body from issue_pages i join runs r on r.id = i.run_id
      where i.organization_id = ${organizationId} and (i.run_id, i.pass, i.page) > (${at[0]}, ${at[1]}, ${at[2]})
      order by i.run_id, i.pass, i.page limit ${WINDOW}`);
    for (const [runId, pass, page, connectionId, body] of rows) yield { runId, pass, page, connectionId, body };
    if (rows.length < WINDOW) return;
    const [runId, pass, page] = rows.at(-1)!;
    at = [runId, pass, page];
  }
}

/** Runs that failed as a whole, with what was said of it. */
export async function listErrors(db: Database, organizationId: number): Promise<{ id: number; error: string }[]> {
  const rows = await db.rows<[number, string]>(sql`select id, error from runs
    where organization_id = ${organizationId} and error is not null`);
  return rows.map(([id, error]) => ({ id, error }));
}

/** The columns of every input whose run is kept, as they were read. */
export async function listColumns(
  db: Database,
  organizationId: number,
): Promise<{ runId: number; columns: readonly string[] }[]> {
  const rows = await db.rows<[string, string]>(sql`select json_group_array(id), columns from
    (select id, input -> '$.columns' as columns from runs where organization_id = ${organizationId} and input is not null)
    group by columns`);
  return rows.flatMap(([ids, columns]) =>
    (JSON.parse(ids) as number[]).map((runId) => ({ runId, columns: JSON.parse(columns) as string[] }))
  );
}

/** Runs of these connections that still have an input to read. */
export async function listWaitingInputs(
  db: Database,
  organizationId: number,
  connections: readonly number[],
): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select id from runs where organization_id = ${organizationId}
    and status = 'queued'
    and (drop_id is not null or id in (select run_id from fetches where started_at is not null and ended_at is null))
    and connection_id in (select value from json_each(${JSON.stringify(connections)})) order by id`);
  return rows.map(([id]) => id);
}

/** What is to be emptied. */
export interface Found {
  /** By page, places of entries that are another without the person, with the entry that is left there. */
  readonly blanked: ReadonlyMap<number, readonly (readonly [index: number, entry: Entry])[]>;
  /** Places in pages that are not applied: they go. */
  readonly removed: ReadonlyMap<number, readonly number[]>;
  readonly issues: readonly (IssuePage & { readonly rows: readonly { index: number; row: IssueRow }[] })[];
  readonly errors: readonly number[];
  /** Runs whose input had the person for a column, with the columns that are left there. */
  readonly columns: readonly { readonly runId: number; readonly columns: readonly string[] }[];
  readonly events: FoundInEvents;
  /** Plans that are another without the person, by run: their hash, and what they count. */
  readonly plans: ReadonlyMap<number, { readonly hash: string; readonly counts: Counts | null }>;
  /** Entries that say something of the person. */
  readonly changes: number;
  /** Connections whose inputs may hold the person. */
  readonly connections: readonly number[];
  /** What the person can be named by. */
  readonly names: readonly string[];
  readonly files: FoundInFiles;
  /** Statements that empty what was said by the way (erased-words.ts). */
  readonly words: readonly Statement[];
  /** What was erased of them before; null: nothing was. */
  readonly erasure: Erasure | null;
  /** Names of connectors that a bridge speaks for, and the bridges that may have files of the organization. */
  readonly bridged: readonly string[];
  readonly bridges: readonly number[];
}

/** Empties everything; false, and nothing is done, when something has moved since it was found. */
export async function eraseFound(
  db: Database,
  hold: Hold,
  user: User,
  dataVersion: number,
  found: Found,
  times: { readonly now: number },
  by: By,
): Promise<boolean> {
  const { organizationId } = user;
  const run = (query: SQL) => db.orm.run(query) as Statement;
  const json = (value: unknown) => JSON.stringify(value);
  const isErased = isBlank(user);
  const recorded = isErased
    ? { pageId: user.lastPage, statements: [] }
    : await recordByHand(db, { organizationId, kind: "updates", entry: lastEntry(user) }, sql`true`, times.now);
  const statements: Statement[] = [
    run(sql`select ${
      unlessMoved(sql`data_version = ${dataVersion} and ${ORGANIZATION_LEASE.isHeldBy(hold.owner)}
        and exists (select 1 from users where id = ${user.id} and version = ${user.version})`)
    } from organizations where id = ${organizationId}`),
    // What went with changes serves nobody once they are applied, and is full of keys.
    ...["page_bodies", "page_managers"].map((table) =>
      run(sql`delete from ${sql.raw(table)} where page_id in (select id from change_pages
        where organization_id = ${organizationId} and applied_at is not null
          and kind in ('links', 'unlinks', 'digests', 'missing', 'pending', 'recalls'))`)
    ),
    ...[...found.blanked].map(([page, places]) =>
      run(sql`update page_bodies set sha256 = null,
          body = ${replaced("body", places.map(([index, entry]) => [index, json(entry)]))}
        where page_id = ${page}`)
    ),
    // With the digest of what a page was, and the rest of it, a guess at what is gone could be proven.
    run(sql`update page_managers set sha256 = null
      where page_id in (select value from json_each(${json([...found.blanked.keys()])}))`),
    ...[...found.removed].flatMap(([page, indexes]) => [
      ...[["page_bodies", "body"], ["page_managers", "managers"]].map(([table, column]) =>
        run(
          sql`update ${sql.raw(table!)} set sha256 = null, ${sql.raw(column!)} = ${
            without(column!, indexes)
          } where page_id = ${page}`,
        )
      ),
      run(sql`update change_pages set count = count - ${indexes.length},
        parked = (select nullif(json_group_array(value), '[]') from json_each(parked) where value <> ${user.id})
        where id = ${page}`),
    ]),
    ...["page_bodies", "page_managers"].map((table) =>
      run(sql`delete from ${sql.raw(table)} where page_id in (select id from change_pages
        where id in (select value from json_each(${json([...found.removed.keys()])})) and count = 0)`)
    ),
    run(sql`delete from change_pages where count = 0
      and id in (select value from json_each(${json([...found.removed.keys()])}))`),
    ...found.issues.map(({ runId, pass, page, rows }) =>
      run(sql`update issue_pages
        set body = ${replaced("body", rows.map(({ index, row }) => [index, json(row)]))}
        where run_id = ${runId} and pass = ${pass} and page = ${page}`)
    ),
    run(sql`update runs set error = json_set(error, '$.message', ${ERASED})
      where id in (select value from json_each(${json(found.errors)}))`),
    ...found.columns.flatMap(({ runId, columns }) => [
      run(sql`update runs set input = json_set(input, '$.columns', json(${json(columns)})),
        figures = iif(figures is null, null, json_set(figures, '$.layout', null)) where id = ${runId}`),
      run(sql`update connections set layout = null where id = (select connection_id from runs where id = ${runId})`),
    ]),
    ...emptyEvents(db, { organizationId, userId: user.id }, found.events, found.connections, ERASED),
    // Every other plan that was true a moment ago is true still: it says nothing of this person's values.
    run(sql`update runs set plan_version = ${dataVersion + 1} where organization_id = ${organizationId}
      and status in ('planned', 'held') and plan_version = ${dataVersion}`),
    ...[...found.plans].map(([id, { hash, counts }]) =>
      run(sql`update runs set plan_hash = ${hash}, counts = ${counts === null ? null : json(counts)} where id = ${id}
        and status in ('planned', 'held')`)
    ),
    ...emptyFiles(db, organizationId, found.connections, found.files),
    ...found.words,
    run(sql`update fetches set error = null, warnings = '[]', checkpoint = null, origins = '[]'
      where organization_id = ${organizationId} and ended_at is not null
        and run_id not in (select id from runs where status in ('queued', 'planning'))`),
    forgetReplies(db, organizationId),
    run(sql`delete from links where user_id = ${user.id}`),
    forgetWords(db, organizationId, user.id),
    // What others' records said and may not write: said of once more, should they say it again.
    run(sql`update links set said = null where said is not null
      and connection_id in (select id from connections where organization_id = ${organizationId})
      and exists (select 1 from json_each(said) where value in (select value from json_each(${json(found.names)})))`),
    run(sql`delete from pending_managers where organization_id = ${organizationId}
      and (user_id = ${user.id} or value in (select value from json_each(${json(found.names)})))`),
    // Whose manager this was: their rows name somebody whom the hub no longer knows, so they are looked at again.
    run(sql`update links set digest = null, canonical = null where digest is not null and user_id in
      (select id from users where organization_id = ${organizationId} and manager_id = ${user.id})`),
    forgetAnswers(db, organizationId),
    ...recorded.statements,
    run(sql`update organizations set data_version = data_version + 1 where id = ${organizationId}`),
    ...(isErased ? [] : [run(sql`update users set ${BLANK}, status = 'inactive', on_leave = 0, custom = null,
      last_page = ${recorded.pageId}, version = version + 1, updated_at = ${times.now} where id = ${user.id}`)]),
    ...recordErasure(
      db,
      {
        organizationId,
        userId: user.id,
        counts: {
          changes: found.changes,
          report_rows: found.issues.reduce((sum, { rows }) => sum + rows.length, 0),
          drops: found.files.drops.length,
          uploads: found.files.uploads.length,
        },
        connections: found.connections,
        bridged: found.bridged,
        bridges: found.bridges,
      },
      found.erasure,
      times.now,
    ),
    recordAudit(
      db,
      by,
      { organizationId, action: "user.erased", subjects: [encodeId("usr", user.id)] },
      times.now,
      sql`true`,
    ),
    releaseLease(db, hold),
  ];
  try {
    await db.write(statements);
    return true;
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return false;
  }
}

/** What stands where something was erased. */
export const ERASED = "What was said here was erased with a person";

/** The entry that stays of a change of an erased user: that there was one, and of what kind. */
export function blank(entry: Entry): Entry {
  const change = decodeChange(entry);
  const after: Image = IMAGE.map(() => null);
  after[IMAGE_INDEX.on_leave] = 0;
  return encodeChange({
    ...change,
    before: change.before === null ? null : {},
    key: null,
    digest: null,
    canonical: null,
    after,
  });
}

/** The last change of the user, for those who follow the feed. */
function lastEntry(user: User): Entry {
  const after: Image = IMAGE.map(() => null);
  after[IMAGE_INDEX.on_leave] = 0;
  after[IMAGE_INDEX.status] = "inactive";
  const wasActive = user.status === "active";
  return encodeChange({
    action: wasActive ? "deactivate" : "update",
    line: null,
    userId: user.id,
    version: user.version,
    reason: "erased",
    before: wasActive ? { status: "active" } : {},
    previousPage: user.lastPage,
    key: null,
    digest: null,
    canonical: null,
    active: false,
    after,
  });
}

/** All that says something of a person, and who said it. */
const COLUMNS = IMAGE.filter((column) => column !== "status" && column !== "on_leave" && column !== "custom");
const BLANK = sql.raw(COLUMNS.map((column) => `${column} = null`).join(", "));

function isBlank(user: User): boolean {
  return user.status === "inactive" && user.custom === null &&
    [user.employeeId, user.email, user.firstName, user.lastName, user.username, user.phone, user.mobilePhone]
      .every((value) => value === null) &&
    user.sourceId === null;
}

/** The column's array with other elements at some places. One parameter, however many they are. */
function replaced(column: string, places: readonly (readonly [number, string])[]): SQL {
  return sql`(select json_group_array(json(coalesce(n.value ->> 1, quoted.value))) from
    (select key, case when type in ('object', 'array') then value else json_quote(value) end as value
      from json_each(${sql.raw(column)})) quoted
    left join json_each(${JSON.stringify(places)}) n on n.value ->> 0 = quoted.key)`;
}

/** The column's array without some places. */
function without(column: string, indexes: readonly number[]): SQL {
  return sql`(select json_group_array(json(case when type in ('object', 'array') then value else json_quote(value) end))
    from json_each(${sql.raw(column)}) where key not in (select value from json_each(${JSON.stringify(indexes)})))`;
}
