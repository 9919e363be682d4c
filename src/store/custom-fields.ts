/** An organization's custom fields as stored. Changing one changes what rows mean, so the references move with it. */
import { and, asc, eq, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../audit.ts";
import type { CustomField } from "../record.ts";
import { recordAudit } from "./audit.ts";
import type { Database, Statement } from "./database.ts";
import { customFields, organizations, users } from "./schema.ts";

type Row = typeof customFields.$inferSelect;

/** All of them, in the order of their keys. */
export async function loadCustomFields(db: Database, organizationId: number): Promise<CustomField[]> {
  const rows = await db.orm.select().from(customFields).where(eq(customFields.organizationId, organizationId))
    .orderBy(asc(customFields.key));
  return rows.map(toField);
}

export async function findCustomField(db: Database, organizationId: number, key: string): Promise<CustomField | null> {
  const [row] = await db.orm.select().from(customFields)
    .where(and(eq(customFields.organizationId, organizationId), eq(customFields.key, key)));
  return row === undefined ? null : toField(row);
}

/** Makes the field, or puts this in its place. */
export async function putCustomField(
  db: Database,
  organizationId: number,
  field: CustomField,
  now: number,
  by: By = HUB,
): Promise<void> {
  const { key, label, type, required, maxLength } = field;
  const set = { label, type, required, options: [...field.options], maxLength, updatedAt: now };
  await db.write([
    db.orm.insert(customFields).values({ ...set, organizationId, key, createdAt: now })
      .onConflictDoUpdate({ target: [customFields.organizationId, customFields.key], set }),
    recordField(db, by, "custom_field.set", { organizationId, key }, now),
    moveReferences(db, organizationId),
  ]);
}

/** Whether somebody has a value in the field. */
export async function isCustomFieldUsed(db: Database, organizationId: number, key: string): Promise<boolean> {
  const [row] = await db.orm.select({ id: users.id }).from(users)
    .where(and(eq(users.organizationId, organizationId), hasValue(key))).limit(1);
  return row !== undefined;
}

/** Deletes the field with everybody's values in it; false when there is none. */
export async function deleteCustomField(
  db: Database,
  organizationId: number,
  key: string,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const results = await db.write([
    db.orm.update(users).set({
      custom: sql`nullif(json_remove(${users.custom}, ${pathOf(key)}), '{}')`,
      version: sql`${users.version} + 1`,
      updatedAt: now,
    }).where(and(eq(users.organizationId, organizationId), hasValue(key))),
    moveReferences(db, organizationId),
    db.orm.delete(customFields).where(and(eq(customFields.organizationId, organizationId), eq(customFields.key, key)))
      .returning({ key: customFields.key }),
    recordField(db, by, "custom_field.deleted", { organizationId, key }, now),
  ]);
  return (results[2] as unknown[]).length > 0;
}

/** A field has no id but its key. */
function recordField(
  db: Database,
  by: By,
  action: AuditAction,
  { organizationId, key }: { organizationId: number; key: string },
  now: number,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [`custom_field:${key}`] }, now);
}

function moveReferences(db: Database, organizationId: number): Statement {
  return db.orm.update(organizations).set({
    referenceVersion: sql`${organizations.referenceVersion} + 1`,
    dataVersion: sql`${organizations.dataVersion} + 1`,
  }).where(eq(organizations.id, organizationId));
}

function hasValue(key: string) {
  return sql`json_type(${users.custom}, ${pathOf(key)}) is not null`;
}

/** SQLite's JSON paths take any key between double quotes; keys have none themselves. */
function pathOf(key: string): string {
  return `$."${key}"`;
}

function toField(row: Row): CustomField {
  return {
    key: row.key,
    label: row.label,
    type: row.type as CustomField["type"],
    required: row.required,
    options: row.options,
    maxLength: row.maxLength,
  };
}
