/**
 * Looks at rows that no digest vouches for: record, values, whose they are, what would change. Each row becomes a
 * candidate; its change goes to a page, or is kept aside when it wants what somebody else holds.
 *
 * What only the whole input can tell (duplicates, managers, who gives what up) is settled afterwards (settle.ts).
 */
import { hashText } from "../intake/digest.ts";
import type { Issue, Piece, Row, Salt } from "../model/record.ts";
import {
  ACTIVE,
  addCandidate,
  ADVANCES_DEACTIVATION,
  CREATED,
  DEACTIVATED,
  FAILED,
  GIVES_EMAIL,
  GIVES_EMPLOYEE_ID,
  IDENTITY,
  MANAGER_WITHHELD,
  managerNow,
  REACTIVATED,
  setManagerNow,
  SKIPPED,
  UNCHANGED,
  UPDATED,
  WARNED,
} from "./columns/candidates.ts";
import type { Claim } from "./conflicts.ts";
import { correlate, type Found, isActive, type KnownLink, type KnownUser, tellOf } from "./correlate.ts";
import type { Draft, ManagerField } from "./draft.ts";
import { createUser, type EvaluateContext, type Evaluation, managerWithheld, updateUser } from "./evaluate.ts";
import { ACTIVE_BIT, formatDigest, HIT, LOOKED_AT, ordinalOfUser, UNSEEN } from "./columns/known.ts";
import { encodeChange } from "./columns/entry.ts";
import { IMAGE_INDEX } from "./image.ts";
import type { UserChange } from "./planned-change.ts";
import { ownText } from "./columns/own-text.ts";
import { noteStatus } from "./statuses.ts";
import { mayLackZeros, noteZeros, zerosLost } from "./zeros.ts";
import type { Validated } from "./validate.ts";
import { issueOf } from "../model/wording.ts";

/** As in Validated. */
type Key = Validated["key"];

/** A row to look at, with what its bytes and cells hash to. */
export interface Looked {
  readonly n: number;
  readonly row: Row;
  /** Four words each, in `digests` and `canonicals`. */
  readonly at: number;
  /** Bits of the mapped fields whose cells are not empty. */
  readonly filled: number;
}

export interface Digests {
  readonly digests: Int32Array;
  readonly canonicals: Int32Array;
}

/** Salt of the in-memory hashes: they never leave the process. */
export const CLAIM_SALT: Salt = new Int32Array([0x6d757374, 0x65722063, 0x6c61696d, 0x73000000]);

const hash = new Int32Array(2);
const KINDS = {
  create: CREATED,
  update: UPDATED,
  deactivate: DEACTIVATED,
  reactivate: REACTIVATED,
  unchanged: UNCHANGED,
  skipped: SKIPPED,
};

/** `again`: these rows were passed over by their digests and are now recalled. */
export async function consider(
  draft: Draft,
  looked: readonly Looked[],
  digests: Digests,
  again: boolean,
): Promise<void> {
  const { context } = draft;
  const validated: (Validated | null)[] = looked.map(({ row }) =>
    row.cells.length === row.columns.length ? context.validate(context.normalize(row)) : null
  );
  const lookedUp = await lookUp(draft, validated);
  const evaluateContext: EvaluateContext = {
    connectionId: context.connectionId,
    policy: context.policy,
    today: context.today,
    customKeys: new Set(context.customFields.map((field) => field.key)),
    outranks: context.outranks,
    department: (name) => context.departments.find(name),
  };
  for (let i = 0; i < looked.length; i++) {
    const row = looked[i]!;
    const record = validated[i]!;
    if (!again && record !== null && waitsForOther(draft, record, lookedUp)) {
      draft.postponed.add(row.n);
      continue;
    }
    const candidate = addCandidate(draft.candidates, row.n, row.row.line);
    if (record === null) {
      draft.keyUnread ??= row.row.line ?? row.n + 1;
      leaveOut(draft, candidate, FAILED, row, null, [cellCount(row.row)]);
      continue;
    }
    const settled = considerRow(draft, candidate, row, record, lookedUp, evaluateContext, digests, again);
    // Whoever is in dispute is not missing. A row that nothing is wrong with disputes nobody, looked at or passed over.
    if (!settled) { for (const user of othersOf(lookedUp.found(record))) touch(draft, user.id); }
  }
  if (draft.arrivals.isFull) await draft.arrivals.place(draft.candidates);
  await context.filler.writeFull();
  await context.writeReport();
}

