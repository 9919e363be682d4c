/** Members of organizations as stored: invited, found, changed, removed with their sessions. */
import { and, asc, eq, not, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { MAX_MEMBERS } from "../model/limits.ts";
import type { Role } from "../model/role.ts";
import { recordAudit } from "./audit.ts";
import { isUniqueViolation } from "./conflict.ts";
import { type Database, type Statement, writeNamed } from "./database.ts";
import { isStillClaimed, type Mail } from "./notify/mails.ts";
import { deleteLinksOf } from "./notify/run-links.ts";
import { finderIn, listerIn } from "./reads.ts";
import { isNoRoom, whileRoom } from "./room.ts";
import { organizations } from "./schema.ts";
import { members } from "./schema-members.ts";
import { addSignInLink, endLinksOf, endSessionsOf, type Owner } from "./sessions.ts";
import { isAsRead, isStored } from "./unchanged.ts";
import { deleteRows, updateVersioned } from "./writes.ts";

export type Member = typeof members.$inferSelect;

/** `id` and `invitation` are reserved by the caller. */
export type NewMember = Pick<Member, "id" | "organizationId" | "email" | "name" | "role" | "invitation">;

/** The way of an invitation to its member: statements for the batch that makes it the last one, and `when` it is. */
export type Bring = (when: SQL) => Statement;

/** Fails with `conflict` when the address is a member already, or there are MAX_MEMBERS. */
export async function createMember(
  db: Database,
  row: NewMember,
  bring: Bring,
  now: number,
  by: By,
): Promise<Member> {
  const { organizationId, email } = row;
  const taken = sql`select count(*) from ${members} where organization_id = ${organizationId}`;
  const invitedBy = { kind: by.kind, id: by.id, name: by.name };
  try {
    const { made } = await writeNamed(db, {
      made: db.orm.insert(members).values({
        ...row,
        email: whileRoom(email, { taken, most: MAX_MEMBERS }),
        invitedBy,
        createdAt: now,
        updatedAt: now,
      }).returning(),
      audit: record(db, by, "member.created", row, now),
      brought: bring(isInvited(row)),
    });
    return made[0]!;
  } catch (error) {
    throw refusalOf(error);
  }
}

export const findMember = finderIn(members);
export const listMembers = listerIn(members);

/** A member with what a mail to them says of the organization. */
export interface Membership {
  readonly member: Member;
  readonly organization: { readonly name: string; readonly timezone: string; readonly replyTo: string | null };
}

/** The memberships of an address in all organizations, by the organizations' names. */
export async function listMemberships(db: Database, email: string, limit: number): Promise<Membership[]> {
  return await selectMemberships(db).where(eq(members.email, email))
    .orderBy(asc(organizations.name), asc(organizations.id)).limit(limit);
}

export async function findMembership(db: Database, organizationId: number, id: number): Promise<Membership | null> {
  const found = await selectMemberships(db).where(and(eq(members.organizationId, organizationId), eq(members.id, id)));
  return found[0] ?? null;
}

function selectMemberships(db: Database) {
  const { name, timezone, replyTo } = organizations;
  return db.orm.select({ member: members, organization: { name, timezone, replyTo } }).from(members)
    .innerJoin(organizations, eq(organizations.id, members.organizationId)).$dynamic();
}

/**
 * Another role ends the member's sessions and the links to runs that they made. Null when `current` is no longer what is
 * stored.
 */
export async function updateMember(
  db: Database,
  current: Member,
  changes: { readonly name?: string | null; readonly role?: Role },
  now: number,
  by: By,
): Promise<Member | null> {
  const { id, organizationId, version } = current;
  const isChanged = isStored(members, { id, organizationId, version: version + 1 });
  const ends = changes.role === undefined || changes.role === current.role ? [] : [
    endSessionsOf(db, ownerOf(current), isChanged),
    deleteLinksOf(db, organizationId, id, isChanged),
  ];
  return await updateVersioned(db, members, current, { ...changes, updatedAt: now }, {
    after: [record(db, by, "member.changed", current, now), ...ends],
  });
}

/** The invitation takes the place of all earlier ones, and of links that sign in. As updateMember. */
export async function inviteAgain(
  db: Database,
  current: Member,
  { invitation, bring }: { readonly invitation: number; readonly bring: Bring },
  now: number,
  by: By,
): Promise<Member | null> {
  const invited = isInvited({ ...current, invitation });
  return await updateVersioned(db, members, current, { invitation, updatedAt: now }, {
    after: [
      record(db, by, "member.invited", current, now),
      endLinksOf(db, ownerOf(current), invited),
      bring(invited),
    ],
  });
}

/** Their sessions and links end. False when `current` is no longer what is stored. */
export async function deleteMember(db: Database, current: Member, now: number, by: By): Promise<boolean> {
  const { id, organizationId } = current;
  const isGone = not(isStored(members, { id, organizationId }));
  return await deleteRows(db, members, isAsRead(members, current, ["id", "version"]), {
    after: [
      record(db, by, "member.deleted", current, now),
      endSessionsOf(db, ownerOf(current), isGone),
      endLinksOf(db, ownerOf(current), isGone),
      deleteLinksOf(db, organizationId, id, isGone),
    ],
  });
}

/**
 * The statements that store a link to sign in, which was made for a mail: while the mail is its sender's to send, and no
 * later invitation has taken the place of the member's.
 */
export function addMailedLink(
  db: Database,
  mail: Mail,
  member: Member,
  link: { readonly hash: string; readonly expiresAt: number },
  now: number,
): Statement[] {
  const when = and(isStillClaimed(mail), isInvited(member))!;
  return [
    addSignInLink(db, { ...ownerOf(member), ...link, isDirect: false }, when),
    record(db, HUB, "member.link_made", member, now),
  ];
}

/** True in SQL while this is the member's last invitation. */
function isInvited(
  { id, organizationId, invitation }: Pick<Member, "id" | "organizationId" | "invitation">,
): SQL {
  return isStored(members, { id, organizationId, invitation });
}

function ownerOf({ id, organizationId }: Pick<Member, "id" | "organizationId">): Owner {
  return { organizationId, tokenId: null, memberId: id };
}

/** The statement that records an action on a member, as recordAudit does. */
function record(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId }: Pick<Member, "id" | "organizationId">,
  now: number,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [encodeId("mem", id)] }, now);
}

function refusalOf(error: unknown): unknown {
  if (isUniqueViolation(error, "members.")) {
    return new Fault("conflict", "The address belongs to a member already; invite them again, or change their role", {
      cause: error,
    });
  }
  if (!isNoRoom(error, "members.email")) return error;
  return new Fault("conflict", `The organization has ${MAX_MEMBERS} members, the maximum; remove one of them first`, {
    cause: error,
  });
}
