/** What an operator looks at of organizations: how many connections each has, and what needs somebody. */
import { sql } from "drizzle-orm";
import { FAILURES_FOR_ERROR } from "../model/mail-rules.ts";
import { bridgeStates } from "./bridges/schema-bridge.ts";
import { connections } from "./connections/schema.ts";
import { connectionClocks } from "./connections/schema-sources.ts";
import type { Database } from "./database.ts";
import { listOrganizations, type Organization } from "./organizations.ts";

export interface OrganizationFigures {
  readonly connections: number;
  /** Connections that have failed too often in a row; paused ones are left out. */
  readonly failing: number;
  /** Connections whose input has not come by the time it was expected. */
  readonly overdue: number;
  readonly heldRuns: number;
  /** Files that lie on SFTP servers and are not taken. */
  readonly lyingFiles: number;
}

/** Oldest first, as listOrganizations; the figures of all are one query. */
export async function listWithFigures(
  db: Database,
  page: { after: number; limit: number },
): Promise<{ organization: Organization; figures: OrganizationFigures }[]> {
  const listed = await listOrganizations(db, page);
  const figures = await loadFigures(db, listed.map(({ id }) => id));
  return listed.map((organization) => ({ organization, figures: figures.get(organization.id)! }));
}

async function loadFigures(
  db: Database,
  organizationIds: readonly number[],
): Promise<ReadonlyMap<number, OrganizationFigures>> {
  const rows = await db.rows<[number, number, number, number, number, number]>(sql`
    select o.value, count(c.id),
      total(c.paused_at is null and max(c.failures_in_a_row, coalesce(b.failures, 0)) >= ${FAILURES_FOR_ERROR}),
      total(c.paused_at is null and k.overdue_since is not null),
      coalesce(h.n, 0), total(json_array_length(coalesce(b.lying, '[]')))
    from json_each(${JSON.stringify(organizationIds)}) o
    left join ${connections} c on c.organization_id = o.value
    left join ${bridgeStates} b on b.connection_id = c.id and b.organization_id = o.value
    left join ${connectionClocks} k on k.connection_id = c.id and k.organization_id = o.value
    left join (select organization_id, count(*) n from runs
      where status in ('queued', 'planning', 'applying', 'planned', 'held') and status = 'held'
      group by organization_id) h on h.organization_id = o.value
    group by o.value`);
  return new Map(
    rows.map(([id, all, failing, overdue, heldRuns, lyingFiles]) => [
      id,
      { connections: all, failing, overdue, heldRuns, lyingFiles },
    ]),
  );
}
