/**
 * Which connections follow a template, and with what it has set. What is written here goes with the connection's own
 * change, in the batch of its organization.
 */
import { and, asc, eq, gt, inArray, or, type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { fencedDatabase } from "../fence.ts";
import type { Organization } from "../organizations.ts";
import { organizations } from "../schema.ts";
import { matches, unchanged } from "../unchanged.ts";
import { listSecrets } from "./connection-secrets.ts";
import type { ConnectionTemplate } from "./connection-templates.ts";
import type { Connection, ConnectionRef } from "./connections.ts";
import { connections } from "./schema.ts";
import { connectionTemplates, templateUses } from "./schema-templates.ts";

export type TemplateUse = typeof templateUses.$inferSelect;

/** An organization, as a template finds it. */
export interface Target {
  readonly organization: Organization;
  /** The one that follows the template, else the one with its slug; null: there is neither. */
  readonly connection: Connection | null;
  /** What the connection follows, perhaps another template; null: none. */
  readonly use: TemplateUse | null;
  /** When each of the connection's secrets was set, by name. */
  readonly secrets: ReadonlyMap<string, number>;
}

/** The organizations by their names, which are ids or slugs. Names of none are left out. */
export async function loadTargets(
  db: Database,
  template: ConnectionTemplate,
  names: readonly string[],
): Promise<ReadonlyMap<string, Target>> {
  const byName = await loadNamed(db, names);
  const ids = [...byName.values()].map(({ id }) => id);
  const rows = await db.orm.select({ connection: connections, use: templateUses }).from(connections)
    .leftJoin(templateUses, isUseOf())
    .where(and(
      inArray(connections.organizationId, setOf(ids)),
      or(eq(templateUses.templateId, template.id), eq(connections.slug, template.slug)),
    ));
  const secrets = await listSecrets(db, rows.map(({ connection }) => connection));
  return new Map(
    [...byName].map(([name, organization]) => {
      const own = rows.filter(({ connection }) => connection.organizationId === organization.id);
      const found = own.find(({ use }) => use?.templateId === template.id) ?? own[0];
      const { connection, use } = found ?? { connection: null, use: null };
      const set = connection === null ? undefined : secrets.get(connection.id);
      return [name, { organization, connection, use, secrets: set ?? new Map() }];
    }),
  );
}

async function loadNamed(db: Database, names: readonly string[]): Promise<ReadonlyMap<string, Organization>> {
  const ids = names.flatMap((name) => decodeId("org", name) ?? []);
  const rows = await db.orm.select().from(organizations)
    .where(or(inArray(organizations.id, setOf(ids)), inArray(organizations.slug, setOf(names))));
  return new Map(
    names.flatMap((name) => {
      const id = decodeId("org", name);
      const found = rows.find((row) => id === null ? row.slug === name : row.id === id);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}

/** The database for what the template changes in one organization: each batch fails once one of both is another or gone. */
export function whileBothStay(db: Database, template: ConnectionTemplate, organization: Organization): Database {
  const { id, version } = template;
  return fencedDatabase(
    db,
    sql`select 1 from ${connectionTemplates}, ${organizations}
      where ${matches(connectionTemplates, { id, version })} and ${matches(organizations, { id: organization.id })}`,
  );
}

/** A template with what it has set in one organization, by JSON pointer into the connection. */
export interface Applied {
  readonly template: ConnectionTemplate;
  readonly organization: Organization;
  readonly applied: Readonly<Record<string, unknown>>;
}

/**
 * The statements that note what the template has set in a connection, and record it in both audits, if `condition` holds
 * when they run.
 */
export function noteUse(
  db: Database,
  connection: ConnectionRef,
  { template, applied, organization }: Applied,
  now: number,
  by: By,
  condition: SQL = sql`1`,
): Statement[] {
  const action = "connection_template.applied" as const;
  const [templateId, subject] = [encodeId("tpl", template.id), encodeId("con", connection.id)];
  const inIts = { organizationId: organization.id, action, subjects: [templateId, subject] };
  const ofOperator = [templateId, encodeId("org", organization.id)];
  return [
    db.all(sql`insert into ${templateUses} (connection_id, organization_id, template_id, version, applied, applied_at)
      select ${connection.id}, ${organization.id}, ${template.id}, ${template.version}, ${
      JSON.stringify(applied)
    }, ${now}
      where ${condition}
      on conflict (connection_id) do update set template_id = excluded.template_id, version = excluded.version,
        applied = excluded.applied, applied_at = excluded.applied_at
      returning connection_id`),
    recordAudit(db, by, inIts, now),
    ...(organization.slug === "default"
      ? []
      : [recordAudit(db, by, { organizationId: DEFAULT_ORGANIZATION, action, subjects: ofOperator }, now)]),
  ];
}

/** Notes it for a connection that needs no change. False when `current` is no longer what is stored. */
export async function followTemplate(
  db: Database,
  current: Connection,
  applied: Applied,
  now: number,
  by: By,
): Promise<boolean> {
  const [note, ...audit] = noteUse(db, current, applied, now, by, isAsLoaded(current));
  const { noted } = await writeNamed(db, { noted: [note!], audit });
  return (noted[0] as readonly unknown[]).length > 0;
}

/** For `noteUse` in the batch that changes the connection, before it is changed. */
export function isAsLoaded(current: Connection): SQL {
  return unchanged(connections, current, ["id", "version"]);
}

/** A connection's template: its name, the version that was applied, and what that has set. */
export type Followed = Pick<TemplateUse, "templateId" | "version" | "applied"> & { readonly name: string };

/** The templates that these connections of an organization follow, by connection. */
export async function loadFollowed(
  db: Database,
  organizationId: number,
  connectionIds: readonly number[],
): Promise<ReadonlyMap<number, Followed>> {
  const { connectionId, templateId, version, applied } = templateUses;
  const rows = await db.orm.select({ connectionId, templateId, version, applied, name: connectionTemplates.name })
    .from(templateUses).innerJoin(connectionTemplates, eq(connectionTemplates.id, templateId))
    .where(and(eq(templateUses.organizationId, organizationId), inArray(connectionId, setOf(connectionIds))));
  return new Map(rows.map((row) => [row.connectionId, row]));
}

/** A connection that follows a template, in whichever organization: for the operator. */
export interface ListedUse {
  readonly use: TemplateUse;
  readonly connection: Pick<Connection, "id" | "slug">;
  readonly organization: Pick<Organization, "id" | "slug">;
}

/** In the order of the connections' ids; at most `limit` of those after id `after`. */
export async function listUses(
  db: Database,
  templateId: number,
  { after, limit }: { after: number; limit: number },
): Promise<ListedUse[]> {
  return await db.orm.select({
    use: templateUses,
    connection: { id: connections.id, slug: connections.slug },
    organization: { id: organizations.id, slug: organizations.slug },
  }).from(templateUses).innerJoin(connections, isUseOf())
    .innerJoin(organizations, eq(organizations.id, templateUses.organizationId))
    .where(and(eq(templateUses.templateId, templateId), gt(templateUses.connectionId, after)))
    .orderBy(asc(templateUses.connectionId)).limit(limit);
}

function isUseOf(): SQL {
  return and(
    eq(templateUses.connectionId, connections.id),
    eq(templateUses.organizationId, connections.organizationId),
  )!;
}
