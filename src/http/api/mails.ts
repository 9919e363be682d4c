/** Mails of the last 30 days: which were sent, which are queued, and why some failed. Their text is not stored. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { whyNoMail } from "../../notify/invitations.ts";
import { MAX_TESTS_AN_HOUR, queueTestMail } from "../../notify/test-mail.ts";
import { findContact } from "../../store/notify/contacts.ts";
import { listMails, type Mail } from "../../store/notify/mails.ts";
import { MAIL_TYPES } from "../../store/notify/schema-mails.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { loadConnection } from "./connections.ts";

const STATUS = z.enum(["queued", "sent", "failed", "dropped"]);
const FILTER = z.strictObject({
  ...PAGING,
  status: STATUS.optional().meta({ description: "Mails with this status only" }),
});

const TEST = z.strictObject({
  connection_id: idOf("con").nullable().default(null).meta({
    description: "Whose technical contact gets it; null: the organization's",
  }),
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

export type MailView = z.infer<typeof MAIL>;

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

const test = route(
  describe("sendTestMail", "Send a test mail", { 202: json(MAIL) }, {
    description:
      `Queues a mail that shows whether a technical contact gets mails; at most ${MAX_TESTS_AN_HOUR} an hour.`,
    faults: ["not_found", "rate_limited", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(TEST),
  async (c) => {
    const hub = c.get("hub"), { id } = c.get("organization"), { connection_id } = c.req.valid("json");
    const connection = connection_id === null ? null : await loadConnection(c, connection_id);
    const why = whyNoMail({ mailFrom: hub.mailFrom });
    if (why !== null) throw new Fault("unprocessable", why);
    if (await findContact(hub.db, id, connection?.id ?? null) === null) {
      throw new Fault("unprocessable", "There is no technical contact to write to; set one");
    }
    const mail = await queueTestMail(hub, id, connection, byOf(c));
    if (mail !== null) return c.json(viewMail(mail), 202);
    throw new Fault("rate_limited", `There were ${MAX_TESTS_AN_HOUR} test mails within an hour; try again later`, {
      retryAfterS: 600,
    });
  },
);

export const mailRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .post("/test", ...test);
