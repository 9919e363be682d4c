/** Schemas of events: as bodies of webhooks, and as the API lists them. */
import { z } from "zod";
import type { EventType } from "../../model/event.ts";
import type { EventShape } from "../kit/openapi.ts";
import { CHANGE, CHANGE_IDS, idOf, INSTANT, RUN } from "../kit/shapes.ts";

const LINK = z.string().nullable().meta({
  description: "Created when the event is sent; null in lists",
  examples: ["https://hub.example.com/r/…"],
});
const FAILED = z.strictObject({ code: z.string(), message: z.string() }).nullable()
  .meta({ examples: [{ code: "input_incomplete", message: "The file ends within a quoted cell" }] });

const CONNECTION_TURNED = z.strictObject({
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
};

/** Data of each type of event. */
const DATA = {
  "run.completed": z.strictObject({ run: RUN }).meta({ id: "RunCompleted" }),
  "run.failures": z.strictObject({
    run: RUN,
    counts: RUN.shape.counts,
    new: z.int().min(0).meta({ description: "Issues that the previous run did not have" }),
    repeated: z.int().min(0),
    links: z.strictObject({
      csv: LINK,
      xlsx: LINK.optional().meta({ description: "Absent in events of earlier versions" }),
      json: LINK,
    }),
    issues: z.array(z.strictObject({
      line: z.int().nullable().meta({ examples: [812] }),
      code: z.string().meta({ examples: ["email_invalid"] }),
      field: z.string().nullable().meta({ examples: ["email"] }),
    })).meta({ description: "The first issues" }),
  }).meta({ id: "RunFailures" }),
  "run.held": z.strictObject({
    run: RUN,
    held_by: RUN.shape.held_by,
    people: z.array(idOf("usr")).meta({ description: "The first people that the guards are about" }),
    links: z.strictObject({ page: LINK }),
  }).meta({ id: "RunHeld" }),
  "connection.error": CONNECTION_TURNED,
  "connection.recovered": CONNECTION_TURNED,
  "connection.overdue": z.strictObject({
    connection: RUN.shape.connection,
    expected_by: INSTANT.meta({ description: "Deadline that was missed" }),
  }).meta({ id: "ConnectionOverdue" }),
  "users.changed": z.strictObject({
    first_seq: z.int().meta({ examples: [7] }),
    last_seq: z.int().meta({ examples: [9] }),
    count: z.int().meta({ examples: [3] }),
    truncated: z.boolean().meta({ description: "True: read the rest from the feed of changes", examples: [false] }),
    changes: z.array(z.union([CHANGE, CHANGE_IDS])),
  }).meta({ id: "UsersChanged" }),
  "endpoint.disabled": z.strictObject({
    endpoint: z.strictObject({ id: idOf("whe"), url: z.string(), description: z.string().nullable() })
      .meta({ examples: [{ id: "whe_2", url: "https://hooks.example.com/muster", description: null }] }),
    reason: z.string().meta({ examples: ["gone"] }),
  }).meta({ id: "EndpointDisabled" }),
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
