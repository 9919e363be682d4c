/** Mails of the last 30 days: which were sent, which are queued, and why some failed. Their text is not stored. */
import { Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { listMails, type Mail } from "../../store/notify/mails.ts";
import { MAIL_TYPES } from "../../store/notify/schema-mails.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";

const STATUS = z.enum(["queued", "sent", "failed", "dropped"]);
const FILTER = z.strictObject({
  ...PAGING,
  status: STATUS.optional().meta({ description: "Mails with this status only" }),
});

const MAIL = z.strictObject({
  id: idOf("mai"),
  type: z.enum(MAIL_TYPES).meta({ examples: ["run.held"] }),
  again: z.boolean().meta({ description: "True for a reminder" }),
  connection_id: idOf("con").nullable(),
  run_id: idOf("run").nullable(),
  status: STATUS.meta({ examples: ["sent"] }),
  attempts: z.int().min(0),
  last_error: z.string().nullable().meta({ examples: [null] }),
  next_attempt_at: INSTANT.nullable(),
  created_at: INSTANT,
  sent_at: INSTANT.nullable(),
}).meta({ id: "Mail" });

function viewMail(mail: Mail): z.infer<typeof MAIL> {
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

const list = route(
  describe("listMails", "List mails", { 200: listOf(MAIL) }, {
    description:
      "Mails of the last 30 days to the technical contacts, and invitations to members, the newest first, with the state of " +
      "their sending. Texts and addresses are not shown.",
  }),
  requires("runs:read"),
  query(FILTER),
  (c) => {
    const filter = { status: c.req.valid("query").status ?? null };
    return answerList(c, "mails", (db, id, place) => listMails(db, id, filter, place), (mail) => mail.id, viewMail);
  },
);

export const mailRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list);
