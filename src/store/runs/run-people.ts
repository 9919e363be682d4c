/** The people whom a run affects: its changes with their names, searched and in pages. */
import { sql } from "drizzle-orm";
import { decodeId } from "../../model/id.ts";
import { foldForSearch } from "../../reconcile/fold.ts";
import { listRunChanges } from "./changes.ts";
import { type ChangeView } from "../../model/change.ts";
import type { Database } from "../database.ts";

/** A kind of change, or changes of an existing person's email, employee id or both names. */
export const PEOPLE_FILTERS = ["create", "update", "deactivate", "reactivate", "identity"] as const;
export type PeopleFilter = (typeof PEOPLE_FILTERS)[number];

export interface AffectedPerson {
  readonly change: ChangeView;
  /** A person's or a department's; null: neither the hub nor the change has one. */
  readonly name: string | null;
}

export interface PeopleQuery {
  /** Words that must all occur in the name, email, employee id or department; empty: matches all. */
  readonly q: string;
  readonly filter: PeopleFilter | null;
}

export interface PeoplePage {
  readonly people: readonly AffectedPerson[];
  /** Place to continue after; null at the end. */
  readonly next: number | null;
}

/** Changes in one step: at most a page of the plan, which is read as a whole. */
const STEP = 5_000;
/** How many people a download reads at once. */
const STREAMED = 1_000;
/** How many changes one request searches; the next one continues there. */
const MAX_LOOKED_AT = 20_000;

/** Up to `limit` matches after place `after` (0: from the first). May give fewer, even none, and still a `next`. */
export async function listPeople(
  db: Database,
  organizationId: number,
  runId: number,
  query: PeopleQuery,
  { after, limit }: { after: number; limit: number },
): Promise<PeoplePage> {
  const people: AffectedPerson[] = [];
  const fits = createTest(query);
  let place = after;
  const all = query.q.trim() === "" && query.filter === null;
  for (let looked = 0; looked < MAX_LOOKED_AT;) {
    const step = all ? limit : STEP;
    const { changes, next } = await listRunChanges(db, organizationId, runId, { after: place, limit: step });
    const names = await loadNames(db, organizationId, changes);
    for (const [index, change] of changes.entries()) {
      const person = { change, name: nameOf(change, names) };
      if (!fits(person)) continue;
      people.push(person);
      if (people.length < limit) continue;
      // Only listRunChanges knows places, so it reads up to this one again.
      if (index === changes.length - 1) return { people, next };
      const again = await listRunChanges(db, organizationId, runId, { after: place, limit: index + 1 });
      return { people, next: again.next };
    }
    if (next === null) return { people, next: null };
    place = next;
    looked += changes.length;
  }
  return { people, next: place };
}

/** All people, in the same order, from the pages that `list` gives. */
export async function* streamPeople(
  list: (page: { after: number; limit: number }) => Promise<PeoplePage>,
): AsyncGenerator<AffectedPerson> {
  for (let after: number | null = 0; after !== null;) {
    const page: PeoplePage = await list({ after, limit: STREAMED });
    yield* page.people;
    after = page.next;
  }
}

function createTest({ q, filter }: PeopleQuery): (person: AffectedPerson) => boolean {
  const words = foldForSearch(q).split(/\s+/).filter((word) => word !== "");
  return ({ change, name }) => {
    if (filter === "identity") {
      if (!changesIdentity(change)) return false;
    } else if (filter !== null && change.action !== filter) return false;
    if (words.length === 0) return true;
    const { email, employee_id } = change.subject;
    const was = [change.fields.email?.before, change.fields.employee_id?.before, change.fields.department_name?.before];
    const text = foldForSearch(
      [name, email, employee_id, change.fields.department_name?.after, ...was].filter(Boolean).join("\n"),
    );
    return words.every((word) => text.includes(word));
  };
}

/** As the guard `identity` counts: filling what was empty changes nobody's identity. */
function changesIdentity({ action, fields }: ChangeView): boolean {
  const changes = (field: string) => (fields[field]?.before ?? null) !== null;
  return action !== "create" &&
    (changes("email") || changes("employee_id") || (changes("first_name") && changes("last_name")));
}

async function loadNames(
  db: Database,
  organizationId: number,
  changes: readonly ChangeView[],
): Promise<ReadonlyMap<number, string>> {
  const ids = changes.filter(({ entity }) => entity === "user").map(({ subject }) => decodeId("usr", subject.id));
  if (ids.length === 0) return new Map();
  const rows = await db.rows<[number, string | null, string | null]>(sql`select u.id, u.first_name, u.last_name
    from json_each(${JSON.stringify(ids)}) j cross join users u on u.id = j.value
    where u.organization_id = ${organizationId}`);
  return new Map(rows.map(([id, first, last]) => [id, joined(first, last)]));
}

/** The person's present name; for a new person, the name in the change. */
function nameOf({ entity, subject, fields }: ChangeView, names: ReadonlyMap<number, string>): string | null {
  if (entity === "department") return subject.name ?? null;
  const known = names.get(decodeId("usr", subject.id)!) ?? joined(fields.first_name?.after, fields.last_name?.after);
  return known === "" ? null : known;
}

function joined(first: unknown, last: unknown): string {
  return [first, last].filter((part) => typeof part === "string" && part !== "").join(" ");
}
