/**
 * The end of an organization: everything that is its own is deleted in one write, or nothing is. Nothing of any other
 * organization changes, and no id is given out a second time.
 */
import { and, eq, inArray, not, notExists, sql } from "drizzle-orm";
import { type By, HUB } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "./audit.ts";
import type { Database } from "./database.ts";
import { auditEntries, auditSeals } from "./schema-audit.ts";
import {
  authorizations,
  connectionClocks,
  connectionSecrets,
  connectionUpgrades,
  fetches,
} from "./connections/schema-sources.ts";
import { templateUses } from "./connections/schema-templates.ts";
import type { Organization } from "./organizations.ts";
import { bridgeChecks, bridgeFiles, bridgeLeases, bridgeStates } from "./bridges/schema-bridge.ts";
import { members } from "./schema-members.ts";
import { sessions, signInLinks } from "./schema-sessions.ts";
import { sftpKeys, sftpLogins } from "./bridges/schema-logins.ts";
import { erasures, treeErasures } from "./people/schema-erasures.ts";
import { identityDecisions } from "./people/schema-identities.ts";
import { merges } from "./people/schema-merges.ts";
import { events } from "./notify/schema-events.ts";
import { linkRevocations, runLinks } from "./notify/schema-links.ts";
import { mails, mailStates } from "./notify/schema-mails.ts";
import { pgpKeys } from "./connections/schema-pgp.ts";
import { deliveries, deliveryAttempts, webhookEndpoints } from "./notify/schema-webhooks.ts";
import { connections } from "./connections/schema.ts";
import { customFields, departments, leavers, links, pendingManagers, recalls, users } from "./people/schema.ts";
import { dropChunks, drops } from "./runs/schema-drops.ts";
import { changePages, pageBodies, pageManagers } from "./runs/schema-plans.ts";
import { selectAtWork } from "./runs/runs.ts";
import { issuePages, runNames, runs } from "./runs/schema.ts";
import { groupMembers, groups, scimUsers } from "./scim/schema.ts";
import { first } from "./reads.ts";
import { isStored } from "./unchanged.ts";
import { organizations, tokens } from "./schema.ts";
import { removeWords } from "./people/search-index.ts";
import { idempotencyAnswers, idempotencyKeys } from "./schema-idempotency.ts";
import { isIdle } from "./runs/queue.ts";
import { deleteRows } from "./writes.ts";

/**
 * Tables with an organization_id whose rows go with the organization. Others are deleted by what they belong to, before
 * it; the audit goes last.
 */
const OWN = [
  drops,
  changePages,
  issuePages,
  runNames,
  pendingManagers,
  recalls,
  leavers,
  users,
  departments,
  customFields,
  bridgeFiles,
  bridgeStates,
  bridgeChecks,
  connectionSecrets,
  connectionClocks,
  connectionUpgrades,
  authorizations,
  templateUses,
  fetches,
  connections,
  idempotencyAnswers,
  idempotencyKeys,
  tokens,
  events,
  scimUsers,
  groupMembers,
  groups,
  mails,
  mailStates,
  deliveryAttempts,
  deliveries,
  erasures,
  treeErasures,
  identityDecisions,
  merges,
  pgpKeys,
  webhookEndpoints,
  linkRevocations,
  runLinks,
  sessions,
  signInLinks,
  members,
  sftpKeys,
  sftpLogins,
  runs,
] as const;

/** False when `current` is no longer what is stored, or one of its runs is at work; then nothing is deleted. */
export async function deleteOrganization(
  db: Database,
  current: Organization,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { orm } = db;
  const { id } = current;
  const isFree = await isIdle(db, id);
  if (isFree === null) return false;
  const idle = and(
    sql`exists (select 1 from ${organizations} where id = ${id} and version = ${current.version}
      and ${isFree})`,
    notExists(selectAtWork(db, { organizationId: id })),
  )!;
  const gone = not(isStored(organizations, { id }));
  const idsIn = (table: typeof drops | typeof changePages | typeof connections) =>
    orm.select({ id: table.id }).from(table).where(eq(table.organizationId, id));
  const belongings = [
    orm.delete(dropChunks).where(and(inArray(dropChunks.dropId, idsIn(drops)), idle)),
    orm.delete(pageBodies).where(and(inArray(pageBodies.pageId, idsIn(changePages)), idle)),
    orm.delete(pageManagers).where(and(inArray(pageManagers.pageId, idsIn(changePages)), idle)),
    orm.delete(links).where(and(inArray(links.connectionId, idsIn(connections)), idle)),
    orm.delete(bridgeLeases).where(and(inArray(bridgeLeases.connectionId, idsIn(connections)), idle)),
    ...removeWords(db, id, idle),
    ...OWN.map((table) => orm.delete(table).where(and(eq(table.organizationId, id), idle))),
  ];
  const note = {
    organizationId: DEFAULT_ORGANIZATION,
    action: "organization.deleted",
    subjects: [encodeId("org", id)],
  } as const;
  return await deleteRows(db, organizations, and(eq(organizations.id, id), idle)!, {
    before: belongings,
    after: [
      recordAudit(db, by, note, now),
      // Triggers keep the audit while the organization exists (migrations/), so it goes after that.
      orm.delete(auditEntries).where(and(eq(auditEntries.organizationId, id), gone)),
      orm.delete(auditSeals).where(and(eq(auditSeals.organizationId, id), gone)),
    ],
  });
}

/** Whether one of its runs plans or applies now. */
export async function isOrganizationAtWork(db: Database, current: Organization): Promise<boolean> {
  return await first(selectAtWork(db, { organizationId: current.id }).limit(1)) !== null;
}
