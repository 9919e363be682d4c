/**
 * All that is kept about one person, for a request of theirs to see it: what an erasure would find, by the same search.
 * Others stay out of it: of a row or an event that only mentions the person, its place is given and not its content.
 */
import type { Hub } from "../hub.ts";
import type { ChangeView } from "../model/change.ts";
import { encodeId } from "../model/id.ts";
import type { Issue } from "../model/record.ts";
import { readDrops } from "../store/people/erased-files.ts";
import { listColumns } from "../store/people/erased-runs.ts";
import { findMerge, listMerged, type Merge } from "../store/people/merges.ts";
import { readEventsOf } from "../store/people/person-record.ts";
import type { StoredUser } from "../store/people/users.ts";
import type { Drop } from "../store/runs/drops.ts";
import { listRunChanges, listUserHistory } from "../store/runs/changes.ts";
import { worded } from "../store/runs/issues.ts";
import { changesOf } from "./erase-changes.ts";
import { rowsOf } from "./erase-reports.ts";
import { beginSearch, type PersonSearch } from "./person-search.ts";

const PAGE = 100;

export interface PersonFound {
  readonly search: PersonSearch;
  /** Runs whose plan, not applied yet, has the person. */
  readonly planning: readonly number[];
}

/** Reads the organization's changes once: from them it is known by which former values the person can be found. */
export async function findPerson(hub: Hub, stored: StoredUser): Promise<PersonFound> {
  const search = await beginSearch(hub, stored, () => Promise.resolve());
  const planning = new Set<number>();
  for (const userId of [search.userId, ...await listMerged(hub.db, search.organizationId, search.userId)]) {
    for await (const { page } of changesOf({ ...search, userId })) {
      if (!page.applied && page.runId !== null) planning.add(page.runId);
    }
  }
  return { search, planning: [...planning] };
}

/** Records that were merged into the person's, as long as that can be undone. */
export async function mergedOf({ search: { hub, organizationId, userId } }: PersonFound): Promise<Merge[]> {
  const ids = await listMerged(hub.db, organizationId, userId);
  const found = await Promise.all(ids.map((id) => findMerge(hub.db, { organizationId, id })));
  return found.filter((merge) => merge !== null);
}

/** All applied changes of the person, the latest first. */
export async function* historyOf({ search: { hub, organizationId, userId } }: PersonFound): AsyncGenerator<ChangeView> {
  for (let before: number | null = null;;) {
    const { changes, next } = await listUserHistory(hub.db, organizationId, userId, { before, limit: PAGE });
    yield* changes;
    if (next === null) return;
    before = next;
  }
}

/** Changes of the person that are planned and wait. */
export async function* plansOf({ search, planning }: PersonFound): AsyncGenerator<ChangeView> {
  const { hub: { db }, organizationId, userId } = search;
  const id = encodeId("usr", userId);
  for (const run of planning) {
    for (let after: number | null = 0; after !== null;) {
      const page: Awaited<ReturnType<typeof listRunChanges>> = await listRunChanges(db, organizationId, run, {
        after,
        limit: PAGE,
      });
      yield* page.changes.filter(({ subject, status }) => subject.id === id && status === "planned");
      after = page.next;
    }
  }
}

export interface ReportedRow {
  readonly runId: number;
  readonly line: number | null;
  /** Cells by column; null: the row only mentions the person. */
  readonly cells: Readonly<Record<string, unknown>> | null;
  readonly issues: readonly Issue[];
}

/** Rows of reports that are the person's, or that mention them. */
export async function* reportedRows({ search }: PersonFound): AsyncGenerator<ReportedRow> {
  const { hub: { db }, organizationId, traces } = search;
  const columns = new Map((await listColumns(db, organizationId)).map((each) => [each.runId, each.columns]));
  for await (const { runId, connectionId, rows } of rowsOf(search)) {
    for (const row of await worded(db, organizationId, rows.map(({ row }) => row), "row")) {
      const isTheirs = row.key === null ? traces.isFullNameIn(row) : traces.isKey(connectionId, row.key);
      const names = columns.get(runId) ?? [];
      const cells = row.cells.map((cell, place) => [names[place] ?? `column ${place + 1}`, cell] as const);
      yield {
        runId,
        line: row.line,
        cells: isTheirs ? Object.fromEntries(cells) : null,
        issues: isTheirs ? row.issues : [],
      };
    }
  }
}

export interface EventOf {
  readonly id: number;
  readonly type: string;
  readonly at: number;
  /** The parts of the event that are about the person. */
  readonly parts: readonly unknown[];
  readonly deliveries: readonly {
    readonly id: number;
    readonly endpointId: number;
    readonly status: string;
    readonly finishedAt: number | null;
  }[];
}

/** Events that name the person by id, the oldest first, with where they were sent. */
export async function* eventsOf({ search: { hub, organizationId, userId } }: PersonFound): AsyncGenerator<EventOf> {
  const id = encodeId("usr", userId);
  for await (const { event, deliveries } of readEventsOf(hub.db, { id: userId, organizationId })) {
    yield { id: event.id, type: event.type, at: event.createdAt, parts: partsAbout(event.data, id), deliveries };
  }
}

/** Changes of the person, and issues of their rows. */
function partsAbout({ changes, issues }: Record<string, unknown>, id: string): unknown[] {
  return [
    ...listIn(changes).filter((change) => (change as { subject?: { id: string } }).subject?.id === id),
    ...listIn(issues).filter((issue) => (issue as { user?: string | null }).user === id),
  ];
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Kept inputs of the connections that know the person: each may hold them. Called behind the other searches. */
export async function* dropsOf({ search }: PersonFound): AsyncGenerator<Drop> {
  const { hub: { db }, organizationId, connections } = search;
  for await (const { drop, hasContent } of readDrops(db, organizationId)) {
    if (hasContent && connections.has(drop.connectionId)) yield drop;
  }
}
