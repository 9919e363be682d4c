/** Schemas of events: as bodies of webhooks, and as the API lists them. */
import { z } from "zod";
import { EVENT_TYPES, type EventType } from "../../model/event.ts";
import type { EventShape } from "../kit/openapi.ts";
import { CHANGE, CHANGE_IDS, idOf, INSTANT, RUN } from "../kit/shapes.ts";
import { SLUG } from "../kit/values.ts";

export const EVENT_TYPE = z.enum(EVENT_TYPES).meta({ id: "EventType" });

const LINK = z.string().nullable().meta({
  id: "EventLink",
  description: "Created when the event is sent; null in lists",
  examples: ["https://hub.example.com/r/…"],
});
const FAILED = z.strictObject({ code: z.string(), message: z.string() }).nullable()
  .meta({ examples: [{ code: "input_incomplete", message: "The file ends within a quoted cell" }] });

const ORGANIZATION = z.strictObject({ id: idOf("org"), slug: SLUG.meta({ examples: ["acme"] }) })
  .meta({ id: "EventOrganization" });

/** Data of an event, which names the organization that it happened in. */
function dataOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ organization: ORGANIZATION, ...shape });
}

const CONNECTION_TURNED = dataOf({
  connection: RUN.shape.connection,
  failures_in_a_row: z.int().min(0),
  last_error: FAILED,
  run: idOf("run").nullable(),
}).meta({ id: "ConnectionTurned" });

/** The summary and the description of each type. */
const ABOUT: Readonly<Record<EventType, readonly [string, string]>> = {
  "run.completed": ["A run has ended", "Sent for every run, whatever its end: see the run's status."],
  "run.failures": [
    "A run has rows that could not be used",
    "Also sent when a run failed as a whole. Has the first issues, and links to the whole report that work for 7 days.",
  ],
  "run.held": ["A run waits for approval", "A guard stopped the run before its first write. Has a link to its page."],
  "connection.error": [
    "A connection has failed three times in a row",
    "Three inputs failed as a whole, or three visits to its server. Sent once, until the connection recovers.",
  ],
  "connection.recovered": ["A connection works again", "Sent at the first success after `connection.error`."],
  "connection.overdue": ["A connection's input is late", "Nothing came by the time in the connection's `expected_by`."],
  "users.changed": [
    "Users were changed",
    "By a run or by hand. Has as many changes as fit; with `truncated`, read the rest from `/v1/changes`.",
  ],
  "endpoint.disabled": [
    "A webhook endpoint was disabled",
    "Sent to the other endpoints, with the reason. Its deliveries stop until it is enabled again.",
  ],
  "retention.held": [
    "Too many leavers are due for erasure at once",
    "Nobody is erased until that is approved.",
  ],
};

/** Data of each type of event. */
const DATA = {
  "run.completed": dataOf({ run: RUN }).meta({ id: "RunCompleted" }),
  "run.failures": dataOf({
    run: RUN,
    counts: RUN.shape.counts,
    new: z.int().min(0).meta({ description: "Issues that the previous run did not have" }),
    repeated: z.int().min(0),
    truncated: z.boolean().optional().meta({ description: "True: the report has more issues", examples: [false] }),
    links: z.strictObject({ csv: LINK, xlsx: LINK.optional(), json: LINK, page: LINK.optional() })
      .meta({ description: "Events of earlier versions lack `xlsx` or `page`" }),
    issues: z.array(z.strictObject({
      line: z.int().nullable().meta({ examples: [812] }),
      code: z.string().meta({ examples: ["email_invalid"] }),
      field: z.string().nullable().meta({ examples: ["email"] }),
      message: z.string().nullable().optional().meta({
        description: "Null, with `suggestion`, where an earlier issue of the code has it and room is short",
      }),
      suggestion: z.string().nullable().optional(),
      user: idOf("usr").nullable().optional(),
      source_key: z.string().nullable().optional().meta({ description: "Needs `users:read`", examples: ["000123"] }),
      value: z.string().nullable().optional().meta({ description: "For endpoints with `include_values`" }),
      name: z.string().nullable().optional(),
    })).meta({ description: "The first 50 issues, as many as fit" }),
  }).meta({ id: "RunFailures" }),
  "run.held": dataOf({
    run: RUN,
    held_by: RUN.shape.held_by,
    people: z.array(idOf("usr")).meta({ description: "The first people that the guards are about" }),
    links: z.strictObject({ page: LINK }),
  }).meta({ id: "RunHeld" }),
  "connection.error": CONNECTION_TURNED,
  "connection.recovered": CONNECTION_TURNED,
  "connection.overdue": dataOf({
    connection: RUN.shape.connection,
    expected_by: INSTANT.meta({ description: "Deadline that was missed" }),
  }).meta({ id: "ConnectionOverdue" }),
  "users.changed": dataOf({
    first_seq: z.int().meta({ examples: [7] }),
    last_seq: z.int().meta({ examples: [9] }),
    count: z.int().meta({ examples: [3] }),
    truncated: z.boolean().meta({ description: "True: read the rest from the feed of changes", examples: [false] }),
    changes: z.array(z.union([CHANGE, CHANGE_IDS])),
  }).meta({ id: "UsersChanged" }),
  "endpoint.disabled": dataOf({
    endpoint: z.strictObject({ id: idOf("whe"), url: z.string(), description: z.string().nullable() })
      .meta({ examples: [{ id: "whe_2", url: "https://hooks.example.com/muster", description: null }] }),
    reason: z.string().meta({ examples: ["gone"] }),
  }).extend({
    organization: ORGANIZATION.nullable().meta({ description: "Null: the endpoint was for all organizations" }),
  }).meta({ id: "EndpointDisabled" }),
  "retention.held": dataOf({
    people: z.int(),
    limit: z.int(),
  }).meta({ id: "RetentionHeld" }),
} satisfies Record<EventType, z.ZodType>;

const TYPES = Object.keys(DATA) as EventType[];

/** The body of each type's webhook. */
export const EVENT_SHAPES: readonly EventShape[] = TYPES.map((type) => ({
  type,
  summary: ABOUT[type][0],
  description: ABOUT[type][1],
  body: z.strictObject({ type: z.literal(type), timestamp: INSTANT, data: DATA[type] }),
}));

/** An event as the API shows it. */
export const EVENT = z.union(
  TYPES.map((type) => z.strictObject({ id: idOf("evt"), type: z.literal(type), timestamp: INSTANT, data: DATA[type] })),
).meta({ id: "Event" });
