/** Mails of the last 30 days: what was sent, what is still to be, and why it has not been. Their text is not kept. */
import { Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../id.ts";
import { listMails, type Mail } from "../store/mails.ts";
import { toInstant, toInstantOrNull } from "../time.ts";
import { requires } from "./authorize.ts";
import type { Env } from "./env.ts";
import { page, PAGING, readCursor } from "./paging.ts";
import { query } from "./validate.ts";

const FILTER = z.strictObject({ ...PAGING, status: z.enum(["queued", "sent", "failed", "dropped"]).optional() });

export function mailRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get("/", requires("runs:read"), query(FILTER), async (c) => {
    const { limit, cursor, status } = c.req.valid("query");
    const before = readCursor("mails", cursor);
    const filter = { status: status ?? null };
    const rows = await listMails(c.get("hub").db, c.get("organization").id, filter, { before, limit: limit + 1 });
    return c.json(page("mails", rows, limit, (mail) => mail.id, viewMail));
  });

  return routes;
}

function viewMail(mail: Mail) {
  return {
    id: encodeId("mai", mail.id),
    type: mail.type,
    again: mail.facts.again === true,
    connection_id: mail.connectionId === null ? null : encodeId("con", mail.connectionId),
    run_id: mail.runId === null ? null : encodeId("run", mail.runId),
    status: mail.status,
    attempts: mail.attempts,
    last_error: mail.lastError,
    next_attempt_at: mail.status === "queued" ? toInstant(mail.dueAt) : null,
    created_at: toInstant(mail.createdAt),
    sent_at: toInstantOrNull(mail.sentAt),
  };
}
