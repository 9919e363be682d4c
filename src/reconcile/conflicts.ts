/**
 * Which rows of a batch would make their user somebody else. They are refused until a person says who is meant: the same
 * person, or somebody new.
 */
import { contradictionOf, type FoundBy } from "./contradiction.ts";
import type { Issue } from "../model/record.ts";
import type { Draft } from "./draft.ts";
import { IMAGE_INDEX } from "./image.ts";
import type { LookedUp } from "./look-up.ts";
import { contradicted, perhapsReKeyed } from "./issues/people.ts";
import { linkedBy, type Match } from "./match.ts";
import { type KnownUser, textOf } from "./person.ts";
import { onlyLeaving, type Validated } from "./validated.ts";

export type FoundUser = Extract<Match, { user: KnownUser }>;

/** What differs between the record and the user of the match; null: nothing that contradicts. */
export type Conflicts = (record: Validated, match: Match) => readonly string[] | null;

export async function findConflicts(
  draft: Draft,
  records: readonly (Validated | null)[],
  lookedUp: LookedUp,
): Promise<Conflicts> {
  const shared = await sharedPhones(draft, records, lookedUp);
  return (record, match) => {
    if (match.kind !== "linked" && match.kind !== "unlinked") return null;
    const phone = phoneOf(draft, record, match.user);
    return contradictionOf(
      record.values,
      match.user,
      foundBy(draft, record, match),
      phone !== null && !shared.has(phone),
    );
  };
}

/** Phones of the batch that agree with their users', where somebody else has them as well. */
async function sharedPhones(
  draft: Draft,
  records: readonly (Validated | null)[],
  lookedUp: LookedUp,
): Promise<ReadonlySet<string>> {
  const asked = new Set<string>();
  for (const record of records) {
    if (record === null) continue;
    for (const match of whoMayBeMeant(draft, record, lookedUp)) {
      const phone = phoneOf(draft, record, match.user), by = foundBy(draft, record, match);
      if (phone !== null && contradictionOf(record.values, match.user, by, false) !== null) asked.add(phone);
    }
  }
  if (asked.size === 0) return asked;
  const owners = await draft.context.lookups.usersByPhone([...asked]);
  return new Set([...asked].filter((phone) => (owners.get(phone)?.length ?? 0) > 1));
}

/** The user of the record's link, and others who have its employee_id or address. */
function whoMayBeMeant({ context }: Draft, record: Validated, lookedUp: LookedUp): FoundUser[] {
  const found = lookedUp.found(record), linked = linkedBy(record.values, context.key, found);
  const others = found.byEmployeeId === null ? found.byEmail : [found.byEmployeeId, ...found.byEmail];
  const unlinked = others.filter(({ id }) => id !== linked?.user.id).map((user) =>
    ({ kind: "unlinked", user }) as const
  );
  return linked === null ? unlinked : [linked, ...unlinked];
}

/**
 * The record as it is to be planned, and why it must not be. Of an inactive row without an address, nothing but the leaving
 * is taken, so it contradicts nobody.
 */
export function resolveConflict(
  draft: Draft,
  record: Validated,
  match: Match,
  conflicts: Conflicts,
): { readonly record: Validated; readonly conflict: Issue | null } {
  const { key, values } = record, { identities } = draft.context;
  const doubt = match.kind === "unlinked" ? match.doubt : undefined;
  const differs = key === null || record.keyFatal ? null : conflicts(record, match);
  if (differs === null && doubt === undefined) return { record, conflict: null };
  if (record.active === false && textOf(values.email) === null) {
    return { record: onlyLeaving(record), conflict: null };
  }
  const { user } = match as FoundUser;
  if (identities.isAccepted(user.id, record)) return { record, conflict: null };
  draft.conflicts++;
  if (identities.areAllAccepted) return { record, conflict: null };
  const conflict = doubt === undefined
    ? contradicted(key!, values, user, differs!)
    : perhapsReKeyed(draft.context.key, key!, user, doubt);
  const { field } = foundBy(draft, record, match as FoundUser);
  return {
    record,
    conflict: { ...conflict, conflict: { user: user.id, field, fingerprint: identities.fingerprint(record) } },
  };
}

/** The mobile phone, in its comparable form, that record and user both give; null: they do not. */
function phoneOf({ context: { phones } }: Draft, { values }: Validated, { image }: KnownUser): string | null {
  const given = textOf(values.mobile_phone), kept = textOf(image[IMAGE_INDEX.mobile_phone]);
  if (given === null || kept === null) return null;
  const phone = phones.fold(given);
  return phone === phones.fold(kept) ? phone : null;
}

export function foundBy(draft: Draft, record: Validated, match: FoundUser): FoundBy {
  const { context } = draft, { values } = record;
  // Such a person has to give up nothing but the link.
  if (match.kind === "unlinked" && match.doubt === "names") return { field: "source_id", link: null };
  if (match.kind === "linked") return { field: context.key, link: match.link };
  const byId = textOf(values.employee_id) !== null && match.user.image[IMAGE_INDEX.employee_id] === values.employee_id;
  const byPhone = context.key === "mobile_phone" && phoneOf(draft, record, match.user) !== null;
  return { field: byId ? "employee_id" : byPhone ? "mobile_phone" : "email", link: null };
}
