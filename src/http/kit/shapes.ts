/** Schemas of what several routes answer with: runs, changes, issues, drops, lists. */
import { z } from "zod";
import { CODES, type IssueCode } from "../../model/codes.ts";
import { type FaultCode, FAULTS } from "../../model/errors.ts";
import type { ChangeView } from "../../model/change.ts";
import type { IssueView, ListedIssue } from "../../model/issue.ts";
import { RUN_STATUSES, type RunView } from "../../model/run.ts";
import { GUARD_NAMES } from "../../model/guards.ts";
import { COVERAGE } from "../../model/policy.ts";
import { ENTITY, MODE } from "./values.ts";

/** The schema of a view whose type is declared elsewhere. Does not compile unless both describe the same shape. */
function shapeOf<View>() {
  return <Schema extends z.ZodType<View>>(schema: View extends z.output<Schema> ? Schema : never): Schema => schema;
}

export const INSTANT = z.iso.datetime().meta({ id: "Instant", examples: ["2026-03-02T08:00:00.000Z"] });

/** Where a bridge's hosted server is reached. */
export const SFTP_SERVER = z.strictObject({ host: z.string(), port: z.int(), host_key: z.string() })
  .meta({ id: "SftpServer" });

/** An id with this prefix. */
export function idOf(prefix: string) {
  return z.string().meta({ examples: [`${prefix}_2`] });
}

/** A page of a list. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ data: z.array(item), next_cursor: z.string().nullable().meta({ examples: [null] }) });
}

const COUNT = z.int().min(0);

export const RUN = shapeOf<RunView>()(
  z.strictObject({
    id: idOf("run"),
    connection: z.strictObject({
      id: idOf("con"),
      slug: z.string().nullable().meta({ examples: ["csv"] }),
      name: z.string().nullable().meta({ examples: ["HR file"] }),
    }).meta({ id: "RunConnection" }),
    connector: z.string().nullable().meta({ examples: ["csv-upload"] }),
    trigger: z.enum(["drop", "schedule", "manual", "due", "retry", "revert", "upgrade"]),
    mode: MODE,
    entity: ENTITY,
    coverage: COVERAGE,
    status: z.enum(RUN_STATUSES).meta({ examples: ["succeeded"] }),
    complete: z.boolean().meta({ description: "Whether the whole of the input was read" }),
    counts: z.strictObject({
      read: COUNT,
      created: COUNT,
      updated: COUNT,
      unchanged: COUNT,
      deactivated: COUNT,
      reactivated: COUNT,
      skipped: COUNT,
      failed: COUNT,
      warned: COUNT,
      missing: COUNT,
      departments_created: COUNT,
      departments_updated: COUNT,
    }).meta({ id: "RunCounts" }),
    held_by: z.array(
      z.strictObject({
        guard: z.enum([...GUARD_NAMES, "revert", "parts"]),
        field: z.string().optional().meta({ description: "For the guards `column` and `field_gone`" }),
        count: z.number(),
        limit: z.number(),
        base: z.number(),
        earlier: z.number().optional().meta({
          description: "The part of `count` by earlier runs of the hour, where records come one by one",
        }),
      }).meta({ id: "HeldBy" }),
    ).readonly().meta({ examples: [[]] }),
    plan_hash: z.string().nullable().meta({ examples: ["5f1c0e9b"] }),
    drop: z.strictObject({ id: idOf("drp"), name: z.string(), bytes: COUNT, sha256: z.string().nullable() }).nullable()
      .meta({ examples: [{ id: "drp_2", name: "users.csv", bytes: 5120, sha256: null }] }),
    error: z.strictObject({ code: z.string(), message: z.string(), line: z.int().nullable().optional() }).nullable()
      .meta({ description: "Why it failed, was skipped, or pauses", examples: [null] }),
    note: z.string().nullable().meta({ examples: [null] }),
    created_at: INSTANT,
    started_at: INSTANT.nullable(),
    finished_at: INSTANT.nullable(),
  }).meta({ id: "Run" }),
);

const SUBJECT = z.strictObject({
  id: idOf("usr"),
  email: z.string().nullable().optional(),
  employee_id: z.string().nullable().optional(),
  name: z.string().optional().meta({ description: "For a department" }),
}).meta({ id: "Subject", examples: [{ id: "usr_2", email: "ana@example.com", employee_id: "000123" }] });

export const CHANGE = shapeOf<ChangeView>()(
  z.strictObject({
    id: idOf("chg"),
    action: z.enum(["create", "update", "deactivate", "reactivate"]).meta({ examples: ["update"] }),
    entity: z.enum(["user", "department", "group"]),
    subject: SUBJECT,
    line: z.int().nullable().meta({ examples: [12] }),
    fields: z.record(z.string(), z.strictObject({ before: z.unknown(), after: z.unknown() })).readonly()
      .meta({ examples: [{ title: { before: "Engineer", after: "Lead" } }] }),
    reason: z.string().nullable().meta({ examples: [null] }),
    status: z.enum(["planned", "applied", "superseded"]).meta({ examples: ["applied"] }),
    run: idOf("run").nullable().meta({ description: "Null: a person made it, by hand" }),
    applied_at: INSTANT.nullable(),
    seq: z.int().nullable().meta({ description: "Place in the feed; null until applied", examples: [7] }),
  }).meta({ id: "Change" }),
);

/** A change without people's data: for tokens without `users:read`, and in events whose body would be too large. */
export const CHANGE_IDS = CHANGE.pick({ id: true, action: true, entity: true, run: true, seq: true })
  .extend({ subject: z.strictObject({ id: idOf("usr") }) }).meta({ id: "ChangeIds" });

