/**
 * One record against one user: what would change, and what is withheld. Pure.
 *
 * Managers are not decided here: they may stand in a later row, so they are resolved after all users (managers.ts).
 */
import { type Issue, USER_FIELDS } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { phoneDigits } from "./fold.ts";
import type { ChangeAction } from "../model/change.ts";
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "./image.ts";
import { isActive, type KnownLink, type KnownUser } from "./correlate.ts";
import type { ResolvedPolicy } from "../model/policy.ts";
import type { Validated } from "./validate.ts";

export interface EvaluateContext {
  readonly connectionId: number;
  readonly policy: ResolvedPolicy;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  /** Keys of the organization's custom fields. */
  readonly customKeys: ReadonlySet<string>;
  /** Whether that other connection's word counts more than this one's. */
  readonly outranks: (connectionId: number) => boolean;
  /** A department's id by name; plans it when it is new; null with a warning when it is inactive. */
  readonly department: (name: string) => { readonly id: number; readonly active: boolean };
}

export interface Evaluation {
  readonly action: ChangeAction | "unchanged" | "skipped";
  readonly reason: string | null;
  /** The user as it will be; null when there is none. */
  readonly after: Image | null;
  readonly before: Partial<Record<ImageColumn, Stored>> | null;
  /** Warnings that come of comparing with the user. */
  readonly issues: readonly Issue[];
  /** The same record against the resulting user would again change nothing and say nothing. */
  readonly settled: boolean;
  /** An existing user's email or employee_id changes. */
  readonly identity: boolean;
  /** The user gains a deactivation_date, or an earlier one. */
  readonly advancesDeactivation: boolean;
  /** `field`s of link.said as they will be. */
  readonly said: Record<string, string> | null;
}

const NONE: readonly Issue[] = [];
const MANAGER_FIELDS = new Set(["manager_id", "manager_email", "manager_key"]);
/** Fields whose values are stored as they are, with their columns' places. */
const PLACES: ReadonlyMap<string, number> = new Map(
  USER_FIELDS.filter((field) => field in IMAGE_INDEX && !MANAGER_FIELDS.has(field) && field !== "source_id")
    .map((field) => [field, IMAGE_INDEX[field as ImageColumn]]),
);
/** Nobody yet. */
const EMPTY: Image = IMAGE.map(() => null);

export function createUser(record: Validated, context: EvaluateContext): Evaluation {
  const after = EMPTY.slice();
  const issues: Issue[] = [];
  after[IMAGE_INDEX.on_leave] = 0;
  after[IMAGE_INDEX.status] = "active";
  after[IMAGE_INDEX.source_id] = context.connectionId;
  for (const field in record.values) {
    const value = record.values[field];
    if (value === undefined || value === null) continue;
    const place = PLACES.get(field);
    if (place !== undefined) after[place] = storedOf(value);
    else if (field === "department_name") {
      const department = context.department(value as string);
      if (department.active) after[IMAGE_INDEX.department_id] = department.id;
      else issues.push(departmentInactive(value as string));
    } else if (context.customKeys.has(field)) {
      const custom = (after[IMAGE_INDEX.custom] ??= {}) as Record<string, unknown>;
      custom[field] = value;
    }
  }
  return {
    action: "create",
    reason: null,
    after,
    before: null,
    issues: issues.length === 0 ? NONE : issues,
    settled: issues.length === 0 && !record.deactivationFuture,
    identity: false,
    advancesDeactivation: false,
    said: null,
  };
}

