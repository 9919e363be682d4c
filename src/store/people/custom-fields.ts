/** An organization's custom fields as stored. A change of one gives rows another meaning, so it moves the references. */
import { and, asc, eq, not, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import type { CustomField } from "../../model/record.ts";
import { recordAudit } from "../audit.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { findRow, first } from "../reads.ts";
import { isStored, matches } from "../unchanged.ts";
import { moveReferences } from "../versions.ts";
import { customFields, users } from "./schema.ts";
import { deleteRows } from "../writes.ts";

type Row = typeof customFields.$inferSelect;

/** For one organization. */
export const MAX_CUSTOM_FIELDS = 200;

/** A field with its version. */
export interface StoredCustomField extends CustomField {
  readonly version: number;
}

/** All custom fields, in the order of their keys. */
export async function loadCustomFields(db: Database, organizationId: number): Promise<StoredCustomField[]> {
  const rows = await db.orm.select().from(customFields).where(eq(customFields.organizationId, organizationId))
    .orderBy(asc(customFields.key));
  return rows.map(toField);
}

export async function findCustomField(
  db: Database,
  organizationId: number,
  key: string,
): Promise<StoredCustomField | null> {
  const row = await findRow(db, customFields, { organizationId, key });
  return row === null ? null : toField(row);
}

/**
 * Creates the field (`version` 0), or replaces that version. Null when the stored version is another; then nothing is
 * changed.
 */
export async function putCustomField(
  db: Database,
  organizationId: number,
  field: CustomField,
  now: number,
  by: By = HUB,
  version = 0,
): Promise<StoredCustomField | null> {
  const { key, label, type, required, maxLength } = field;
  const set = { label, type, required, options: [...field.options], maxLength, updatedAt: now };
  const current = { organizationId, key, version };
  const put = version === 0
    ? db.orm.insert(customFields).values({ ...set, organizationId, key, createdAt: now }).onConflictDoNothing()
    : db.orm.update(customFields).set({ ...set, version: version + 1 }).where(matches(customFields, current));
  const isCurrent = version === 0
    ? not(isStored(customFields, { organizationId, key }))
    : isStored(customFields, current);
  const { written } = await writeNamed(db, {
    references: moveReferences(db, organizationId, isCurrent),
    written: put.returning(),
    audit: recordFields(db, by, "custom_field.set", { organizationId, keys: [key] }, now),
  });
  const [row] = written;
  return row === undefined ? null : toField(row);
}

/** The statements that create these fields, in the write that needs them. A field whose key exists is not changed. */
export function makeCustomFields(
  db: Database,
  organizationId: number,
  fields: readonly CustomField[],
  now: number,
  by: By,
  condition: SQL = sql`1`,
): Statement[] {
  if (fields.length === 0) return [];
  return [
    db.run(sql`insert into ${customFields}
        (organization_id, key, label, type, required, options, max_length, version, created_at, updated_at)
      select ${organizationId}, value ->> 'key', value ->> 'label', value ->> 'type', value ->> 'required',
        value -> 'options', value ->> 'maxLength', 1, ${now}, ${now}
      from json_each(${JSON.stringify(fields)}) where ${condition} on conflict do nothing`),
    recordFields(db, by, "custom_field.set", { organizationId, keys: fields.map(({ key }) => key) }, now),
    moveReferences(db, organizationId, condition),
  ];
}

/** Whether any user has a value in the field. */
export async function isCustomFieldUsed(db: Database, organizationId: number, key: string): Promise<boolean> {
  const used = db.orm.select({ id: users.id }).from(users)
    .where(and(eq(users.organizationId, organizationId), hasValue(key))).limit(1);
  return await first(used) !== null;
}

/** Deletes the field with all its values; false, and nothing is deleted, when the stored version is another. */
export async function deleteCustomField(
  db: Database,
  organizationId: number,
  key: string,
  version: number,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const current = { organizationId, key, version };
  const isCurrent = isStored(customFields, current);
  const withoutValues = db.orm.update(users).set({
    custom: sql`nullif(json_remove(${users.custom}, ${pathOf(key)}), '{}')`,
    version: sql`${users.version} + 1`,
    updatedAt: now,
  }).where(and(eq(users.organizationId, organizationId), hasValue(key), isCurrent));
  return await deleteRows(db, customFields, matches(customFields, current), {
    before: [withoutValues, moveReferences(db, organizationId, isCurrent)],
    after: [recordFields(db, by, "custom_field.deleted", { organizationId, keys: [key] }, now)],
  });
}

/** A field has no id: its key names it. */
function recordFields(
  db: Database,
  by: By,
  action: AuditAction,
  { organizationId, keys }: { readonly organizationId: number; readonly keys: readonly string[] },
  now: number,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: keys.map((key) => `custom_field:${key}`) }, now);
}

function hasValue(key: string) {
  return sql`json_type(${users.custom}, ${pathOf(key)}) is not null`;
}

/** SQLite's JSON paths allow any key in double quotes; keys contain none. */
function pathOf(key: string): string {
  return `$."${key}"`;
}

function toField(row: Row): StoredCustomField {
  return {
    key: row.key,
    label: row.label,
    type: row.type as CustomField["type"],
    required: row.required,
    options: row.options,
    maxLength: row.maxLength,
    version: row.version,
  };
}
