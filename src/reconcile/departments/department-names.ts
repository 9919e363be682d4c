/**
 * Departments as user rows name them: known ones by folded name, new ones planned as they come up. Pure.
 */
import { foldName } from "../fold.ts";
import { ownText } from "../columns/own-text.ts";
import type { DepartmentChange, DepartmentImage } from "../planned-change.ts";

export interface KnownDepartment {
  readonly id: number;
  readonly version: number;
  readonly lastPage: number | null;
  readonly image: DepartmentImage;
}

export interface DepartmentDraft {
  /** Active departments before this input. */
  readonly active: number;
  /** A department's number by the name in a cell; an unknown name gets a place among the new departments. */
  find(name: string): { readonly id: number; readonly active: boolean };
  /** The name of a department that was known before this input; null: there is none with this number. */
  nameOf(id: number): string | null;
  /** Place among the new departments, by number; null: the department is not new. */
  placeOf(id: number): number | null;
  /** The new departments whose places are in `used`, as changes. */
  changes(used: ReadonlySet<number>): DepartmentChange[];
}

/** `firstId`: numbers for new departments are taken from here on, as many as needed. */
export function createDepartmentDraft(
  departments: readonly KnownDepartment[],
  newId: () => number,
): DepartmentDraft {
  const byFolded = new Map(departments.map((d) => [d.image.folded, { id: d.id, active: d.image.active === 1 }]));
  const names = new Map(departments.map(({ id, image }) => [id, image.name]));
  const byName = new Map<string, { id: number; active: boolean }>();
  const created: { id: number; folded: string; name: string }[] = [];
  const places = new Map<number, number>();
  return {
    active: countActive(departments),
    find(name) {
      let found = byName.get(name);
      if (found !== undefined) return found;
      const folded = foldName(name);
      found = byFolded.get(folded);
      if (found === undefined) {
        found = { id: newId(), active: true };
        byFolded.set(ownText(folded), found);
        places.set(found.id, created.length);
        created.push({ id: found.id, folded, name: ownText(name) });
      } else {
        const place = places.get(found.id);
        // The alphabetically first spelling, so that the order of rows does not matter.
        if (place !== undefined && name < created[place]!.name) created[place]!.name = ownText(name);
      }
      if (byName.size < MAX_NAMES) byName.set(ownText(name), found);
      return found;
    },
    nameOf: (id) => names.get(id) ?? null,
    placeOf: (id) => places.get(id) ?? null,
    changes: (used) =>
      created.filter((_, place) => used.has(place)).map(({ id, folded, name }) => ({
        action: "create",
        line: null,
        departmentId: id,
        version: 0,
        reason: "named by a person",
        before: null,
        previousPage: null,
        after: { name, folded, parent_id: null, external_id: null, active: 1, closing: 0 },
      })),
  };
}

export function countActive(departments: readonly KnownDepartment[]): number {
  return departments.filter(({ image }) => image.active === 1).length;
}

/** Spellings remembered; more are folded anew. */
const MAX_NAMES = 100_000;