/** Gives whether the row says and changes nothing that could not be passed over the next time. */
function considerRow(
  draft: Draft,
  candidate: number,
  looked: Looked,
  record: Validated,
  lookedUp: LookedUp,
  evaluateContext: EvaluateContext,
  { digests, canonicals }: Digests,
  again: boolean,
): boolean {
  const { context, candidates } = draft;
  const { values } = record;
  const found = lookedUp.found(record);
  if (record.key === null) draft.keyUnread ??= looked.row.line ?? looked.n + 1;
  else {
    claimText(draft.keys, record.key, candidate);
    if (found.link !== null) see(draft, found.link, again);
  }
  const email = textOf(values.email), employeeId = textOf(values.employee_id);
  if (employeeId !== null) noteZeros(draft, employeeId);
  if (context.policy.only_statuses !== null && typeof values.employment_status === "string") {
    noteStatus(draft, values.employment_status);
  }
  if (record.active !== false && email !== null) claimText(draft.emails, email, candidate);
  if (draft.employeeIds !== draft.keys && employeeId !== null) claimText(draft.employeeIds, employeeId, candidate);
  // Also of a row that is then rejected: it may be the duplicate of a row that was passed over.
  for (const user of othersOf(found)) recall(draft, user.id);
  if (record.key === null || record.keyFatal) {
    return leaveOut(draft, candidate, FAILED, looked, record.key, record.issues);
  }

  // Who gives the employee_id up in this very input is not whom the row is about.
  const givesUp = again && draft.postponed.has(looked.n) && found.byEmployeeId !== null &&
    givesEmployeeIdUp(draft, found.byEmployeeId.id);
  const match = correlate(values, context.key, givesUp ? { ...found, byEmployeeId: null } : found);
  const own = match.kind === "linked" || match.kind === "unlinked" ? match.user : null;
  if (match.kind === "disputed") {
    return leaveOut(draft, candidate, FAILED, looked, record.key, [
      ...record.issues,
      conflict(record, match.users, match.why),
    ]);
  }
  // Somebody who leaves needs nothing but the key.
  const leaving = record.active === false && own !== null;
  if (record.fatal && !leaving) return leaveOut(draft, candidate, FAILED, looked, record.key, record.issues);
  const issues: Issue[] = leaving && record.fatal
    ? record.issues.map((issue) => ({ ...issue, severity: "warning" }))
    : [...record.issues];

  const link = match.kind === "linked" ? match.link : null;
  const filtered = record.active === false && record.activeReason === "filtered";
  if (own === null ? record.active !== true || !context.policy.create : link === null && filtered) {
    return leaveOut(draft, candidate, SKIPPED, looked, record.key, issues);
  }
  let evaluation: Evaluation;
  if (own === null) {
    const known = employeeId === null ? undefined : lookedUp.zeros.get(employeeId);
    if (known !== undefined) {
      return leaveOut(draft, candidate, FAILED, looked, record.key, [...issues, zerosLost(employeeId!, known)]);
    }
    const missing = context.requirements(values);
    if (missing.length > 0) {
      return leaveOut(draft, candidate, FAILED, looked, record.key, [...issues, ...missing]);
    }
    evaluation = createUser(record, evaluateContext);
    for (const user of found.byEmail) {
      draft.disturbed.add(user.id);
      draft.outranked.add(user.id);
    }
  } else {
    evaluation = updateUser(record, own, link, lookedUp.activeElsewhere.has(own.id), evaluateContext);
    candidates.user[candidate] = own.id;
    setManagerNow(candidates, candidate, (own.image[IMAGE_INDEX.manager_id] as number | null) ?? 0);
    if (link === null) touch(draft, own.id);
    hash[0] = own.id | 0;
    hash[1] = Math.floor(own.id / 0x100000000);
    draft.users.claim(hash, 0, candidate);
  }
  issues.push(...evaluation.issues);
  candidates.kind[candidate] = KINDS[evaluation.action];
  noteFlags(draft, candidate, evaluation, own);
  const after = evaluation.after!;
  if (
    (employeeId !== null && after[IMAGE_INDEX.employee_id] !== employeeId) ||
    (email !== null && after[IMAGE_INDEX.email] !== email)
  ) draft.unheld.add(candidate);
  const kept = own === null ? null : emailKept(own, after, email);
  const rivals = kept === null ? [] : lookedUp.byKeptEmail(kept);
  if (kept !== null) {
    claimText(draft.emails, kept, candidate);
    for (const user of rivals) if (user.id !== own!.id) touch(draft, user.id);
  }
  const newDepartment = context.departments.placeOf(after[IMAGE_INDEX.department_id] as number);
  if (newDepartment >= 0) candidates.department[candidate] = newDepartment + 1;
  const managerSaid = noteManager(draft, candidate, record, own, link, evaluateContext);
  const said = managerSaid === null ? evaluation.said : { ...evaluation.said, manager: managerSaid };

  // Where nothing may be updated, only "none and none" is known to agree before everybody has been looked at.
  const reference = candidates.manager[candidate]!;
  const managerSettled = context.policy.update || own === null || reference === 0 ||
    (reference < 0 && managerNow(candidates, candidate) === 0);
  const settled = evaluation.settled && issues.length === 0 && said === null && managerSettled &&
    (candidates.flags[candidate]! & MANAGER_WITHHELD) === 0;
  const active = record.active ?? link?.active ?? after[IMAGE_INDEX.status] === "active";
  const digest = settled
    ? formatDigest(digests, looked.at, looked.filled | (after[IMAGE_INDEX.status] === "active" ? ACTIVE_BIT : 0))
    : null;
  const canonical = settled ? formatDigest(canonicals, looked.at, 0).slice(0, 32) : null;
  // The same person under another key: their link moves, so that a connection has one link a user.
  const moved = own !== null && link === null ? lookedUp.linkOf(own.id)?.key ?? null : null;
  const before = link?.said ?? null;
  const saidChanges = said !== before && JSON.stringify(said) !== JSON.stringify(before);
  // A change writes a link to which nothing was said: whatever was, or is, takes an entry of its own.
  const needsOwnEntry = moved !== null || said !== null || before !== null;

  if (evaluation.action !== "unchanged" && evaluation.action !== "skipped") {
    const change: UserChange = {
      action: evaluation.action,
      line: looked.row.line,
      userId: candidates.user[candidate]!,
      version: own?.version ?? 0,
      reason: evaluation.reason,
      before: evaluation.before,
      previousPage: own?.lastPage ?? null,
      key: needsOwnEntry ? null : record.key,
      digest,
      canonical,
      active,
      after,
    };
    place(draft, candidate, change, wants(candidate, change, own, found, rivals));
    if (needsOwnEntry) {
      draft.linkEntries.set(
        candidate,
        context.filler.add("links", [change.userId, record.key, null, null, active ? 1 : 0, said, moved]),
      );
    }
  } else if (
    link === null || digest !== null || link.active !== active || saidChanges ||
    moved !== null
  ) {
    const at = context.filler.add("links", [
      candidates.user[candidate],
      record.key,
      digest,
      canonical,
      active ? 1 : 0,
      said,
      moved,
    ]);
    candidates.page[candidate] = at.page;
    candidates.index[candidate] = at.index;
  }
  if (issues.length > 0) report(draft, candidate, looked, record.key, issues);
  return digest !== null && !draft.contested.has(candidate);
}

