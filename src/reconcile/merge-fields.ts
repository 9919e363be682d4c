/**
 * What becomes of the values of two records of one person: which the record that stays has from then on, and which are
 * lost. Values that it has stay; those that it lacks come from the other record, with the source that wrote them, so that
 * later inputs decide about them by their priorities as about any other. No I/O.
 */
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "./image.ts";
import {
  BY_HAND,
  customOf,
  editedByHand,
  fieldSourcesOf,
  isActiveImage,
  setCustom,
  setWriters,
  sourceOf,
} from "./person.ts";

export type Columns = { [column in ImageColumn]?: Stored };

/** Columns that belong together: somebody is active or has left, as one of the records says. */
const STATUS = [
  "status",
  "deactivation_date",
  "employment_status",
  "on_leave",
] as const satisfies readonly ImageColumn[];
const WRITERS: readonly ImageColumn[] = ["source_id", "field_sources", "edited_by_hand"];
const PLAIN = IMAGE.filter((column) =>
  !WRITERS.includes(column) && column !== "custom" && column !== "manager_id" &&
  !(STATUS as readonly string[]).includes(column)
);

export interface Combined {
  readonly after: Image;
  /** Visible columns that change, with their former values. */
  readonly before: Columns;
  /** Names of fields that come from the other record. */
  readonly filled: readonly string[];
  readonly lost: readonly { readonly field: string; readonly kept: unknown; readonly lost: unknown }[];
}

/** `managerId`: the manager that the record gets if it has none; null: none that it could have. */
export function combine(into: Image, other: Image, managerId: number | null): Combined {
  const draft = draftOf(into, other);
  for (const column of PLAIN) {
    const kept = into[IMAGE_INDEX[column]]!, lost = other[IMAGE_INDEX[column]]!;
    if (kept === null) fill(draft, column, nameOf(column), lost);
    else if (lost !== null && !sameStored(kept, lost)) draft.lost.push({ field: nameOf(column), kept, lost });
  }
  if (into[IMAGE_INDEX.manager_id] === null) fill(draft, "manager_id", "manager", managerId);
  combineStatus(draft, into, other);
  combineCustom(draft, into, other);
  setWriters(draft.after, draft.sources, [...draft.edited].sort());
  const before = Object.fromEntries(
    IMAGE.filter((column) =>
      !WRITERS.includes(column) && !sameStored(into[IMAGE_INDEX[column]], draft.after[IMAGE_INDEX[column]])
    )
      .map((column) => [column, into[IMAGE_INDEX[column]]!]),
  );
  return { after: draft.after, before, filled: draft.filled, lost: draft.lost };
}

interface Draft {
  readonly other: Image;
  readonly after: Image;
  readonly sources: Record<string, number>;
  readonly edited: Set<string>;
  readonly filled: string[];
  readonly lost: { field: string; kept: unknown; lost: unknown }[];
}

function draftOf(into: Image, other: Image): Draft {
  const sources = { ...fieldSourcesOf(into) };
  return { other, after: into.slice(), sources, edited: new Set(editedByHand(into)), filled: [], lost: [] };
}

function fill(draft: Draft, column: ImageColumn, field: string, value: Stored): void {
  if (value === null) return;
  draft.after[IMAGE_INDEX[column]] = value;
  takeWriter(draft, field);
}

/** The field is the other record's from now on: its source, or the hand that wrote it there. */
function takeWriter({ other, sources, edited, filled }: Draft, field: string): void {
  sources[field] = fieldSourcesOf(other)?.[field] ?? sourceOf(other) ?? BY_HAND;
  if (editedByHand(other).includes(field)) edited.add(field);
  filled.push(field);
}

/** Somebody who is active by one of the records is active, unless a hand has set the record that stays inactive. */
function combineStatus(draft: Draft, into: Image, other: Image): void {
  const isActive = isActiveImage(into);
  if (!isActive && isActiveImage(other) && !editedByHand(into).includes("status")) {
    for (const column of STATUS) {
      draft.after[IMAGE_INDEX[column]] = other[IMAGE_INDEX[column]]!;
      takeWriter(draft, column);
    }
    return;
  }
  for (const column of STATUS) {
    const kept = into[IMAGE_INDEX[column]]!, lost = other[IMAGE_INDEX[column]]!;
    if (lost !== null && !sameStored(kept, lost)) {
      draft.lost.push({ field: column, kept: shown(column, kept), lost: shown(column, lost) });
    }
  }
}

function combineCustom(draft: Draft, into: Image, other: Image): void {
  const custom = { ...customOf(into) };
  for (const [key, lost] of Object.entries(customOf(other))) {
    const kept = custom[key] ?? null;
    if (kept === null) {
      custom[key] = lost;
      takeWriter(draft, key);
    } else if (!sameStored(kept, lost)) draft.lost.push({ field: key, kept, lost });
  }
  setCustom(draft.after, custom);
}

/** As sources and the history call the column. */
export function nameOf(column: ImageColumn): string {
  return column === "department_id" ? "department_name" : column === "manager_id" ? "manager" : column;
}

function shown(column: ImageColumn, value: Stored): unknown {
  return column === "on_leave" ? value === 1 : value;
}

/** The columns as they were before a merge, where they are still as the merge left them; and the fields that are not. */
export function takeBack(
  now: Image,
  { before, after }: { readonly before: Columns; readonly after: Columns },
): { readonly after: Image; readonly before: Columns; readonly changedSince: readonly string[] } {
  const left = now.slice(), changed: Columns = {}, changedSince: string[] = [];
  const fields = new Set<string>();
  for (const column of Object.keys(before).filter((name) => !WRITERS.includes(name as ImageColumn)) as ImageColumn[]) {
    if (column === "custom") continue;
    const index = IMAGE_INDEX[column];
    if (!sameStored(now[index], after[column] ?? null)) changedSince.push(nameOf(column));
    else {
      changed[column] = now[index]!;
      left[index] = before[column]!;
      fields.add(nameOf(column));
    }
  }
  if ("custom" in before) takeBackCustom(now, left, { before, after }, changed, fields, changedSince);
  takeBackWriters(left, before, fields);
  return { after: left, before: changed, changedSince };
}

function takeBackCustom(
  now: Image,
  left: Image,
  { before, after }: { readonly before: Columns; readonly after: Columns },
  changed: Columns,
  fields: Set<string>,
  changedSince: string[],
): void {
  const was = (before.custom ?? {}) as Record<string, unknown>,
    became = (after.custom ?? {}) as Record<string, unknown>;
  const custom: Record<string, unknown> = { ...customOf(now) };
  for (const key of Object.keys(became).filter((key) => !(key in was))) {
    if (!sameStored(custom[key] ?? null, became[key])) changedSince.push(key);
    else {
      delete custom[key];
      fields.add(key);
    }
  }
  setCustom(left, custom);
  if (!sameStored(left[IMAGE_INDEX.custom], now[IMAGE_INDEX.custom])) changed.custom = now[IMAGE_INDEX.custom]!;
}

/** Who wrote the fields that are taken back is as before, too. */
function takeBackWriters(image: Image, before: Columns, fields: ReadonlySet<string>): void {
  const was = (before.field_sources ?? {}) as Record<string, number>;
  const wasEdited = (before.edited_by_hand ?? []) as readonly string[];
  const sources = { ...fieldSourcesOf(image) }, edited = new Set(editedByHand(image));
  for (const field of fields) {
    if (field in was) sources[field] = was[field]!;
    else delete sources[field];
    if (!wasEdited.includes(field)) edited.delete(field);
  }
  setWriters(image, sources, [...edited].sort());
}
