/** Mails on their way, and what each feed's technical contact has been told. */
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
  "endpoint.disabled",
] as const;

/** What the run and its connection do not say by themselves when the mail is written. */
export interface MailFacts {
  /** It was said before and still is so: the reminder of a hold, or the week's summary. */
  again?: boolean;
  /** Runs since the last mail that had nothing new to say. */
  quietRuns?: number;
  /** Failures in a row. */
  failures?: number;
  /** What held the run, as it was then. */
  heldBy?: HeldBy[];
  /** Since when a feed should have come: milliseconds since 1970. */
  overdue?: { connection: string; since: number };
  /** Visits of a server that fail, and over what; null: they no longer do. */
  visits?: { connection: string; message: string | null };
  endpoint?: { id: string; url: string; reason: string };
}

/** The outbox. A mail's text is made when it is sent: links work from then on, and nothing of it is stored. */
export const mails = sqliteTable("mails", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id"),
  runId: integer("run_id"),
  type: text().$type<(typeof MAIL_TYPES)[number]>().notNull(),
  facts: json<MailFacts>("facts").notNull(),
  /** `dropped`: when its turn came, it was no longer true or nobody was to be told. */
  status: text().$type<"queued" | "sent" | "failed" | "dropped">().notNull().default("queued"),
  attempts: integer().notNull().default(0),
  /** When it is tried next. While it is being sent: when somebody else may take it over. */
  dueAt: integer("due_at").notNull(),
  /** Who is sending it now. */
  sender: text(),
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
    /** Null: no run of it is held. */
    hold: json<Hold>("hold"),
  },
  (t) => [primaryKey({ columns: [t.connectionId, t.entity] }), index("mail_states_organization").on(t.organizationId)],
);
