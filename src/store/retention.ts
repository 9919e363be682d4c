/**
 * The retention of organizations as stored: what its daily pass has decided, and what is left of it to do. The process
 * that moves an organization's pass on has done it; all others find it moved.
 */
import { isNotNull, sql } from "drizzle-orm";
import type { AuditAction, By } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { leaversDueAt } from "../model/retention.ts";
import { recordAudit } from "./audit.ts";
import { type Database, type Statement, writeNamed } from "./database.ts";
import type { Organization } from "./organizations.ts";
import { countOf, type Leaving } from "./people/leavers.ts";
import { organizations } from "./schema.ts";
import { isAsRead, unchanged } from "./unchanged.ts";

/** Organizations with a retention, the oldest first. */
export async function listRetaining(db: Database): Promise<Organization[]> {
  return await db.orm.select().from(organizations).where(isNotNull(organizations.retention)).orderBy(organizations.id);
}

/** What changes with each decision. */
const STATE = ["id", "version", "retentionAt", "retentionHeld", "erasingUntil", "historyUntil"] as const;

/** True in SQL while nothing about the retention was decided or changed since the organization was read. */
export function isRetentionAsRead(organization: Organization) {
  return unchanged(organizations, organization, STATE);
}

export interface Decision {
  /** When the pass was. */
  readonly retentionAt?: number;
  readonly retentionHeld?: number | null;
  readonly erasingUntil?: number | null;
  readonly historyUntil?: number | null;
  readonly historyLeft?: boolean;
}

/** Writes a decision with an entry in the audit for each action. False: somebody else was faster; nothing is written. */
export async function writeDecision(
  db: Database,
  organization: Organization,
  decision: Decision,
  { by, now, actions = [], also = [] }: {
    readonly by: By;
    readonly now: number;
    readonly actions?: readonly AuditAction[];
    /** Statements that do nothing unless isRetentionAsRead. */
    readonly also?: readonly Statement[];
  },
): Promise<boolean> {
  const { id } = organization;
  const note = { organizationId: id, subjects: [encodeId("org", id)] };
  const still = isRetentionAsRead(organization);
  // What readers of the organization are shown has changed.
  const isShown = decision.retentionHeld !== undefined && decision.retentionHeld !== organization.retentionHeld;
  const { changed } = await writeNamed(db, {
    also,
    audit: actions.map((action) => recordAudit(db, by, { ...note, action }, now, still)),
    changed: db.orm.update(organizations).set({
      ...decision,
      ...(isShown ? { version: organization.version + 1 } : {}),
    })
      .where(isAsRead(organizations, organization, STATE)).returning({ id: organizations.id }),
  });
  return changed.length > 0;
}

/** Whom the last pass held back: those who were due then, and who are not being erased already. Null: it held nobody. */
export function heldOf({ id, retention, retentionAt, retentionHeld, erasingUntil }: Organization): Leaving | null {
  if (retention === null || retentionAt === null || retentionHeld === null) return null;
  const until = leaversDueAt(retention, retentionAt);
  return until === null ? null : { organizationId: id, until, after: erasingUntil };
}

/** Lets those be erased whom the last pass held back. False: they are not `count` people, or something was decided since. */
export async function approveHeld(
  db: Database,
  organization: Organization,
  held: Leaving,
  count: number,
  { by, now }: { readonly by: By; readonly now: number },
): Promise<boolean> {
  const { id } = organization;
  const note = { organizationId: id, action: "retention.approved", subjects: [encodeId("org", id)] } as const;
  const isTrue = sql`${isAsRead(organizations, organization, STATE)} and ${countOf(held)} = ${count}`;
  const { changed } = await writeNamed(db, {
    changed: db.orm.update(organizations)
      .set({ retentionHeld: null, erasingUntil: held.until, version: organization.version + 1 })
      .where(isTrue).returning({ id: organizations.id }),
    audit: recordAudit(db, by, note, now),
  });
  return changed.length > 0;
}
