/**
 * Resolves the managers that rows name, once every row has been read: a manager may be in a later row, so order never
 * matters.
 *
 * A manager who is not found is reported, and the old manager stays; the reference is stored until a user fits it.
 */
import { addTo } from "../../std/add-to.ts";
import {
  anyNamesManager,
  hasFailed,
  hasUser,
  isLate,
  isMarked,
  kindOf,
  LATE,
  managerBefore,
  managerNamed,
  MARK,
  noteLate,
  setKind,
  userOf,
} from "../columns/candidates.ts";
import { createNewManagers, type NewManagers, setManager } from "../columns/new-managers.ts";
import type { Draft } from "../draft.ts";
import { emailOf, isActive, type KnownUser } from "../person.ts";
import { mayLackZeros, restoreZeros } from "../zeros.ts";
import { MANAGER_FIELDS, type ManagerField } from "./references.ts";

const LOOK_UP = 5_000;

/** The manager that each candidate gets, as its row names it. */
export async function resolveManagers(draft: Draft): Promise<NewManagers> {
  const { candidates, managers } = draft;
  const after = createNewManagers(candidates);
  if (managers.values.length === 0 && !anyNamesManager(candidates)) return after;
  const resolved = await resolveReferences(draft);
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const named = managerNamed(candidates, candidate);
    if (named === undefined || hasFailed(candidates, candidate)) continue;
    if (kindOf(candidates, candidate) === "skipped") continue;
    settleManager(draft, candidate, managerMeant(draft, candidate, named, resolved), after);
  }
  return after;
}

/** The user whom a row names as manager; null: the row takes the manager away; undefined: no user was found. */
function managerMeant(
  { candidates, managers }: Draft,
  candidate: number,
  named: number | null,
  resolved: readonly (number | undefined)[],
): number | null | undefined {
  const manager = named === null ? null : resolved[named];
  const second = managers.second.get(candidate);
  if (second === undefined) return manager;
  const other = resolved[second];
  // If the first reference finds no user, the second counts.
  if (manager === undefined) return other;
  if (other !== manager) noteLate(candidates, candidate, LATE.managersDisagree);
  return manager;
}

/** Sets the manager, or notes why the old one stays. */
function settleManager(
  { candidates, context, managers }: Draft,
  candidate: number,
  manager: number | null | undefined,
  after: NewManagers,
): void {
  const changes = manager !== undefined && manager !== managerBefore(candidates, candidate);
  const kind = kindOf(candidates, candidate);
  if (!context.policy.update && kind !== "created") {
    if (kind === "unchanged" && changes) setKind(candidates, candidate, "skipped");
  } else if (isMarked(candidates, candidate, MARK.managerWithheld)) {
    if (!changes) return;
    const reported = managers.reported.get(candidate);
    if (reported === undefined) noteLate(candidates, candidate, LATE.managerKept);
    else if (!reported) noteLate(candidates, candidate, LATE.managerConflict);
  } else if (manager === undefined) noteLate(candidates, candidate, LATE.managerUnknown);
  else if (manager !== null && manager === userOf(candidates, candidate)) {
    noteLate(candidates, candidate, LATE.managerSelf);
  } else setManager(after, candidate, manager);
}

/** For managers who were not found: a user's id with leading zeros, for the message. */
export async function noteLostZeros(draft: Draft): Promise<void> {
  const { candidates, managers } = draft;
  const unknown = new Map<number, string>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!isLate(candidates, candidate, LATE.managerUnknown)) continue;
    const reference = managerNamed(candidates, candidate)!;
    const value = managers.values[reference]!;
    if (managers.fields[reference] === "manager_id" && mayLackZeros(value)) unknown.set(candidate, value);
  }
  if (unknown.size === 0) return;
  const ids = [...new Set(unknown.values())];
  const restored = await restoreZeros(draft, ids, (id) => claimantOf(draft, "manager_id", id) !== null);
  for (const [candidate, value] of unknown) {
    const known = restored.get(value);
    if (known !== undefined) draft.details.set(candidate, [known]);
  }
}

