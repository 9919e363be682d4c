/** Looks up the users of a batch of records: one query for all of them by each way in which a record names a user. */
import { addTo } from "../std/add-to.ts";
import type { Draft, Lookups } from "./draft.ts";
import type { OtherLink } from "./elsewhere.ts";
import { phoneDigits } from "./fold.ts";
import type { Found } from "./match.ts";
import { isInternational } from "./phones.ts";
import { emailOf, employeeIdOf, isActive, type KnownLink, type KnownUser, textOf } from "./person.ts";
import type { Validated } from "./validated.ts";
import { mayLackZeros } from "./zeros.ts";

export interface LookedUp {
  found(record: Validated): Found;
  /** A user that was found, or asked for by id. */
  user(id: number): KnownUser | undefined;
  /** This connection's link of a user that was found. */
  linkOf(userId: number): KnownLink | undefined;
  /** Users with the email of an inactive user who may become active again. */
  byKeptEmail(email: string): readonly KnownUser[];
  /** Other connections' links of a user that was found. */
  othersOf(userId: number): readonly OtherLink[];
  /** Unknown ids that a user has with leading zeros. */
  readonly zeros: ReadonlyMap<string, { readonly id: string; readonly user: KnownUser }>;
}

const NO_USERS: readonly KnownUser[] = [];
const NO_OTHERS: readonly OtherLink[] = [];
const NOTHING: Found = {
  link: null,
  linkedUser: null,
  byEmployeeId: null,
  byEmail: NO_USERS,
  byPhone: NO_USERS,
  spelledAlike: NO_USERS,
};
const NOTHING_KNOWN: LookedUp = {
  found: () => NOTHING,
  user: () => undefined,
  linkOf: () => undefined,
  byKeptEmail: () => NO_USERS,
  othersOf: () => NO_OTHERS,
  zeros: new Map(),
};

/** The ways in which a batch of records names users. */
interface Names {
  readonly keys: ReadonlySet<string>;
  readonly employeeIds: ReadonlySet<string>;
  readonly emails: ReadonlySet<string>;
  readonly phones: ReadonlySet<string>;
  /**
   * The digits of those phones by their keys, where they differ: links of before the country was set, and of earlier
   * versions, are stored under the digits.
   */
  readonly digits: ReadonlyMap<string, string>;
}

/** Users by each of those ways. */
interface Index {
  readonly byId: Map<number, KnownUser>;
  readonly byEmployeeId: Map<string, KnownUser>;
  readonly byEmail: Map<string, KnownUser[]>;
  readonly byPhone: ReadonlyMap<string, readonly KnownUser[]>;
}

/** Null: a row that could not be read. `ids`: users to find besides. */
export async function lookUp(
  draft: Draft,
  records: readonly (Validated | null)[],
  ids: readonly number[],
): Promise<LookedUp> {
  const { lookups, key, known, ranks } = draft.context;
  if (!lookups.hasUsers) return NOTHING_KNOWN;
  const names = namesIn(records, key === "mobile_phone");
  const hasLinks = known.size > 0;
  const keys = [...names.keys, ...names.digits.values()];
  const links = new Map(hasLinks ? (await lookups.linksByKey(keys)).map((link) => [link.key, link]) : []);
  const linkOfUser = new Map([...links.values()].map((link) => [link.userId, link]));
  const { byId, byEmployeeId, byEmail, byPhone } = await findUsers(lookups, links, names, ids);
  const unlinked = hasLinks ? [...byId.keys()].filter((id) => !linkOfUser.has(id)) : [];
  if (unlinked.length > 0) {
    for (const link of await lookups.linksOfUsers(unlinked)) {
      linkOfUser.set(link.userId, link);
    }
  }
  const others = new Map<number, OtherLink[]>();
  if (ranks.hasOthers) {
    for (const link of await lookups.otherLinks([...byId.keys()])) addTo(others, link.userId, link);
  }
  const spelledAlike = await findSpelledAlike(draft, records, (phone) => links.has(phone));
  const found = (record: Validated): Found => {
    const link = record.key === null ? null : links.get(record.key) ?? null;
    const phone = record.key ?? "";
    const employeeId = textOf(record.values.employee_id), email = textOf(record.values.email);
    return {
      link,
      linkedUser: link === null ? null : byId.get(link.userId) ?? null,
      byEmployeeId: employeeId === null ? null : byEmployeeId.get(employeeId) ?? null,
      byEmail: email === null ? NO_USERS : byEmail.get(email) ?? NO_USERS,
      byPhone: byPhone.get(phone) ?? NO_USERS,
      spelledAlike: spelledAlike.get(phone) ?? NO_USERS,
    };
  };
  const byKeptEmail = await findByKeptEmails(lookups, records, found);
  const unknown = [...names.employeeIds].filter((id) => mayLackZeros(id) && !byEmployeeId.has(id));
  return {
    found,
    user: (id) => byId.get(id),
    byKeptEmail: (email) => byKeptEmail.get(email) ?? NO_USERS,
    linkOf: (userId) => linkOfUser.get(userId),
    othersOf: (userId) => others.get(userId) ?? NO_OTHERS,
    zeros: unknown.length === 0 ? new Map() : await findWithZeros(lookups, unknown),
  };
}