const NOBODY: readonly KnownUser[] = [];

/** Users that the record names and that are not its link's. */
function othersOf({ link, byEmployeeId, byEmail }: Found): readonly KnownUser[] {
  if (byEmployeeId === null && byEmail.length === 0) return NOBODY;
  return [byEmployeeId, ...byEmail].filter((user): user is KnownUser => user !== null && user.id !== link?.userId);
}

/**
 * A stranger with the employee_id of somebody who is linked by another key: that person's own row may stand further
 * down and give the id up, so this one is looked at when all rows have been read.
 */
function waitsForOther(draft: Draft, record: Validated, lookedUp: LookedUp): boolean {
  const { link, byEmployeeId } = lookedUp.found(record);
  if (link !== null || byEmployeeId === null || record.key === null) return false;
  const other = lookedUp.linkOf(byEmployeeId.id);
  if (other === undefined || other.key === record.key) return false;
  const ordinal = ordinalOfUser(draft.context.known, byEmployeeId.id);
  if (ordinal >= 0) draft.touched.add(ordinal);
  return true;
}

function givesEmployeeIdUp(draft: Draft, userId: number): boolean {
  const candidate = draft.releasers.get(userId);
  return candidate !== undefined && (draft.candidates.flags[candidate]! & GIVES_EMPLOYEE_ID) !== 0;
}

