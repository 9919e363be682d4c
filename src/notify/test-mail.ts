/** A mail to a technical contact that shows whether mails reach them at all. */
import type { Hub } from "../hub.ts";
import type { By } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { HOUR_MS } from "../std/time.ts";
import { recordAudit } from "../store/audit.ts";
import { listMails, type Mail, mayTestAgain, queueMail } from "../store/notify/mails.ts";
import { reserve } from "../store/sequences.ts";

/** How many an organization may ask for within an hour. */
export const MAX_TESTS_AN_HOUR = 5;

/** Queues the mail. Null: too many were asked for in the last hour. `connection`: whose contact gets it; null: the organization's. */
export async function queueTestMail(
  { db, now }: Hub,
  organizationId: number,
  connection: { readonly id: number; readonly name: string } | null,
  by: By,
): Promise<Mail | null> {
  const id = await reserve(db, "mail"), at = now();
  const about = { connectionId: connection?.id ?? null, runId: null, type: "contact.test" } as const;
  const facts = { test: { connection: connection?.name ?? null } };
  const subjects = [encodeId("mai", id), ...(connection === null ? [] : [encodeId("con", connection.id)])];
  await db.write([
    queueMail(
      db,
      { id, organizationId, ...about, facts },
      at,
      mayTestAgain(organizationId, at - HOUR_MS, MAX_TESTS_AN_HOUR),
    ),
    recordAudit(db, by, { organizationId, action: "mail.tested", subjects }, at),
  ]);
  const [mail] = await listMails(db, organizationId, { status: null }, { before: id + 1, limit: 1 });
  return mail?.id === id ? mail : null;
}
