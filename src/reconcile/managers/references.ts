/** Managers as records name them: noted while rows are read, resolved once all have been. Pure. */
import { type Candidates, MARK, mark, nameManager, nameNoManager } from "../columns/candidates.ts";
import { ownText } from "../columns/own-text.ts";
import type { DecideContext } from "../decide/revision.ts";
import { managerWithheld } from "../decide/fields.ts";
import type { Elsewhere } from "../elsewhere.ts";
import type { KnownLink, KnownUser } from "../person.ts";
import type { Values } from "../validated.ts";

/** In order of priority. */
export const MANAGER_FIELDS = ["manager_key", "manager_id", "manager_email"] as const;
export type ManagerField = (typeof MANAGER_FIELDS)[number];

/** Managers as records name them, each once: `values[i]` is an id, email or key, as `fields[i]` says. */
export interface ManagerReferences {
  readonly fields: ManagerField[];
  readonly values: string[];
  /** Index in these lists, by field and value. */
  readonly index: Readonly<Record<ManagerField, Map<string, number>>>;
  /** Candidate → its second reference, where a record names its manager twice. */
  readonly second: Map<number, number>;
  /** Candidate whose manager another connection keeps → whether that was reported of this manager before. */
  readonly reported: Map<number, boolean>;
}

export function createManagerReferences(): ManagerReferences {
  return {
    fields: [],
    values: [],
    index: { manager_key: new Map(), manager_id: new Map(), manager_email: new Map() },
    second: new Map(),
    reported: new Map(),
  };
}

/** Notes the manager that the values name; returns false when they leave the manager alone. */
export function noteManager(
  managers: ManagerReferences,
  candidates: Candidates,
  candidate: number,
  values: Values,
): boolean {
  let first: number | null = null, cleared = false;
  for (const field of MANAGER_FIELDS) {
    const value = values[field];
    if (value === null) cleared = true;
    else if (typeof value === "string") {
      const reference = refer(managers, field, value);
      if (first === null) first = reference;
      else if (!managers.second.has(candidate)) managers.second.set(candidate, reference);
    }
  }
  if (first !== null) nameManager(candidates, candidate, first);
  else if (cleared) nameNoManager(candidates, candidate);
  return first !== null || cleared;
}

/**
 * Marks the candidate if this connection may not write its user's manager. Returns the manager to note as withheld, if
 * another connection has priority.
 */
export function withholdManager(
  managers: ManagerReferences,
  candidates: Candidates,
  candidate: number,
  own: KnownUser,
  link: KnownLink | null,
  values: Values,
  elsewhere: Elsewhere,
  context: DecideContext,
): string | null {
  if (!context.policy.update) return null;
  const why = managerWithheld(own, elsewhere, context);
  if (why === null) return null;
  mark(candidates, candidate, MARK.managerWithheld);
  if (why === "kept") return null;
  const named = managerIn(values)?.value ?? "";
  managers.reported.set(candidate, link?.withheld?.manager === named);
  return named;
}

/** The named manager with the highest priority. */
export function managerIn(values: Values): { readonly field: ManagerField; readonly value: string } | null {
  for (const field of MANAGER_FIELDS) {
    const value = values[field];
    if (typeof value === "string") return { field, value };
  }
  return null;
}

function refer(managers: ManagerReferences, field: ManagerField, value: string): number {
  const known = managers.index[field].get(value);
  if (known !== undefined) return known;
  const own = ownText(value), index = managers.values.length;
  managers.values.push(own);
  managers.fields.push(field);
  managers.index[field].set(own, index);
  return index;
}
