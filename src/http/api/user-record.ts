/**
 * All that the hub keeps about one person, as one JSON: for a person who asks for it. Each part is read from the places of
 * store/people/places.ts while the answer is sent, and only if the token may read such things anywhere else.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { allows, type Scope } from "../../model/scope.ts";
import { loadProvenance } from "../../people/provenance.ts";
import {
  dropsOf,
  eventsOf,
  findPerson,
  historyOf,
  mergedOf,
  type PersonFound,
  plansOf,
  reportedRows,
} from "../../people/record.ts";
import { columnsOf } from "../../people/traces.ts";
import { streamText } from "../../std/streams.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { listAudit } from "../../store/audit.ts";
import { findErasure } from "../../store/people/erasures.ts";
import { recordReading } from "../../store/people/exports.ts";
import {
  leftSince,
  listDecisionsOf,
  listLinksOf,
  listScimOf,
  readReportsOf,
} from "../../store/people/person-record.ts";
import type { RecordPart } from "../../store/people/places.ts";
import type { StoredUser } from "../../store/people/users.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, download, route } from "../kit/describe.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { CHANGE, DROP, idOf, INSTANT } from "../kit/shapes.ts";
import { ENTRY, viewEntry } from "./audit.ts";
import { viewDrop } from "./drop-answer.ts";
import { ERASURE, LEFT, leftOf, viewErasure } from "./erasures.ts";
import { FIELD, viewField } from "./user-fields.ts";
import { USER, viewUser } from "./user-view.ts";
import { loadUser } from "./users.ts";

const NAMED = z.record(z.string(), z.unknown());
const RUN_ID = idOf("run"), CONNECTION_ID = idOf("con");

const LINK = z.strictObject({
  connection_id: CONNECTION_ID,
  source_key: z.string(),
  active: z.boolean(),
  missing_since: INSTANT.nullable(),
  withheld: NAMED,
  waits_for_manager: z.string().nullable(),
});

const SCIM_USER = z.strictObject({
  connection_id: CONNECTION_ID,
  user_name: z.string(),
  external_id: z.string().nullable(),
  display_name: z.string().nullable(),
  deleted_at: INSTANT.nullable(),
  groups: z.array(z.strictObject({ id: idOf("grp"), name: z.string() })),
});

/** The answer. A part is null where the token may not read it. */
const RECORD = z.strictObject({
  user: USER.extend({ inactive_since: INSTANT.nullable() }),
  fields: z.array(FIELD),
  reports: z.array(z.string()),
  links: z.array(LINK),
  scim: z.array(SCIM_USER),
  decisions: z.array(
    z.strictObject({
      kind: z.string(),
      connection_id: CONNECTION_ID,
      decided_at: INSTANT,
      released: NAMED.nullable(),
    }),
  ),
  merged: z.array(
    z.strictObject({ user_id: idOf("usr"), merged_at: INSTANT, undo_until: INSTANT, values: NAMED }),
  ),
  history: z.array(CHANGE),
  plans: z.array(CHANGE).nullable(),
  issues: z.array(
    z.strictObject({ run_id: RUN_ID, line: z.int().nullable(), cells: NAMED.nullable(), issues: z.array(NAMED) }),
  ).nullable(),
  events: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      timestamp: INSTANT,
      parts: z.array(NAMED),
      deliveries: z.array(NAMED),
    }),
  ).nullable(),
  audit: z.array(ENTRY).nullable(),
  drops: z.array(DROP).nullable(),
  erasure: ERASURE.nullable(),
  elsewhere: z.array(LEFT),
  left_out: z.array(z.strictObject({ part: z.string(), scope: z.string() })),
}).meta({ id: "UserRecord" });

/** A request for a record. */
interface Request {
  readonly c: Context<Env>;
  readonly stored: StoredUser;
  readonly found: PersonFound;
}

/** A part of the record: one value, or a list that is sent while it is read. */
interface Part {
  /** What reading it elsewhere needs besides `users:read`. */
  readonly scope?: Scope;
  readonly one?: (request: Request) => Promise<unknown> | unknown;
  readonly list?: (request: Request) => AsyncIterable<unknown> | Promise<Iterable<unknown>>;
}

/** In the order in which they are sent. The kept inputs are listed last: by then it is known which connections have the person. */
const PARTS: Readonly<Record<RecordPart, Part>> = {
  user: {
    one: async ({ c, stored }) => ({
      ...viewUser(stored),
      inactive_since: toInstantOrNull(await leftSince(c.get("hub").db, stored.user)),
    }),
  },
  fields: { list: async ({ c, stored }) => (await loadProvenance(c.get("hub").db, stored)).map(viewField) },
  reports: {
    list: ({ c, stored }) => mapped(readReportsOf(c.get("hub").db, stored.user), (id) => encodeId("usr", id)),
  },
  links: { list: viewLinks },
  scim: { list: viewScim },
  decisions: { list: viewDecisions },
  merged: { list: viewMerged },
  history: { list: ({ found }) => historyOf(found) },
  plans: { scope: "runs:read", list: ({ found }) => plansOf(found) },
  issues: { scope: "runs:read", list: ({ found }) => mapped(reportedRows(found), viewRow) },
  events: { scope: "webhooks:read", list: ({ found }) => mapped(eventsOf(found), viewEvent) },
  audit: { scope: "audit:read", list: readAudit },
  drops: { scope: "runs:read", list: ({ found }) => mapped(dropsOf(found), viewDrop) },
  erasure: {
    one: async ({ c, stored: { user } }) => {
      const erasure = await findErasure(c.get("hub").db, user.organizationId, user.id);
      return erasure === null ? null : await viewErasure(c.get("hub"), erasure);
    },
  },
};