/** The email with which somebody becomes active again, where it is not the row's: others may have it by now. */
function emailKept(own: KnownUser, after: KnownUser["image"], said: string | null): string | null {
  const email = after[IMAGE_INDEX.email] as string | null;
  return isActive(own) || after[IMAGE_INDEX.status] !== "active" || email === said ? null : email;
}

/** Puts a change on a page, or aside while it wants what another holds. */
function place(draft: Draft, candidate: number, change: UserChange, claims: readonly Claim[]): void {
  if (claims.length > 0) {
    draft.contested.set(candidate, { change, claims });
    return;
  }
  if (change.action === "create") return draft.arrivals.add(candidate, change);
  const at = draft.context.filler.add("updates", encodeChange(change));
  draft.candidates.page[candidate] = at.page;
  draft.candidates.index[candidate] = at.index;
}

const NOTHING_WANTED: readonly Claim[] = [];

/** The email and employee_id that this change needs and another user holds. */
function wants(
  candidate: number,
  change: UserChange,
  own: KnownUser | null,
  { byEmail, byEmployeeId }: Found,
  rivals: readonly KnownUser[],
): readonly Claim[] {
  if (byEmployeeId === null && byEmail.length === 0 && rivals.length === 0) return NOTHING_WANTED;
  const claims: Claim[] = [];
  const email = change.after[IMAGE_INDEX.email] as string | null;
  if (email !== null && change.after[IMAGE_INDEX.status] === "active") {
    const holder = [...byEmail, ...rivals].find((user) =>
      user.id !== own?.id && isActive(user) && user.image[IMAGE_INDEX.email] === email
    );
    if (holder !== undefined) claims.push({ taker: candidate, holder: holder.id, field: "email", value: email });
  }
  const employeeId = change.after[IMAGE_INDEX.employee_id] as string | null;
  if (employeeId !== null && byEmployeeId !== null && byEmployeeId.id !== own?.id) {
    claims.push({ taker: candidate, holder: byEmployeeId.id, field: "employee_id", value: employeeId });
  }
  return claims;
}

interface LookedUp {
  found(record: Validated): Found;
  /** This connection's link of a user that was found without one. */
  linkOf(userId: number): KnownLink | undefined;
  /** Users with the email that somebody inactive kept, who may become active again. */
  byKeptEmail(email: string): readonly KnownUser[];
  activeElsewhere: ReadonlySet<number>;
  /** Unknown ids that somebody has with zeros in front. */
  zeros: ReadonlyMap<string, { readonly id: string; readonly user: number }>;
}

const NOTHING: Found = { link: null, linkedUser: null, byEmployeeId: null, byEmail: [], byPhone: [] };

