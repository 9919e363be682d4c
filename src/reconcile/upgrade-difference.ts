/**
 * What two plans of the same input make different: one by a connection's version of its connector, one by another. People
 * whom both leave the same are not in it, however much both would change them. Pure.
 */
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, sameStored } from "./image.ts";
import type { DepartmentChange, UserChange } from "./planned-change.ts";

/** A whole plan. */
export interface PlannedChanges {
  readonly users: readonly UserChange[];
  readonly departments: readonly DepartmentChange[];
}

export interface Difference extends PlannedChanges {
  /** New people of the first plan who are not in the second. */
  readonly withdrawn: number;
}

/** What the hub notes about values; it is no value of a person. */
const NOTES: ReadonlySet<ImageColumn> = new Set(["field_sources", "edited_by_hand"]);
const COMPARED = IMAGE.filter((column) => !NOTES.has(column));

/**
 * The changes from how people are after plan `before` to how they are after plan `after`. Ids of people and departments
 * that only one of the plans makes are those of `after`.
 */
export function differenceOf(before: PlannedChanges, after: PlannedChanges): Difference {
  const translate = translator(before, after);
  const was = new Map(before.users.map((change) => [nameOf(change), change]));
  const is = new Map(after.users.map((change) => [nameOf(change), change]));
  const users: UserChange[] = [];
  let withdrawn = 0;
  for (const [name, change] of is) {
    const other = was.get(name);
    const image = other === undefined ? imageBefore(change) : translate(other.after);
    if (change.before === null) {
      if (image === null || differing(image, change.after).length > 0) users.push(change);
    } else pushChange(users, change, image!, change.after);
  }
  for (const [name, change] of was) {
    if (is.has(name)) continue;
    const image = imageBefore(change);
    if (image === null) withdrawn++;
    else pushChange(users, change, translate(change.after), image);
  }
  return { users, departments: newDepartments(before, after, users), withdrawn };
}

/** A user is called by the id, and a new one by the source key. */
function nameOf({ userId, before, key }: UserChange): string {
  return before === null && key !== null ? `new ${key}` : String(userId);
}

/** The user as they are now; null: they do not exist. */
function imageBefore({ before, after }: UserChange): Image | null {
  if (before === null) return null;
  return after.map((value, i) => IMAGE[i]! in before ? before[IMAGE[i]!]! : value);
}

function differing(one: Image, other: Image): ImageColumn[] {
  return COMPARED.filter((column) => !sameStored(one[IMAGE_INDEX[column]], other[IMAGE_INDEX[column]]));
}

function pushChange(users: UserChange[], change: UserChange, from: Image, to: Image): void {
  const columns = differing(from, to);
  if (columns.length === 0) return;
  const { reason } = change;
  const status = columns.includes("status") ? to[IMAGE_INDEX.status] : null;
  const action = status === "active" ? "reactivate" : status === "inactive" ? "deactivate" : "update";
  const before = Object.fromEntries(columns.map((column) => [column, from[IMAGE_INDEX[column]]!]));
  users.push({ ...change, action, before, after: to, reason: action === change.action ? reason : null });
}

/** Gives images of the first plan the ids that the second has for the same new people and departments. */
function translator(before: PlannedChanges, after: PlannedChanges): (image: Image) => Image {
  const people = idsOf(after.users.flatMap((each) => each.before === null ? [[nameOf(each), each.userId]] : []));
  const names = idsOf(after.departments.map((each) => [each.after.folded, each.departmentId]));
  const moved = {
    manager_id: new Map(before.users.map((each) => [each.userId, people.get(nameOf(each))])),
    department_id: new Map(before.departments.map((each) => [each.departmentId, names.get(each.after.folded)])),
  };
  return (image) => {
    const translated = image.slice();
    for (const column of ["manager_id", "department_id"] as const) {
      const place = IMAGE_INDEX[column];
      translated[place] = moved[column].get(image[place] as number) ?? image[place]!;
    }
    return translated;
  };
}

function idsOf(entries: readonly (readonly (string | number)[])[]): ReadonlyMap<string, number> {
  return new Map(entries as readonly (readonly [string, number])[]);
}

/** Departments that only the second plan changes, and those that the people of the difference need. */
function newDepartments(
  before: PlannedChanges,
  after: PlannedChanges,
  users: readonly UserChange[],
): DepartmentChange[] {
  const meaning = ({ departmentId: _, ...change }: DepartmentChange) => JSON.stringify([change.action, change.after]);
  const known = new Set(before.departments.map(meaning));
  const needed = new Set(users.map((change) => change.after[IMAGE_INDEX.department_id]));
  return after.departments.filter((change) =>
    !known.has(meaning(change)) || (change.version === 0 && needed.has(change.departmentId))
  );
}
