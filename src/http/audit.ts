/** The audit of an organization, read: who did what, the latest first. Nothing here writes. */
import { Hono } from "hono";
import { z } from "zod";
import { AUDIT_ACTIONS } from "../audit.ts";
import { type AuditEntry, listAudit } from "../store/audit.ts";
import { parseInstant, toInstant } from "../time.ts";
import { requires } from "./authorize.ts";
import type { Env } from "./env.ts";
import { page, PAGING, readCursor } from "./paging.ts";
import { query } from "./validate.ts";

const INSTANT = z.string().transform((text) => parseInstant(text)).refine(
  (ms) => ms !== null,
  "should be a date or an instant, like 2026-03-01T08:00:00Z",
);

const FILTER = z.strictObject({
  ...PAGING,
  /** From this instant on. */
  since: INSTANT.optional(),
  /** Before this instant. */
  until: INSTANT.optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  /** The public id of something that it was done to. */
  subject: z.string().min(1).max(200).optional(),
});

export function auditRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get("/", requires("audit:read"), query(FILTER), async (c) => {
    const { limit, cursor, since, until, action, subject } = c.req.valid("query");
    const filter = { since: since ?? null, until: until ?? null, action: action ?? null, subject: subject ?? null };
    const before = readCursor("audit", cursor);
    const rows = await listAudit(c.get("hub").db, c.get("organization").id, filter, { before, limit: limit + 1 });
    return c.json(page("audit", rows, limit, ({ seq }) => seq, viewEntry));
  });

  return routes;
}

function viewEntry(entry: AuditEntry & { hash: string | null }) {
  return {
    seq: entry.seq,
    at: toInstant(entry.at),
    action: entry.action,
    actor: { kind: entry.actorKind, id: entry.actorId, name: entry.actorName },
    subjects: entry.subjects,
    request_id: entry.requestId,
    address: entry.address,
    /** Null for a moment: the chain follows the writes. */
    hash: entry.hash,
  };
}
