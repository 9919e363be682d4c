/** What is stored of files of people: that somebody has downloaded one. */
import { sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import type { Database } from "../database.ts";

/** Records the download of the organization's people, without the filters: these may be values of people. */
export async function recordExport(db: Database, organizationId: number, now: number, by: By): Promise<void> {
  const note = { action: "user.exported", subjects: [encodeId("org", organizationId)], organizationId } as const;
  await db.write([recordAudit(db, by, note, now, sql`true`)]);
}

/** Records that all about a person was read as one record. */
export async function recordReading(db: Database, person: { id: number; organizationId: number }, now: number, by: By) {
  const { organizationId } = person;
  const note = { action: "user.record_read", subjects: [encodeId("usr", person.id)], organizationId } as const;
  await db.write([recordAudit(db, by, note, now, sql`true`)]);
}