/** The user of each reference after this plan; undefined when there is none. */
async function resolveReferences(draft: Draft): Promise<(number | undefined)[]> {
  const { managers, context } = draft;
  const users: (number | undefined)[] = [];
  const open: Record<ManagerField, number[]> = { manager_key: [], manager_id: [], manager_email: [] };
  managers.values.forEach((value, index) => {
    const field = managers.fields[index]!;
    const candidate = claimantOf(draft, field, value);
    users.push(candidate === null ? undefined : userOf(draft.candidates, candidate));
    if (candidate === null) open[field].push(index);
  });
  if (!context.lookups.hasUsers) return users;
  for (const field of MANAGER_FIELDS) {
    for (let from = 0; from < open[field].length; from += LOOK_UP) {
      const indexes = open[field].slice(from, from + LOOK_UP);
      const found = await findByReference(draft, field, indexes.map((index) => managers.values[index]!));
      for (const index of indexes) {
        const value = managers.values[index]!, leaver = leaverWith(draft, field, value);
        users[index] = found.get(value) ?? (leaver === null ? undefined : userOf(draft.candidates, leaver));
      }
    }
  }
  return users;
}

/** The candidate that this reference will find. */
export function claimantOf(draft: Draft, field: ManagerField, value: string): number | null {
  const claims = field === "manager_id" ? draft.employeeIds : field === "manager_email" ? draft.emails : draft.keys;
  return usable(draft, field, claims.owner(value));
}

/** Somebody inactive whose row brings this value. */
export function leaverWith(draft: Draft, field: ManagerField, value: string): number | null {
  if (field === "manager_key") return null;
  const { emails, employeeIds } = draft.leavers;
  return usable(draft, field, (field === "manager_id" ? employeeIds : emails).owner(value));
}

function usable(draft: Draft, field: ManagerField, candidate: number | null): number | null {
  const { candidates } = draft;
  if (candidate === null || hasFailed(candidates, candidate) || !hasUser(candidates, candidate)) return null;
  // Its row has the id or email, but its user keeps the old ones.
  return field !== "manager_key" && draft.unheld.has(candidate) ? null : candidate;
}

/** Users whom the database finds by these references, and who keep those values. */
async function findByReference(
  draft: Draft,
  field: ManagerField,
  values: readonly string[],
): Promise<Map<string, number>> {
  const { lookups } = draft.context;
  const found = new Map<string, number>();
  if (field === "manager_key") {
    for (const link of await lookups.linksByKey(values)) found.set(link.key, link.userId);
    // A link may be stored under another form of its number.
    const open = draft.context.key === "mobile_phone" ? values.filter((value) => !found.has(value)) : [];
    for (const [value, users] of open.length === 0 ? [] : await lookups.usersByPhone(open)) {
      if (users.length === 1) found.set(value, users[0]!.id);
    }
  } else if (field === "manager_id") {
    for (const [value, id] of await lookups.idsByEmployeeId(values)) {
      if (!givesUp(draft, id, field)) found.set(value, id);
    }
  } else {
    const byEmail = new Map<string, KnownUser[]>();
    for (const user of await lookups.usersByEmail(values)) {
      if (givesUp(draft, user.id, field)) continue;
      addTo(byEmail, emailOf(user.image)!, user);
    }
    for (const [value, fits] of byEmail) {
      const active = fits.filter(isActive);
      if (active.length === 1) found.set(value, active[0]!.id);
      else if (fits.length === 1) found.set(value, fits[0]!.id);
    }
  }
  return found;
}

/** Whether the user loses the value by which it is found now. A leaver keeps both values, unless the row has others. */
function givesUp({ candidates, releasers, readdressed }: Draft, userId: number, field: ManagerField): boolean {
  const candidate = (field === "manager_id" ? releasers : readdressed).get(userId);
  if (candidate === undefined || hasFailed(candidates, candidate)) return false;
  if (kindOf(candidates, candidate) === "skipped") return false;
  return field !== "manager_id" || isMarked(candidates, candidate, MARK.givesEmployeeId);
}