/** `otherActive`: another connection's last record says that this person is active. */
export function updateUser(
  record: Validated,
  user: KnownUser,
  link: KnownLink | null,
  otherActive: boolean,
  context: EvaluateContext,
): Evaluation {
  const after = user.image.slice();
  const issues: Issue[] = [];
  const editedBefore = (user.image[IMAGE_INDEX.edited_by_hand] as string[] | null) ?? [];
  const sourcesBefore = user.image[IMAGE_INDEX.field_sources] as Record<string, number> | null;
  let edited = new Set(editedBefore);
  let sources = { ...sourcesBefore };
  const said: Record<string, string> = {};
  let settled = !record.deactivationFuture;
  let wrote = false;

  /** True when the field may not be written by this connection; says so. */
  function withheld(field: string, value: unknown, current: Stored): boolean {
    if (edited.has(field) && context.policy.manual_edits === "keep") {
      issues.push(keptByHand(field, value));
      settled = false;
      return true;
    }
    const owner = sources[field] ?? (current === null ? null : user.image[IMAGE_INDEX.source_id] as number | null);
    if (owner !== null && owner !== 0 && owner !== context.connectionId && context.outranks(owner)) {
      said[field] = textOf(value);
      if (link?.said?.[field] !== said[field]) issues.push(sourceConflict(user.id, field, value, current));
      settled = false;
      return true;
    }
    return false;
  }

  function wrotes(field: string): void {
    if (user.image[IMAGE_INDEX.source_id] === context.connectionId) delete sources[field];
    else sources[field] = context.connectionId;
    edited.delete(field);
    wrote = true;
  }

  for (const field in record.values) {
    const value = record.values[field];
    if (value === undefined || MANAGER_FIELDS.has(field) || field === "source_id") continue;
    if (field === "department_name") {
      const current = user.image[IMAGE_INDEX.department_id] as number | null;
      const department = value === null ? null : context.department(value as string);
      const id = department?.id ?? null;
      if (id === current) continue;
      if (department !== null && !department.active) {
        issues.push(departmentInactive(value as string));
        settled = false;
      } else if (!withheld(field, value, current)) {
        after[IMAGE_INDEX.department_id] = id;
        wrotes(field);
      }
    } else if (context.customKeys.has(field)) {
      const custom = (after[IMAGE_INDEX.custom] ?? {}) as Record<string, unknown>;
      if (sameStored(custom[field] ?? null, value) || withheld(field, value, (custom[field] ?? null) as Stored)) {
        continue;
      }
      const { [field]: _, ...rest } = custom;
      const changed = value === null ? rest : { ...rest, [field]: value };
      after[IMAGE_INDEX.custom] = Object.keys(changed).length === 0 ? null : changed;
      wrotes(field);
    } else {
      const column = field as ImageColumn;
      const index = IMAGE_INDEX[column];
      if (index === undefined) continue;
      const stored = column === "on_leave" ? (value === true ? 1 : 0) : storedOf(value);
      const current = user.image[index]!;
      if (column === "phone" || column === "mobile_phone" ? samePhone(stored, current) : stored === current) continue;
      if (withheld(field, value, current)) continue;
      after[index] = stored;
      wrotes(field);
    }
  }
  if (wrote && !context.policy.update) {
    for (let i = 0; i < after.length; i++) after[i] = user.image[i]!;
    edited = new Set(editedBefore);
    sources = { ...sourcesBefore };
    settled = false;
  }

  const was = isActive(user);
  let action: Evaluation["action"] = "unchanged";
  let reason: string | null = null;
  const want = record.active ?? was;
  const switchedOff = want !== was && !(want ? context.policy.reactivate : context.policy.deactivate);
  if (want !== was) {
    const otherwiseSettled = settled;
    settled = false;
    const owner = sources.status ?? user.image[IMAGE_INDEX.source_id] as number | null;
    if (edited.has("status") && (link === null || link.active === want)) {
      issues.push(statusKept(want));
    } else if (
      owner !== null && owner !== 0 && owner !== context.connectionId && context.outranks(owner)
    ) {
      said.status = String(want);
      if (link?.said?.status !== said.status) {
        issues.push(sourceConflict(user.id, "status", want ? "active" : "inactive", was ? "active" : "inactive"));
      }
    } else if (!want && record.activeReason === "filtered" && otherActive) {
      said.status = "filtered";
      if (link?.said?.status !== said.status) issues.push(activeElsewhere());
    } else if (!want && context.policy.protected.has(user.id)) {
      issues.push(protectedUser());
    } else if (!switchedOff) {
      action = want ? "reactivate" : "deactivate";
      reason = want ? null : record.activeReason === "is_active" ? null : record.activeReason;
      after[IMAGE_INDEX.status] = want ? "active" : "inactive";
      wrotes("status");
      settled = otherwiseSettled;
      const date = after[IMAGE_INDEX.deactivation_date];
      // A date that has passed would take the person out again tomorrow.
      if (want && typeof date === "string" && date <= context.today) after[IMAGE_INDEX.deactivation_date] = null;
    }
  }

  const before: Partial<Record<ImageColumn, Stored>> = {};
  let changed = false;
  for (const column of IMAGE) {
    const index = IMAGE_INDEX[column];
    if (column === "field_sources" || column === "edited_by_hand") continue;
    if (!sameStored(after[index], user.image[index])) {
      before[column] = user.image[index]!;
      changed = true;
    }
  }
  if (changed) {
    if (!wrote || context.policy.update || action !== "unchanged") {
      after[IMAGE_INDEX.field_sources] = Object.keys(sources).length === 0 ? null : sources;
      after[IMAGE_INDEX.edited_by_hand] = edited.size === 0 ? null : [...edited].sort();
    }
    if (action === "unchanged") action = "update";
  } else if ((wrote && !context.policy.update) || switchedOff) {
    action = "skipped";
  }
  const dateBefore = user.image[IMAGE_INDEX.deactivation_date] as string | null;
  const dateAfter = after[IMAGE_INDEX.deactivation_date] as string | null;
  return {
    action,
    reason,
    after,
    before: changed ? before : null,
    issues: issues.length === 0 ? NONE : issues,
    settled: settled && issues.length === 0,
    identity: ("email" in before && before.email !== null) || ("employee_id" in before && before.employee_id !== null),
    advancesDeactivation: was && action !== "deactivate" && dateAfter !== null &&
      (dateBefore === null || dateAfter < dateBefore),
    said: Object.keys(said).length === 0 ? null : said,
  };
}

