/** Departments in the order of their tree: each followed by those below it, neighbours by name. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { findDepartments, type StoredDepartment } from "./departments.ts";
import { departments } from "./schema.ts";

/** A department with how many are above it. */
export interface TreeDepartment extends StoredDepartment {
  readonly depth: number;
}

interface Place {
  readonly id: number;
  readonly depth: number;
}

/**
 * At most `limit` of those that follow the department with the id `after` (0: from the first), in the order of now. The
 * order is made here: no index has parents, and SQL would look through all departments for each of them.
 */
export async function listDepartmentTree(
  db: Database,
  organizationId: number,
  page: { after: number; limit: number },
): Promise<TreeDepartment[]> {
  const rows = await db.rows<[number, number | null]>(
    sql`select id, parent_id from ${departments} where organization_id = ${organizationId} order by folded`,
  );
  const all = inTreeOrder(rows), start = all.findIndex(({ id }) => id === page.after) + 1;
  const places = all.slice(start, start + page.limit);
  const found = await findDepartments(db, organizationId, places.map(({ id }) => id));
  return places.flatMap(({ id, depth }) => {
    const department = found.get(id);
    return department === undefined ? [] : [{ ...department, depth }];
  });
}

/** `rows`: neighbours in their order. Nobody is left out: one whose parents form a circle counts as one without a parent. */
export function inTreeOrder(rows: readonly (readonly [id: number, parentId: number | null])[]): Place[] {
  const below = new Map<number | null, number[]>(), ordered: Place[] = [], seen = new Set<number>();
  for (const [id, parentId] of rows) {
    const among = below.get(parentId);
    if (among === undefined) below.set(parentId, [id]);
    else among.push(id);
  }
  const walk = (first: readonly number[]) => {
    const waiting: Place[] = first.map((id) => ({ id, depth: 0 })).reverse();
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (seen.has(place.id)) continue;
      seen.add(place.id);
      ordered.push(place);
      const { id, depth } = place;
      for (const each of (below.get(id) ?? []).toReversed()) waiting.push({ id: each, depth: depth + 1 });
    }
  };
  walk(below.get(null) ?? []);
  for (const [id] of rows) walk([id]);
  return ordered;
}