const readRecord = route(
  describe("getUserRecord", "Get all that is kept about a person", {
    200: download({ "application/json": RECORD }, "One JSON, sent while it is read"),
  }, {
    description: "For a person who asks what is stored. Rows and events of others that mention the person are named " +
      "without their content. `left_out` lists parts that need another scope, `elsewhere` copies outside of the hub.",
    faults: ["merged"],
  }),
  requires("users:read"),
  async (c) => {
    const stored = await loadUser(c);
    const hub = c.get("hub");
    const found = await findPerson(hub, stored);
    await recordReading(hub.db, stored.user, hub.now(), byOf(c));
    return new Response(streamText(recordText({ c, stored, found })), {
      headers: {
        "content-type": "application/json",
        "content-disposition": attachment(`${encodeId("usr", stored.user.id)}.json`),
      },
    });
  },
);

export const userRecordRoutes: Hono<Env> = new Hono<Env>()
  .get("/:id/record", ...readRecord);

async function* recordText(request: Request): AsyncGenerator<string, void> {
  const { c, stored: { user }, found } = request;
  const leftOut: { part: string; scope: Scope }[] = [];
  let before = "{";
  for (const [name, { scope, one, list }] of Object.entries(PARTS) as [RecordPart, Part][]) {
    yield `${before}"${name}":`;
    before = ",\n";
    if (scope !== undefined && !allows(c.get("token").scopes, scope)) {
      leftOut.push({ part: name, scope });
      yield "null";
    } else if (list === undefined) yield JSON.stringify(await one!(request));
    else yield* listText(await list(request));
  }
  const hub = c.get("hub"), connections = [...found.search.connections];
  const copies = { organizationId: user.organizationId, connections, askedAt: hub.now() };
  yield `,\n"elsewhere":${JSON.stringify(await leftOf(hub, copies, []))},"left_out":${JSON.stringify(leftOut)}}\n`;
}

async function* listText(items: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string, void> {
  let before = "[";
  for await (const item of items) {
    yield `${before}${JSON.stringify(item)}`;
    before = ",\n";
  }
  yield before === "[" ? "[]" : "]";
}

async function* mapped<A, B>(items: AsyncIterable<A>, view: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield view(item);
}

async function viewLinks({ c, stored }: Request): Promise<z.infer<typeof LINK>[]> {
  return (await listLinksOf(c.get("hub").db, stored.user)).map(({ link, manager }) => ({
    connection_id: encodeId("con", link.connectionId),
    source_key: link.sourceKey,
    active: link.active,
    missing_since: toInstantOrNull(link.missingSince),
    withheld: link.withheld ?? {},
    waits_for_manager: manager?.value ?? null,
  }));
}

async function viewScim({ c, stored }: Request): Promise<z.infer<typeof SCIM_USER>[]> {
  return (await listScimOf(c.get("hub").db, stored.user)).map(({ resource, groups }) => ({
    connection_id: encodeId("con", resource.connectionId),
    user_name: resource.userName,
    external_id: resource.externalId,
    display_name: resource.displayName,
    deleted_at: toInstantOrNull(resource.removedAt),
    groups: groups.map(({ id, name }) => ({ id: encodeId("grp", id), name })),
  }));
}

async function viewDecisions({ c, stored }: Request) {
  return (await listDecisionsOf(c.get("hub").db, stored.user)).map(({ kind, connectionId, released, createdAt }) => ({
    kind,
    connection_id: encodeId("con", connectionId),
    decided_at: toInstant(createdAt),
    released: released === null ? null : { field: released.field, value: released.value, key: released.sourceKey },
  }));
}

async function viewMerged({ found }: Request) {
  return (await mergedOf(found)).map(({ userId, mergedAt, undoUntil, moved }) => ({
    user_id: encodeId("usr", userId),
    merged_at: toInstant(mergedAt),
    undo_until: toInstant(undoUntil),
    values: Object.fromEntries(Object.entries(columnsOf(moved.image)).filter(([, value]) => value !== null)),
  }));
}

function viewRow({ runId, line, cells, issues }: PartOf<typeof reportedRows>) {
  const shown = issues.map(({ severity, code, field, value, message, suggestion }) => ({
    severity,
    code,
    field,
    value,
    message,
    suggestion,
  }));
  return { run_id: encodeId("run", runId), line, cells, issues: shown };
}

function viewEvent({ id, type, at, parts, deliveries }: PartOf<typeof eventsOf>) {
  return {
    id: encodeId("evt", id),
    type,
    timestamp: toInstant(at),
    parts,
    deliveries: deliveries.map(({ id, endpointId, status, finishedAt }) => ({
      id: encodeId("dlv", id),
      endpoint_id: encodeId("whe", endpointId),
      status,
      finished_at: toInstantOrNull(finishedAt),
    })),
  };
}

type PartOf<T extends (found: PersonFound) => AsyncGenerator<unknown>> = T extends
  (found: PersonFound) => AsyncGenerator<infer Item> ? Item : never;

const ENTRIES = 200;

/** Entries about the person, the latest first. */
async function* readAudit({ c, stored: { user } }: Request): AsyncGenerator<z.infer<typeof ENTRY>> {
  const filter = { since: null, until: null, action: null, actor: null, subject: encodeId("usr", user.id) };
  for (let before: number | null = null;;) {
    const page = { before, limit: ENTRIES };
    const entries: Awaited<ReturnType<typeof listAudit>> = await listAudit(
      c.get("hub").db,
      user.organizationId,
      filter,
      page,
    );
    yield* entries.map(viewEntry);
    if (entries.length < ENTRIES) return;
    before = entries.at(-1)!.seq;
  }
}