/** Why this connection may not write the user's manager, or null when it may. */
export function managerWithheld(user: KnownUser, context: EvaluateContext): "kept" | "outranked" | null {
  const edited = user.image[IMAGE_INDEX.edited_by_hand] as string[] | null;
  if (edited?.includes("manager") && context.policy.manual_edits === "keep") return "kept";
  const sources = user.image[IMAGE_INDEX.field_sources] as Record<string, number> | null;
  const current = user.image[IMAGE_INDEX.manager_id];
  const owner = sources?.manager ?? (current === null ? null : user.image[IMAGE_INDEX.source_id] as number | null);
  return owner !== null && owner !== 0 && owner !== context.connectionId && context.outranks(owner)
    ? "outranked"
    : null;
}

export function sameStored(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameStored(item, b[i]));
  }
  const left = a as Record<string, unknown>, right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && sameStored(left[key], right[key]));
}

function samePhone(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === "string" && typeof b === "string" && phoneDigits(a) === phoneDigits(b);
}

function storedOf(value: unknown): Stored {
  return typeof value === "boolean" ? (value ? 1 : 0) : value as Stored;
}

function textOf(value: unknown): string {
  return value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

function departmentInactive(name: string): Issue {
  return {
    severity: "warning",
    code: "department_inactive",
    field: "department_name",
    value: name,
    message: `Department "${name}" is inactive: the person's department was left as it was`,
    suggestion: "Name an active department, or activate this one",
  };
}

function keptByHand(field: string, value: unknown): Issue {
  return {
    severity: "warning",
    code: "field_kept",
    field,
    value: textOf(value),
    message: `"${field}" was edited by hand and is kept; the value "${textOf(value)}" was not taken`,
    suggestion: "Release the field on the user, or send the edited value",
  };
}

function sourceConflict(user: number, field: string, value: unknown, current: unknown): Issue {
  return issueOf(
    { severity: "warning", code: "source_conflict", field, value: textOf(value) },
    [
      `"${field}" belongs to a connection of higher priority`,
      { user, is: `, which says "${textOf(current)}"`, otherwise: "" },
      `; "${textOf(value)}" was not taken`,
    ],
    "Correct the value in either source, or change the connections' priority",
  );
}

function statusKept(want: boolean): Issue {
  return {
    severity: "warning",
    code: "status_kept_by_hand",
    field: "is_active",
    value: want ? "active" : "inactive",
    message: `The status was set by hand and is kept until the source's own status changes; the source says "${
      want ? "active" : "inactive"
    }"`,
    suggestion: "Change the status by hand if the source is right",
  };
}

function activeElsewhere(): Issue {
  return {
    severity: "warning",
    code: "active_elsewhere",
    field: "employment_status",
    value: null,
    message: "The status is not one to import, but another connection says that this person is active, so they stay",
    suggestion: "Check which source is right, and take the person out of the other one if they have left",
  };
}

function protectedUser(): Issue {
  return {
    severity: "warning",
    code: "protected_user",
    field: "is_active",
    value: null,
    message: "This person is protected and is not deactivated by a run",
    suggestion: "Deactivate by hand, or take the person off the connection's protected list",
  };
}