/** Asks the database once for all rows: links, then users by every way that a record can name them. */
async function lookUp(draft: Draft, records: readonly (Validated | null)[]): Promise<LookedUp> {
  const { lookups, key, known } = draft.context;
  if (!lookups.hasUsers) {
    return {
      found: () => NOTHING,
      linkOf: () => undefined,
      byKeptEmail: () => [],
      activeElsewhere: new Set(),
      zeros: new Map(),
    };
  }
  const keys = new Set<string>(),
    employeeIds = new Set<string>(),
    emails = new Set<string>(),
    phones = new Set<string>();
  for (const record of records) {
    if (record === null) continue;
    if (record.key !== null) keys.add(record.key);
    const employeeId = textOf(record.values.employee_id), email = textOf(record.values.email);
    if (employeeId !== null) employeeIds.add(employeeId);
    if (email !== null) emails.add(email);
    if (key === "mobile_phone" && record.key !== null) phones.add(record.key);
  }
  const linkless = known.size === 0;
  const links = new Map(linkless ? [] : (await lookups.linksByKey([...keys])).map((link) => [link.key, link]));
  const byEmployeeId = new Map<string, KnownUser>(), byEmail = new Map<string, KnownUser[]>();
  const byId = new Map<number, KnownUser>();
  const note = (user: KnownUser) => {
    byId.set(user.id, user);
    const employeeId = textOf(user.image[IMAGE_INDEX.employee_id]!), email = textOf(user.image[IMAGE_INDEX.email]!);
    if (employeeId !== null) byEmployeeId.set(employeeId, user);
    if (email !== null) byEmail.set(email, [...(byEmail.get(email) ?? []), user]);
  };
  const ids = [...links.values()].map((link) => link.userId);
  if (ids.length > 0) { for (const user of await lookups.usersById(ids)) note(user); }
  // An employee id is one person's; an email may be that of others, too, who have left.
  const named = { ids, employeeIds: [...employeeIds].filter((id) => !byEmployeeId.has(id)), emails: [...emails] };
  for (const user of await lookups.usersNamed(named)) note(user);
  const byPhone = phones.size === 0 ? new Map<string, KnownUser[]>() : await lookups.usersByPhone([...phones]);
  for (const users of byPhone.values()) for (const user of users) byId.set(user.id, user);
  const linked = new Set([...links.values()].map((link) => link.userId));
  const unlinked = linkless ? [] : [...byId.keys()].filter((id) => !linked.has(id));
  const others = new Map(
    (unlinked.length === 0 ? [] : await lookups.linksOfUsers(unlinked)).map((link) => [link.userId, link]),
  );
  const unknown = [...employeeIds].filter((id) => mayLackZeros(id) && !byEmployeeId.has(id));
  const linkOfUser = new Map([...links.values()].map((link) => [link.userId, link]));
  const leaving = records.some((record) => record?.activeReason === "filtered");
  const activeElsewhere = leaving ? await lookups.activeElsewhere([...byId.keys()]) : new Set<number>();
  const found = (record: Validated): Found => {
    const link = record.key === null ? null : links.get(record.key) ?? null;
    const employeeId = textOf(record.values.employee_id), email = textOf(record.values.email);
    return {
      link,
      linkedUser: link === null ? null : byId.get(link.userId) ?? null,
      byEmployeeId: employeeId === null ? null : byEmployeeId.get(employeeId) ?? null,
      byEmail: email === null ? [] : byEmail.get(email) ?? [],
      byPhone: key === "mobile_phone" && record.key !== null ? byPhone.get(record.key) ?? [] : [],
    };
  };
  const kept = new Set(records.flatMap((record) => record?.active === true ? keptEmails(found(record)) : []));
  const byKeptEmail = new Map<string, KnownUser[]>();
  for (const user of kept.size === 0 ? [] : await lookups.usersByEmail([...kept])) {
    const email = user.image[IMAGE_INDEX.email] as string;
    byKeptEmail.set(email, [...(byKeptEmail.get(email) ?? []), user]);
  }
  return {
    found,
    byKeptEmail: (email) => byKeptEmail.get(email) ?? [],
    linkOf: (userId) => others.get(userId) ?? linkOfUser.get(userId),
    activeElsewhere,
    zeros: unknown.length === 0 ? new Map() : await lookups.withLeadingZeros(unknown),
  };
}

/** Emails of those that the record may be about and who are inactive. */
function keptEmails({ linkedUser, byEmployeeId, byEmail, byPhone }: Found): string[] {
  const users = [linkedUser, byEmployeeId, ...byEmail, ...byPhone];
  return users.flatMap((user) => user === null || isActive(user) ? [] : textOf(user.image[IMAGE_INDEX.email]) ?? []);
}

/** Marks this row's own link as seen; a row with the same link that was passed over is recalled. */
function see(draft: Draft, link: KnownLink, again: boolean): void {
  const { known, filler } = draft.context;
  // Seen is seen, even when the row is then rejected.
  if (link.missingSince !== null) filler.add("missing", [link.key, null, null]);
  const ordinal = ordinalOfUser(known, link.userId);
  if (ordinal < 0) return;
  if (known.seen[ordinal] === HIT && !again) draft.recalled.add(ordinal);
  known.seen[ordinal] = known.seen[ordinal] === HIT && !again ? HIT : LOOKED_AT;
}

/** A record came upon a user whose own row may stand elsewhere in the input: that row must be looked at too. */
function recall(draft: Draft, userId: number): void {
  const ordinal = ordinalOfUser(draft.context.known, userId);
  if (ordinal >= 0) draft.touched.add(ordinal);
}

/** The same, and the user is not missing, whether or not that row is there. */
function touch(draft: Draft, userId: number): void {
  const { known } = draft.context;
  recall(draft, userId);
  const ordinal = ordinalOfUser(known, userId);
  if (ordinal >= 0 && known.seen[ordinal] === UNSEEN) known.seen[ordinal] = LOOKED_AT;
}

