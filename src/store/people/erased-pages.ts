/**
 * Pages of changes that hold a person: found for an erasure, and emptied with it. Pages are read a few at a time, so that
 * memory stays small and no other reader waits long.
 */
import { type SQL, sql } from "drizzle-orm";
import { decodeChange, encodeChange, type Entry } from "../../reconcile/columns/entry.ts";
import { IMAGE, type Image, IMAGE_INDEX } from "../../reconcile/image.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { ofChange } from "../runs/entry-places.ts";
import { replaceElements, withoutElements } from "./json-elements.ts";

/** A page of changes as far as erasing needs it. */
export interface TracedPage {
  readonly id: number;
  readonly runId: number | null;
  readonly connectionId: number | null;
  readonly kind: string;
  readonly applied: boolean;
}

/** What is to be emptied in pages. */
export interface FoundInPages {
  /** By page: entries to replace, by their index, with what is left of them. */
  readonly blanked: ReadonlyMap<number, readonly (readonly [index: number, entry: Entry])[]>;
  /** By page that is not applied yet: indexes of entries to remove. */
  readonly removed: ReadonlyMap<number, readonly number[]>;
}

/** Pages read at once: some megabytes. */
const WINDOW = 8;
/** Pages that accompany the changes themselves. */
const COMPANIONS = sql`kind in ('links', 'unlinks', 'digests', 'missing', 'pending', 'recalls')`;

/** Entries of changes of the user, with the pages that they are in. */
export async function* findEntries(
  db: Database,
  organizationId: number,
  userId: number,
): AsyncGenerator<TracedPage & { readonly index: number; readonly entry: Entry }> {
  for await (const ids of listPages(db, organizationId, sql`p.kind in ('creates', 'updates')`)) {
    const rows = await db.rows<[number, number | null, number | null, string, number | null, number, string]>(sql`
      select p.id, p.run_id, r.connection_id, p.kind, p.applied_at, e.key, e.value from change_pages p
        join page_bodies b on b.page_id = p.id left join runs r on r.id = p.run_id, json_each(b.body) e
      where p.id in ${setOf(ids)} and instr(b.body, ${`,${userId},`}) > 0
        and ${ofChange("e.value", "userId")} = ${userId}`);
    for (const [id, runId, connectionId, kind, appliedAt, index, entry] of rows) {
      yield { id, runId, connectionId, kind, applied: appliedAt !== null, index, entry: JSON.parse(entry) };
    }
  }
}

/** Pages that are not applied yet and accompany changes: links, digests, pending managers and the like. */
export async function* findOpenPages(
  db: Database,
  organizationId: number,
): AsyncGenerator<TracedPage & { readonly entries: unknown[] }> {
  for await (const ids of listPages(db, organizationId, sql`p.applied_at is null and p.${COMPANIONS}`)) {
    const rows = await db.rows<[number, number | null, number | null, string, string]>(sql`
      select p.id, p.run_id, r.connection_id, p.kind, b.body from change_pages p
        join page_bodies b on b.page_id = p.id left join runs r on r.id = p.run_id
      where p.id in ${setOf(ids)}`);
    for (const [id, runId, connectionId, kind, body] of rows) {
      yield { id, runId, connectionId, kind, applied: false, entries: JSON.parse(body) };
    }
  }
}

/** Ids of the pages for which `which` holds, a window at a time. */
async function* listPages(db: Database, organizationId: number, which: SQL): AsyncGenerator<number[]> {
  for (let after = 0;;) {
    const ids = (await db.rows<[number]>(sql`select p.id from change_pages p
      where p.organization_id = ${organizationId} and p.id > ${after} and ${which} order by p.id limit ${WINDOW}`))
      .flat();
    if (ids.length > 0) yield ids;
    if (ids.length < WINDOW) return;
    after = ids.at(-1)!;
  }
}

/** What stays of a change of an erased user: that there was one, and of what kind. */
export function blank(entry: Entry): Entry {
  const change = decodeChange(entry);
  return encodeChange({
    ...change,
    before: change.before === null ? null : {},
    key: null,
    digest: null,
    canonical: null,
    after: blankImage(),
  });
}

/** The columns of a user without values. */
export function blankImage(): Image {
  const image: Image = IMAGE.map(() => null);
  image[IMAGE_INDEX.on_leave] = 0;
  return image;
}

/** The statements that empty the pages. */
export function emptyPages(
  db: Database,
  { organizationId, userId }: { organizationId: number; userId: number },
  { blanked, removed }: FoundInPages,
): Statement[] {
  const shortened = setOf([...removed.keys()]);
  return [
    // Once changes are applied, nothing needs what accompanied them, and it is full of keys.
    ...deleteContent(db, sql`organization_id = ${organizationId} and applied_at is not null and ${COMPANIONS}`),
    ...[...blanked].map(([page, places]) =>
      db.run(sql`update page_bodies set sha256 = null,
          body = ${replaceElements("body", places.map(([index, entry]) => [index, JSON.stringify(entry)]))}
        where page_id = ${page}`)
    ),
    // A digest of the former page, together with the rest of it, could prove a guess at what was erased.
    db.run(sql`update page_managers set sha256 = null where page_id in ${setOf([...blanked.keys()])}`),
    ...[...removed].flatMap(([page, indexes]) => [
      db.run(sql`update page_bodies set sha256 = null, body = ${withoutElements("body", indexes)}
        where page_id = ${page}`),
      db.run(sql`update page_managers set sha256 = null, managers = ${withoutElements("managers", indexes)}
        where page_id = ${page}`),
      db.run(sql`update change_pages set count = count - ${indexes.length},
        parked = (select nullif(json_group_array(value), '[]') from json_each(parked) where value <> ${userId})
        where id = ${page}`),
    ]),
    ...deleteContent(db, sql`id in ${shortened} and count = 0`),
    db.run(sql`delete from change_pages where count = 0 and id in ${shortened}`),
  ];
}

function deleteContent(db: Database, which: SQL): Statement[] {
  const pages = sql`(select id from change_pages where ${which})`;
  return [
    db.run(sql`delete from page_bodies where page_id in ${pages}`),
    db.run(sql`delete from page_managers where page_id in ${pages}`),
  ];
}
