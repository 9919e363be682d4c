/** Reads the audit of an organization: who did what, the latest first. Writes nothing. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { AUDIT_ACTIONS } from "../../model/audit.ts";
import type { Database } from "../../store/database.ts";
import { type AuditEntry, listAudit } from "../../store/audit.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { toInstant } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerList, PAGING, type Place } from "../kit/paging.ts";
import { INSTANT, listOf } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";
import { MOMENT } from "../kit/values.ts";

export const FILTERS = {
  since: MOMENT.optional().meta({ description: "Entries at or after this date or instant" }),
  until: MOMENT.optional().meta({ description: "Entries before this date or instant" }),
  action: z.enum(AUDIT_ACTIONS).optional().meta({ description: "Entries of this action only" }),
  subject: z.string().min(1).max(200).optional().meta({ description: "Entries about the thing with this id" }),
  actor: z.string().min(1).max(254).optional().meta({
    description: "Entries of the actor with this id, name or kind",
    examples: ["tok_2"],
  }),
};
const FILTER = z.strictObject({ ...PAGING, ...FILTERS });

export const ENTRY = z.strictObject({
  seq: z.int(),
  at: INSTANT,
  action: z.string().meta({ examples: ["token.created"] }),
  actor: z.strictObject({
    kind: z.string().meta({ examples: ["token"] }),
    id: z.string().nullable().meta({ examples: ["tok_2"] }),
    name: z.string().nullable().meta({ examples: ["HR script"] }),
  }),
  subjects: z.array(z.string()).readonly().meta({ examples: [["tok_3"]] }),
  request_id: z.string().nullable(),
  address: z.string().nullable().meta({ examples: ["192.0.2.1"] }),
  hash: z.string().nullable().meta({ description: "Null until the chain has caught up with the write" }),
}).meta({ id: "AuditEntry" });

export type AuditEntryView = z.infer<typeof ENTRY>;

export function viewEntry(entry: AuditEntry & { hash: string | null }): AuditEntryView {
  return {
    seq: entry.seq,
    at: toInstant(entry.at),
    action: entry.action,
    actor: { kind: entry.actorKind, id: entry.actorId, name: entry.actorName },
    subjects: entry.subjects,
    request_id: entry.requestId,
    address: entry.address,
    hash: entry.hash,
  };
}

type Given = Partial<Record<"since" | "until", number> & Record<"action" | "subject" | "actor", string>>;

/** Reads a page of the entries that the query's values mean. */
export function readerOf(c: Context<Env>, given: Given) {
  const { since = null, until = null, action = null, subject = null, actor = null } = given;
  const filter = { since, until, action, subject, actor };
  // Without a filter, the page is read from the index directly.
  const isPlain = Object.values(filter).every((value) => value === null);
  return (db: Database, id: number, place: Place) =>
    isPlain ? listAudit(db, id, filter, place) : readHeavy(c.get("hub"), "listAudit", askerOf(c), id, filter, place);
}

const list = route(
  describe("listAudit", "Read the audit", { 200: listOf(ENTRY) }, {
    description: "Who did what, the latest first. Append-only and chained by `hash`; it has ids, never values.",
  }),
  requires("audit:read"),
  query(FILTER),
  (c) => {
    return answerList(c, "audit", readerOf(c, c.req.valid("query")), ({ seq }) => seq, viewEntry);
  },
);

export const auditRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list);
