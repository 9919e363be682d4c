/** Who decided about a run, or about its rows, from the audit: read by the time of the decision, which has an index. */
import { and, desc, eq, gte, inArray, lte, sql } from "drizzle-orm";
import type { AuditAction, By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { Database } from "../database.ts";
import { auditEntries } from "../schema-audit.ts";
import type { IdentityDecision } from "../people/identities.ts";
import type { Run } from "./runs.ts";

/** An actor as pages show it: its kind, the public id of a token, and the name of a member. Never an address. */
export type Decider = Pick<By, "kind" | "id" | "name">;

export interface RunDecision {
  readonly what: "approved" | "cancelled";
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly by: Decider;
}

/** What people decided about the run as a whole, the earliest first. */
export async function listRunDecisions(db: Database, run: Run): Promise<RunDecision[]> {
  const { id, organizationId, approvedAt, status, cancelRequested, createdAt, finishedAt } = run;
  const isCancelled = status === "cancelled" || cancelRequested;
  if (approvedAt === null && !isCancelled) return [];
  const from = approvedAt ?? createdAt;
  const until = isCancelled ? finishedAt ?? Number.MAX_SAFE_INTEGER : from;
  const entries = await listEntries(db, organizationId, ["run.approved", "run.cancelled"], encodeId("run", id), {
    from,
    until,
  });
  return entries.map(({ action, at, by }) => ({ what: action === "run.approved" ? "approved" : "cancelled", at, by }));
}

/** Who made each decision about a row, by the decision's id; none: the audit does not have it any more. */
export async function listDeciders(
  db: Database,
  decisions: readonly IdentityDecision[],
): Promise<ReadonlyMap<number, Decider>> {
  const found = new Map<number, Decider>();
  for (const { id, organizationId, userId, kind, createdAt: at } of decisions) {
    const action = kind === "accept" ? "user.accepted" : "user.released";
    const entries = await listEntries(db, organizationId, [action], encodeId("usr", userId), { from: at, until: at });
    if (entries.length > 0) found.set(id, entries.at(-1)!.by);
  }
  return found;
}

async function listEntries(
  db: Database,
  organizationId: number,
  actions: readonly AuditAction[],
  subject: string,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<{ action: AuditAction; at: number; by: Decider }[]> {
  const { action, at, actorKind: kind, actorId: id, actorName: name, subjects, seq } = auditEntries;
  const rows = await db.orm.select({ action, at, by: { kind, id, name } }).from(auditEntries).where(and(
    eq(auditEntries.organizationId, organizationId),
    gte(at, from),
    lte(at, until),
    inArray(action, [...actions]),
    eq(sql`${subjects} ->> '$[0]'`, subject),
  )).orderBy(desc(seq)).limit(MOST);
  return rows.reverse();
}

/** A run is approved once, and cancelled once or, by several people at a time, a few times. */
const MOST = 5;
