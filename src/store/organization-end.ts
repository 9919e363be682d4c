/**
 * The end of an organization: everything that is its own goes in one write, or nothing does. Nothing is taken from what
 * others have, and no id is given out a second time.
 */
import { and, eq, inArray, notExists, sql } from "drizzle-orm";
import { type By, HUB } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "./audit.ts";
import { type Database, writeNamed } from "./database.ts";
import { auditEntries, auditSeals } from "./schema-audit.ts";
import { authorizations, connectionClocks, connectionSecrets, fetches } from "./connections/schema-sources.ts";
import type { Organization } from "./organizations.ts";
import { bridgeChecks, bridgeFiles, bridgeLeases, bridgeStates } from "./bridges/schema-bridge.ts";
import { sftpKeys, sftpLogins } from "./bridges/schema-logins.ts";
import { erasures, treeErasures } from "./people/schema-erasures.ts";
import { events } from "./notify/schema-events.ts";
import { linkRevocations } from "./notify/schema-links.ts";
import { mails, mailStates } from "./notify/schema-mails.ts";
import { pgpKeys } from "./connections/schema-pgp.ts";
import { deliveries, deliveryAttempts, webhookEndpoints } from "./notify/schema-webhooks.ts";
import { connections } from "./connections/schema.ts";
import { customFields, departments, links, pendingManagers, recalls, users } from "./people/schema.ts";
import { dropChunks, drops } from "./runs/schema-drops.ts";
import { changePages, pageBodies, pageManagers } from "./runs/schema-plans.ts";
import { issuePages, runs } from "./runs/schema.ts";
import { organizations, tokens } from "./schema.ts";
import { removeWords } from "./people/search-index.ts";
import { idempotencyAnswers, idempotencyKeys } from "./schema-idempotency.ts";
import { ORGANIZATION_LEASE } from "./runs/queue.ts";

/** False when `current` is no longer what is stored, or one of its runs is at work; then nothing is deleted. */
export async function deleteOrganization(
  db: Database,
  current: Organization,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { orm } = db;
  const { id } = current;
  const idle = and(
    sql`exists (select 1 from ${organizations} where id = ${id} and version = ${current.version}
      and ${ORGANIZATION_LEASE.isFree(now)})`,
    notExists(atWork(db, id)),
  )!;
  const pages = orm.select({ id: changePages.id }).from(changePages).where(eq(changePages.organizationId, id));
  const gone = notExists(orm.select({ id: organizations.id }).from(organizations).where(eq(organizations.id, id)));
  const belongings = [
    orm.delete(dropChunks).where(
      and(
        inArray(dropChunks.dropId, orm.select({ id: drops.id }).from(drops).where(eq(drops.organizationId, id))),
        idle,
      ),
    ),
    orm.delete(drops).where(and(eq(drops.organizationId, id), idle)),
    orm.delete(pageBodies).where(and(inArray(pageBodies.pageId, pages), idle)),
    orm.delete(pageManagers).where(and(inArray(pageManagers.pageId, pages), idle)),
    orm.delete(changePages).where(and(eq(changePages.organizationId, id), idle)),
    orm.delete(issuePages).where(and(eq(issuePages.organizationId, id), idle)),
    orm.delete(pendingManagers).where(and(eq(pendingManagers.organizationId, id), idle)),
    orm.delete(recalls).where(and(eq(recalls.organizationId, id), idle)),
    orm.delete(links).where(
      and(
        inArray(
          links.connectionId,
          orm.select({ id: connections.id }).from(connections).where(eq(connections.organizationId, id)),
        ),
        idle,
      ),
    ),
    ...removeWords(db, id, idle),
    orm.delete(users).where(and(eq(users.organizationId, id), idle)),
    orm.delete(departments).where(and(eq(departments.organizationId, id), idle)),
    orm.delete(customFields).where(and(eq(customFields.organizationId, id), idle)),
    orm.delete(bridgeLeases).where(
      and(
        inArray(
          bridgeLeases.connectionId,
          orm.select({ id: connections.id }).from(connections).where(eq(connections.organizationId, id)),
        ),
        idle,
      ),
    ),
    orm.delete(bridgeFiles).where(and(eq(bridgeFiles.organizationId, id), idle)),
    orm.delete(bridgeStates).where(and(eq(bridgeStates.organizationId, id), idle)),
    orm.delete(bridgeChecks).where(and(eq(bridgeChecks.organizationId, id), idle)),
    orm.delete(connectionSecrets).where(and(eq(connectionSecrets.organizationId, id), idle)),
    orm.delete(connectionClocks).where(and(eq(connectionClocks.organizationId, id), idle)),
    orm.delete(authorizations).where(and(eq(authorizations.organizationId, id), idle)),
    orm.delete(fetches).where(and(eq(fetches.organizationId, id), idle)),
    orm.delete(connections).where(and(eq(connections.organizationId, id), idle)),
    orm.delete(idempotencyAnswers).where(and(eq(idempotencyAnswers.organizationId, id), idle)),
    orm.delete(idempotencyKeys).where(and(eq(idempotencyKeys.organizationId, id), idle)),
    orm.delete(tokens).where(and(eq(tokens.organizationId, id), idle)),
    orm.delete(events).where(and(eq(events.organizationId, id), idle)),
    orm.delete(mails).where(and(eq(mails.organizationId, id), idle)),
    orm.delete(mailStates).where(and(eq(mailStates.organizationId, id), idle)),
    orm.delete(deliveryAttempts).where(and(eq(deliveryAttempts.organizationId, id), idle)),
    orm.delete(deliveries).where(and(eq(deliveries.organizationId, id), idle)),
    orm.delete(erasures).where(and(eq(erasures.organizationId, id), idle)),
    orm.delete(treeErasures).where(and(eq(treeErasures.organizationId, id), idle)),
    orm.delete(pgpKeys).where(and(eq(pgpKeys.organizationId, id), idle)),
    orm.delete(webhookEndpoints).where(and(eq(webhookEndpoints.organizationId, id), idle)),
    orm.delete(linkRevocations).where(and(eq(linkRevocations.organizationId, id), idle)),
    orm.delete(sftpKeys).where(and(eq(sftpKeys.organizationId, id), idle)),
    orm.delete(sftpLogins).where(and(eq(sftpLogins.organizationId, id), idle)),
    orm.delete(runs).where(and(eq(runs.organizationId, id), idle)),
  ];
  const { deleted } = await writeNamed(db, {
    belongings,
    deleted: orm.delete(organizations).where(and(eq(organizations.id, id), idle)).returning({ id: organizations.id }),
    audit: recordAudit(
      db,
      by,
      { organizationId: DEFAULT_ORGANIZATION, action: "organization.deleted", subjects: [encodeId("org", id)] },
      now,
    ),
    // Kept as long as the organization is there (migrations/), so these come after it.
    auditEntries: orm.delete(auditEntries).where(and(eq(auditEntries.organizationId, id), gone)),
    auditSeals: orm.delete(auditSeals).where(and(eq(auditSeals.organizationId, id), gone)),
  });
  return deleted.length > 0;
}

/** Whether one of its runs plans or applies now. */
export async function isOrganizationAtWork(db: Database, current: Organization): Promise<boolean> {
  return (await atWork(db, current.id).limit(1)).length > 0;
}

function atWork(db: Database, organizationId: number) {
  return db.orm.select({ id: runs.id }).from(runs)
    .where(and(eq(runs.organizationId, organizationId), inArray(runs.status, ["planning", "applying"])));
}