const ISSUE_FIELDS = {
  severity: z.enum(["error", "warning"]),
  code: z.enum(Object.keys({ ...CODES, ...FAULTS }) as (IssueCode | FaultCode)[])
    .meta({ id: "IssueCode", examples: ["email_invalid"] }),
  field: z.string().nullable().meta({ examples: ["email"] }),
  value: z.string().nullable().meta({ examples: ["ana@"] }),
  message: z.string().meta({ examples: ['Cannot use "ana@" as email: it needs a domain, like ana@acme.test'] }),
  suggestion: z.string().meta({ examples: ["Correct the address"] }),
};

export const ISSUE = shapeOf<IssueView>()(
  z.strictObject({
    line: z.int().nullable().meta({ description: "Null: of the whole input", examples: [812] }),
    ...ISSUE_FIELDS,
  }).meta({ id: "Issue" }),
);

export const LISTED_ISSUE = shapeOf<ListedIssue>()(
  z.strictObject({ id: idOf("iss"), ...ISSUE.shape }).meta({ id: "ListedIssue" }),
);

/** The outcome of one pushed record. */
export const RESULT = z.strictObject({
  line: z.int().min(1),
  result: z.string().meta({ examples: ["created"] }),
  user: SUBJECT.nullable(),
  issues: z.array(z.strictObject(ISSUE_FIELDS)).readonly().meta({ examples: [[]] }),
  run: idOf("run").optional().meta({ description: "Of a record that waits: the run that brings it; none in a plan" }),
  waits_for: idOf("run").optional().meta({
    description: "Of a record that waits: the run that has to be decided first; the same if the record is in it",
  }),
}).meta({ id: "ImportResult" });

export const DROP = z.strictObject({
  id: idOf("drp"),
  connection_id: idOf("con"),
  name: z.string().meta({ examples: ["users.csv"] }),
  content_type: z.string().meta({ examples: ["text/csv"] }),
  by_hand: z.boolean(),
  bytes: COUNT.meta({ examples: [5120] }),
  sha256: z.string().nullable().meta({ examples: [null] }),
  created_at: INSTANT,
  sealed_at: INSTANT.nullable(),
  expires_at: INSTANT,
}).meta({ id: "Drop" });

/** A secret that is in the first answer alone. Its field brings an example. */
export const SHOWN_ONCE = z.string().nullable().meta({
  description: "Null in a repeated answer",
});
export const SHOWN_ONCE_CODE = {
  code: z.literal("shown_once").optional().meta({ description: "Present where a secret is not shown again" }),
};

export const RUN_STARTED = z.strictObject({ run: RUN }).meta({ id: "RunStarted" });
export const DROP_TAKEN = z.strictObject({ run: RUN, drop: DROP }).meta({ id: "DropTaken" });
