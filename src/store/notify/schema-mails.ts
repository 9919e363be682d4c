/** The outbox of mails, and what was mailed to the technical contact about each feed. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Feed, Hold } from "../../model/mail-rules.ts";
import type { HeldBy } from "../../model/run.ts";
import { json } from "../columns.ts";

export const MAIL_TYPES = [
  "run.failures",
  "run.held",
  "connection.error",
  "connection.recovered",
  "connection.overdue",
  "file.not_used",
  "endpoint.disabled",
  "retention.held",
  "member.invited",
  "member.sign_in",
  "contact.test",
] as const;

/** None has this id. */
export const NO_ORGANIZATION = 0;

/** What a mail needs beyond the run and its connection, which are read when it is written. */
export interface MailFacts {
  /** A repetition: the reminder of a hold, or the weekly summary. */
  again?: boolean;
  /** Runs since the last mail that had nothing new to report. */
  quietRuns?: number;
  /** Failures in a row. */
  failures?: number;
  /** The guards that held the run at that time. */
  heldBy?: HeldBy[];
  /** A feed that is overdue, since when: milliseconds since 1970. */
  overdue?: { connection: string; since: number };
  /** A server that cannot be visited, and why; null: it can be visited again. */
  visits?: { connection: string; message: string | null };
  /** A file that was not used, at a server where no note can be written; `since`: left there since then. */
  notUsed?: { connection: string; file: string; why: string; since?: number };
  endpoint?: { id: string; url: string; reason: string };
  /** How many leavers are due for erasure, and how many may be erased at once. */
  retention?: { people: number; limit: number };
  /** The member who is invited. */
  invited?: { member: number };
  /** A test of whether the contact gets mails; `connection`: the name of the one whose contact it is. */
  test?: { connection: string | null };
  /** The address that asked for a link to sign in, whether or not anybody has it. */
  signIn?: { address: string };
}

/** The outbox. A mail's text is made when it is sent, so that its links are valid from then on; it is not stored. */
export const mails = sqliteTable("mails", {
  id: integer().primaryKey(),
  /** NO_ORGANIZATION of a mail to an address that may be known to several, or to none. */
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id"),
  runId: integer("run_id"),
  type: text().$type<(typeof MAIL_TYPES)[number]>().notNull(),
  facts: json<MailFacts>("facts").notNull(),
  /** `dropped`: when it was due, it was no longer true or there was no recipient. */
  status: text().$type<"queued" | "sent" | "failed" | "dropped">().notNull().default("queued"),
  attempts: integer().notNull().default(0),
  /** When it is tried next. */
  dueAt: integer("due_at").notNull(),
  /** The process that is sending it, which holds it for as long as its lease in `senders`. */
  sender: text(),
  /** How often it was claimed: an outcome counts only for the last claim. */
  epoch: integer().notNull().default(0),
  lastError: text("last_error"),
  createdAt: integer("created_at").notNull(),
  sentAt: integer("sent_at"),
}, (t) => [
  index("mails_organization").on(t.organizationId, t.id),
  index("mails_due").on(t.dueAt).where(sql`status = 'queued'`),
  index("mails_created").on(t.createdAt),
]);

/** One row for each kind of input of a connection. */
export const mailStates = sqliteTable(
  "mail_states",
  {
    connectionId: integer("connection_id").notNull(),
    entity: text().$type<"users" | "departments">().notNull(),
    organizationId: integer("organization_id").notNull(),
    feed: json<Feed>("feed").notNull(),
    /** Null: none of its runs is held. */
    hold: json<Hold>("hold"),
  },
  (t) => [primaryKey({ columns: [t.connectionId, t.entity] }), index("mail_states_organization").on(t.organizationId)],
);