function noteFlags(draft: Draft, candidate: number, evaluation: Evaluation, own: KnownUser | null): void {
  const { candidates } = draft;
  let flags = 0;
  if (evaluation.identity) flags |= IDENTITY;
  if (evaluation.advancesDeactivation) flags |= ADVANCES_DEACTIVATION;
  if (evaluation.after![IMAGE_INDEX.status] === "active") flags |= ACTIVE;
  const before = evaluation.before;
  if (own !== null && before !== null) {
    const wasActive = isActive(own);
    if (wasActive && ("email" in before || "status" in before)) flags |= GIVES_EMAIL;
    if ("employee_id" in before) flags |= GIVES_EMPLOYEE_ID;
    if ((flags & (GIVES_EMAIL | GIVES_EMPLOYEE_ID)) !== 0) draft.releasers.set(own.id, candidate);
    if ("email" in before) draft.readdressed.set(own.id, candidate);
    if ("email" in before || "employee_id" in before || "status" in before) draft.disturbed.add(own.id);
  }
  candidates.flags[candidate]! |= flags;
}

/** Remembers whom the record names as manager. Gives what is to be noted as said of, when it may not write the manager. */
function noteManager(
  draft: Draft,
  candidate: number,
  record: Validated,
  own: KnownUser | null,
  link: KnownLink | null,
  context: EvaluateContext,
): string | null {
  const { candidates, managers } = draft;
  const named: number[] = [];
  let cleared = false;
  for (const field of ["manager_key", "manager_id", "manager_email"] as const) {
    const value = record.values[field];
    if (value === null) cleared = true;
    else if (typeof value === "string") named.push(refer(managers, field, value));
  }
  if (named.length === 0 && !cleared) return null;
  candidates.manager[candidate] = named.length === 0 ? -1 : named[0]! + 1;
  if (named.length > 1) draft.secondManagers.set(candidate, named[1]!);
  if (own === null || !context.policy.update) return null;
  const withheld = managerWithheld(own, context);
  if (withheld === null) return null;
  candidates.flags[candidate]! |= MANAGER_WITHHELD;
  if (withheld === "kept") return null;
  const said = named.length === 0 ? "" : managers.values[named[0]!]!;
  draft.managersSaid.set(candidate, link?.said?.manager === said);
  return said;
}

function refer(managers: Draft["managers"], field: ManagerField, value: string): number {
  const known = managers.index[field].get(value);
  if (known !== undefined) return known;
  const own = ownText(value), index = managers.values.length;
  managers.values.push(own);
  managers.fields.push(field);
  managers.index[field].set(own, index);
  return index;
}

/** The row changes nothing; why, goes into the report where there is something to say. */
function leaveOut(
  draft: Draft,
  candidate: number,
  kind: typeof FAILED | typeof SKIPPED,
  looked: Looked,
  key: Key,
  issues: readonly Issue[],
): false {
  draft.candidates.kind[candidate] = kind;
  if (issues.length > 0) report(draft, candidate, looked, key, issues);
  return false;
}

function report(
  draft: Draft,
  candidate: number,
  { n, row }: Looked,
  key: Key,
  issues: readonly Issue[],
): void {
  if (issues.some((issue) => issue.severity === "warning")) draft.candidates.flags[candidate]! |= WARNED;
  draft.context.report({ n, line: row.line, key, origin: row.origin, cells: row.cells, issues });
}

function claimText(claims: Draft["keys"], text: string, candidate: number): void {
  hashText(text, CLAIM_SALT, hash, 0);
  claims.claim(hash, 0, candidate);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function cellCount(row: Row): Issue {
  return {
    severity: "error",
    code: "cell_count",
    field: null,
    value: null,
    message: `The row has ${row.cells.length} ${
      row.cells.length === 1 ? "cell" : "cells"
    }, the header has ${row.columns.length}`,
    suggestion: "Look for a missing or surplus delimiter, or for a delimiter in a cell without quotes",
  };
}

function conflict(record: Validated, users: readonly KnownUser[], why: Piece): Issue {
  const named = users.flatMap((user, place) => place === 0 ? [tellOf(user)] : [" and ", tellOf(user, "somebody else")]);
  return issueOf(
    { severity: "error", code: "identity_conflict", field: null, value: record.key },
    [`Cannot tell who "${record.key}" is: `, ...named, " may be meant, but ", why],
    "Correct the ids of the row, or the person's ids in the hub",
  );
}
