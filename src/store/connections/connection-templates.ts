/** Templates of connections as stored. They belong to the hub: what is done to them is in the audit of `default`. */
import { asc, gt, inArray } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "../audit.ts";
import { isUniqueViolation } from "../conflict.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { findRow } from "../reads.ts";
import { reserve } from "../sequences.ts";
import { isAsRead } from "../unchanged.ts";
import { deleteRows, updateVersioned } from "../writes.ts";
import { connectionTemplates, templateUses } from "./schema-templates.ts";

export type ConnectionTemplate = typeof connectionTemplates.$inferSelect;

/** What an operator sets. */
export type TemplateInput = Omit<ConnectionTemplate, "id" | "version" | "createdAt" | "updatedAt">;

/** Fails with `conflict` when the name is taken. */
export async function createTemplate(
  db: Database,
  input: TemplateInput,
  now: number,
  by: By = HUB,
): Promise<ConnectionTemplate> {
  const id = await reserve(db, "template");
  try {
    const { made } = await writeNamed(db, {
      made: db.orm.insert(connectionTemplates).values({ ...input, id, createdAt: now, updatedAt: now }).returning(),
      audit: recordTemplate(db, by, "connection_template.created", id, now),
    });
    return made[0]!;
  } catch (error) {
    throw nameTaken(error, input.name);
  }
}

export async function findTemplate(db: Database, id: number): Promise<ConnectionTemplate | null> {
  return await findRow(db, connectionTemplates, { id });
}

/** Oldest first; at most `limit` of those after id `after`. */
export async function listTemplates(
  db: Database,
  page: { after: number; limit: number },
): Promise<ConnectionTemplate[]> {
  return await db.orm.select().from(connectionTemplates).where(gt(connectionTemplates.id, page.after))
    .orderBy(asc(connectionTemplates.id)).limit(page.limit);
}

/** No connection changes. Null when `current` is no longer what is stored; fails with `conflict` when the name is taken. */
export async function updateTemplate(
  db: Database,
  current: ConnectionTemplate,
  changes: Partial<Omit<TemplateInput, "connector">>,
  now: number,
  by: By = HUB,
): Promise<ConnectionTemplate | null> {
  try {
    return await updateVersioned(db, connectionTemplates, current, { ...changes, updatedAt: now }, {
      after: [recordTemplate(db, by, "connection_template.changed", current.id, now)],
    });
  } catch (error) {
    throw nameTaken(error, changes.name);
  }
}

/** Its connections stay as they are, and follow no template. False when `current` is no longer what is stored. */
export async function deleteTemplate(
  db: Database,
  current: ConnectionTemplate,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const isCurrent = isAsRead(connectionTemplates, current, ["id", "version"]);
  const stored = db.orm.select({ id: connectionTemplates.id }).from(connectionTemplates).where(isCurrent);
  return await deleteRows(db, connectionTemplates, isCurrent, {
    before: [db.orm.delete(templateUses).where(inArray(templateUses.templateId, stored))],
    after: [recordTemplate(db, by, "connection_template.deleted", current.id, now)],
  });
}

function recordTemplate(db: Database, by: By, action: AuditAction, id: number, now: number): Statement {
  return recordAudit(db, by, { organizationId: DEFAULT_ORGANIZATION, action, subjects: [encodeId("tpl", id)] }, now);
}

function nameTaken(error: unknown, name: string | undefined): unknown {
  if (!isUniqueViolation(error, "connection_templates.name")) return error;
  return new Fault("conflict", `There is already a template "${name}"`, { cause: error });
}
