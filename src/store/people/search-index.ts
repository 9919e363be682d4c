/**
 * Updates the index of people's words from the feed of changes, after the writes themselves.
 *
 * Each organization has a cursor in its feed. A step reads the people of the next entries as they are now, and writes
 * their words and the cursor in one batch, which fails if one of them has changed since. So it may be killed anywhere,
 * and several processes may do it at once. Erased people leave the index in the batch that erases them.
 */
import { type SQL, sql } from "drizzle-orm";
import type { ImageColumn } from "../../reconcile/image.ts";
import { indexedWords, type Searched } from "./search-words.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { changesOneOf, ofChange } from "../runs/entry-places.ts";
import { hasMoved, unlessMoved } from "../moved.ts";

export interface FillOptions {
  /** Milliseconds after which no further step begins. */
  readonly forMs: number;
  /** Whether other work must be done first. */
  readonly isWanted?: () => boolean;
  /** Leaves out organizations with a run at work, which the index must not slow down. */
  readonly idleOnly?: boolean;
  /** Called between two steps. */
  readonly pause?: () => Promise<void>;
}

/** A longer step would make requests wait that write. */
const STEP_MS = 50;
const FIRST = 200, LEAST = 10, MOST = 4_000;

/** Continues where the last call stopped. True once the index is complete. */
export async function fillSearchIndex(db: Database, options: FillOptions): Promise<boolean> {
  const endsAt = performance.now() + options.forMs;
  const isOver = () => (options.isWanted?.() ?? false) || performance.now() >= endsAt;
  // Removing takes longer than adding, so each has its own step size.
  const putting = createSteps(options), taking = createSteps(options);
  for (;;) {
    const behind = await listBehind(db, options.idleOnly ?? false);
    const removal = await findRemoval(db);
    if (behind.length === 0 && removal === null) return true;
    // In turn, so that an organization with a million new people does not make the others wait.
    for (const one of behind) {
      if (isOver()) return false;
      await follow(db, one, putting, isOver);
    }
    if (removal === null) continue;
    if (isOver()) return false;
    await taking.next((size) => removeSome(db, removal, size));
  }
}

/** Adapts the number of people in a step, so that each step takes about STEP_MS. */
interface Steps {
  next(work: (size: number) => Promise<void>): Promise<void>;
}

function createSteps({ pause }: FillOptions): Steps {
  let size = FIRST;
  return {
    async next(work) {
      const begunAt = performance.now();
      await work(size);
      const tookMs = performance.now() - begunAt;
      if (tookMs > STEP_MS) size = Math.max(LEAST, size >> 1);
      else if (tookMs < STEP_MS / 2) size = Math.min(MOST, size * 2);
      await pause?.();
    },
  };
}

/** The statement that removes a person's words, for the batch that erases them. */
export function forgetWords(db: Database, organizationId: number, userId: number): Statement {
  return db.run(sql`delete from user_words where rowid = (select id from users where id = ${userId}
    and organization_id = ${organizationId})`);
}

/**
 * The statements that have an organization's words removed later, as there may be a million of them. For the batch that
 * deletes it, before its users are deleted, and only if `condition` holds then.
 */
export function removeWords(db: Database, organizationId: number, condition: SQL): Statement[] {
  const gone = sql`from users where organization_id = ${organizationId}`;
  return [
    db.run(sql`delete from search_cursors where organization_id = ${organizationId} and ${condition}`),
    db.run(sql`insert into search_removals (organization_id, after, until)
    select ${organizationId}, (select min(id) - 1 ${gone}), (select max(id) ${gone})
    where exists (select 1 ${gone}) and ${condition} on conflict do nothing`),
  ];
}

interface Behind {
  readonly organizationId: number;
  /** The last place of the feed that is in the index. */
  readonly seq: number;
}

async function listBehind(db: Database, idleOnly: boolean): Promise<Behind[]> {
  const rows = await db.rows<[number, number]>(sql`
    select o.id, coalesce(c.seq, 0) from organizations o left join search_cursors c on c.organization_id = o.id
    where coalesce(c.seq, 0) < (select p.seq + p.count - 1 from change_pages p
        where p.organization_id = o.id and p.seq is not null order by p.seq desc limit 1)
      and (${idleOnly ? 0 : 1} or o.lease_owner is null)`);
  return rows.map(([organizationId, seq]) => ({ organizationId, seq }));
}

const SEARCHED: readonly ImageColumn[] = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "preferred_name",
  "username",
];
/** Entries that change what people are found by: of new people, or with a changed column of those. */
const CHANGES_WORDS = sql`${ofChange("value", "version")} = 0 or ${changesOneOf("value", SEARCHED)}`;

type Text = string | null;
type Row = [place: number, id: number, version: number, words: Text, ...person: [Text, Text, Text, Text, Text, Text]];

/** A person whose words differ from those in the index; `place` is the place in the feed. */
interface Changed {
  readonly place: number;
  readonly id: number;
  readonly version: number;
  readonly words: string;
}