async function findWithZeros(lookups: Lookups, ids: readonly string[]): Promise<LookedUp["zeros"]> {
  const found = await lookups.withLeadingZeros(ids);
  const users = found.size === 0 ? [] : await lookups.usersById([...found.values()].map(({ user }) => user));
  const byId = new Map(users.map((user) => [user.id, user]));
  return new Map([...found].map(([lost, { id, user }]) => [lost, { id, user: byId.get(user)! }]));
}

function namesIn(records: readonly (Validated | null)[], keyIsPhone: boolean): Names {
  const keys = new Set<string>(), employeeIds = new Set<string>(), emails = new Set<string>();
  const digits = new Map<string, string>();
  for (const record of records) {
    if (record === null) continue;
    if (record.key !== null) keys.add(record.key);
    if (record.key !== null && keyIsPhone) {
      const written = phoneDigits(String(record.values.mobile_phone));
      if (written !== record.key) digits.set(record.key, written);
    }
    const employeeId = textOf(record.values.employee_id), email = textOf(record.values.email);
    if (employeeId !== null) employeeIds.add(employeeId);
    if (email !== null) emails.add(email);
  }
  return { keys, employeeIds, emails, phones: keyIsPhone ? keys : new Set(), digits };
}

async function findUsers(
  lookups: Lookups,
  links: ReadonlyMap<string, KnownLink>,
  names: Names,
  others: readonly number[],
): Promise<Index> {
  const byId = new Map<number, KnownUser>(), byEmployeeId = new Map<string, KnownUser>();
  const byEmail = new Map<string, KnownUser[]>();
  const add = (user: KnownUser) => {
    byId.set(user.id, user);
    const employeeId = textOf(employeeIdOf(user.image)), email = textOf(emailOf(user.image));
    if (employeeId !== null) byEmployeeId.set(employeeId, user);
    if (email !== null) addTo(byEmail, email, user);
  };
  const linked = [...links.values()].map((link) => link.userId);
  const ids = others.length === 0 ? linked : [...new Set([...linked, ...others])];
  if (ids.length > 0) { for (const user of await lookups.usersById(ids)) add(user); }
  // An employee id belongs to one person. An email may also belong to people who have left.
  const employeeIds = [...names.employeeIds].filter((id) => !byEmployeeId.has(id));
  for (const user of await lookups.usersNamed({ ids, employeeIds, emails: [...names.emails] })) add(user);
  const byPhone = names.phones.size === 0
    ? new Map<string, KnownUser[]>()
    : await lookups.usersByPhone([...names.phones]);
  for (const users of byPhone.values()) for (const user of users) byId.set(user.id, user);
  // The user of a link that is stored under the digits has this number, and the link will move.
  for (const [phone, digits] of names.digits) {
    const user = links.has(phone) ? undefined : byId.get(links.get(digits)?.userId ?? 0);
    if (user !== undefined) byPhone.set(phone, [user]);
  }
  return { byId, byEmployeeId, byEmail, byPhone };
}

/** Users whose phones may be those of records without a link, in another spelling: as long as no country is set. */
async function findSpelledAlike(
  { context }: Draft,
  records: readonly (Validated | null)[],
  isLinked: (phone: string) => boolean,
): Promise<ReadonlyMap<string, readonly KnownUser[]>> {
  if (context.key !== "mobile_phone" || context.phones.country !== null) return new Map();
  const open = records.flatMap((record) =>
    record === null || record.key === null || isLinked(record.key)
      ? []
      : { key: record.key, isInternational: isInternational(String(record.values.mobile_phone)) }
  );
  return open.length === 0 ? new Map() : await context.lookups.usersSpelledAlike(open);
}

async function findByKeptEmails(
  lookups: Lookups,
  records: readonly (Validated | null)[],
  found: (record: Validated) => Found,
): Promise<ReadonlyMap<string, readonly KnownUser[]>> {
  const emails = new Set(records.flatMap((record) => record?.active === true ? keptEmails(found(record)) : []));
  const byEmail = new Map<string, KnownUser[]>();
  if (emails.size === 0) return byEmail;
  for (const user of await lookups.usersByEmail([...emails])) addTo(byEmail, emailOf(user.image)!, user);
  return byEmail;
}

/** Emails of inactive users that the record may be about. */
function keptEmails({ linkedUser, byEmployeeId, byEmail, byPhone }: Found): string[] {
  const users = [linkedUser, byEmployeeId, ...byEmail, ...byPhone];
  return users.flatMap((user) => user === null || isActive(user) ? [] : textOf(emailOf(user.image)) ?? []);
}