/** Follows one page of the organization's feed, which is read once and written in steps. */
async function follow(db: Database, behind: Behind, steps: Steps, isOver: () => boolean): Promise<void> {
  const { organizationId } = behind;
  const page = await nextPage(db, organizationId, behind.seq);
  if (page === null) return;
  const changed = page.kind === "departments" || page.kind === "groups" ? [] : await readChanged(db, behind, page);
  const end = page.seq + page.count - 1;
  let from = behind.seq, done = 0;
  do {
    try {
      await steps.next(async (size) => {
        const some = changed.slice(done, done + size);
        const to = done + some.length === changed.length ? end : some.at(-1)!.place;
        await db.write(statementsOf(db, organizationId, { from, to }, some));
        from = to;
        done += some.length;
      });
    } catch (error) {
      // A person was changed, or another process was faster: the next call finds what is left.
      if (!hasMoved(error)) throw error;
      return;
    }
  } while (done < changed.length && !isOver());
}

async function readChanged(
  db: Database,
  { organizationId, seq }: Behind,
  page: { id: number; seq: number },
): Promise<Changed[]> {
  const rows = await db.rows<Row>(sql`
    with r(k, id) as materialized (select key, ${ofChange("value", "userId")}
      from json_each((select body from page_bodies where page_id = ${page.id}))
      where key > ${seq - page.seq} and (${CHANGES_WORDS}))
    select r.k + ${page.seq}, u.id, u.version, w.words, u.employee_id, u.email, u.first_name, u.last_name,
      u.preferred_name, u.username
    from r cross join users u on u.id = r.id and u.organization_id = ${organizationId}
    left join user_words w on w.rowid = r.id order by r.k`);
  const changed = new Map<number, Changed>();
  for (const row of rows) {
    const [place, id, version, indexed] = row;
    const words = indexedWords(organizationId, personOf(row));
    if (words !== (indexed ?? "")) changed.set(id, { place, id, version, words });
  }
  return [...changed.values()].sort((a, b) => a.place - b.place);
}

function statementsOf(
  db: Database,
  organizationId: number,
  cursor: { from: number; to: number },
  changed: readonly Changed[],
): Statement[] {
  const json = JSON.stringify(changed.map(({ id, version, words }) => [id, version, words]));
  return [
    db.run(sql`select ${
      unlessMoved(sql`exists (select 1 from organizations where id = ${organizationId})
        and coalesce((select seq from search_cursors where organization_id = ${organizationId}), 0) = ${cursor.from}
        and ${changed.length} = (select count(*) from json_each(${json}) j
          cross join users u on u.id = j.value ->> 0 and u.version = j.value ->> 1)`)
    }`),
    ...(changed.length === 0 ? [] : [
      db.run(sql`delete from user_words where rowid in (select value ->> 0 from json_each(${json}))`),
      db.run(sql`insert into user_words (rowid, words) select value ->> 0, value ->> 2 from json_each(${json})
        where value ->> 2 <> ''`),
    ]),
    db.run(sql`insert into search_cursors (organization_id, seq) values (${organizationId}, ${cursor.to})
      on conflict (organization_id) do update set seq = excluded.seq`),
  ];
}

function personOf([, , , , employeeId, email, firstName, lastName, preferredName, username]: Row): Searched {
  return { employeeId, email, firstName, lastName, preferredName, username };
}

/** The page of the feed with the place after `seq`, or the first one after it. */
async function nextPage(
  db: Database,
  organizationId: number,
  seq: number,
): Promise<{ id: number; kind: string; seq: number; count: number } | null> {
  const [row] = await db.rows<[number, string, number, number]>(sql`
    select id, kind, seq, count from change_pages where organization_id = ${organizationId} and seq is not null
      and seq + count > ${seq + 1}
      and seq >= coalesce((select max(seq) from change_pages
        where organization_id = ${organizationId} and seq <= ${seq + 1}), 0)
    order by seq limit 1`);
  return row === undefined ? null : { id: row[0], kind: row[1], seq: row[2], count: row[3] };
}

interface Removal {
  readonly organizationId: number;
  readonly after: number;
  readonly until: number;
}

async function findRemoval(db: Database): Promise<Removal | null> {
  const [row] = await db.rows<[number, number, number]>(
    sql`select organization_id, after, until from search_removals order by organization_id limit 1`,
  );
  return row === undefined ? null : { organizationId: row[0], after: row[1], until: row[2] };
}

/** One step of taking out what an organization has left; safe to repeat, so it asks for nothing. */
async function removeSome(db: Database, { organizationId, after, until }: Removal, size: number): Promise<void> {
  const rows = await db.rows<[number, string]>(sql`select rowid, words from user_words
    where rowid > ${after} and rowid <= ${until} order by rowid limit ${size}`);
  const own = rows.filter(([, words]) => words.startsWith(`${organizationId}x`)).map(([id]) => id);
  const mine = sql`organization_id = ${organizationId}`;
  await db.write([
    db.run(sql`delete from user_words where rowid in ${setOf(own)}`),
    ...(rows.length < size
      ? [db.run(sql`delete from search_removals where ${mine}`)]
      : [db.run(sql`update search_removals set after = ${rows.at(-1)![0]} where ${mine}`)]),
  ]);
}
