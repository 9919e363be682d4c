/** Events as they were sent, or are to be, while they are kept: to build a receiver, or to catch up. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { dataFor, EVENT_TYPES } from "../../model/event.ts";
import { type Event, findEvent, listEvents } from "../../store/notify/events.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { toInstant } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, json } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { EVENT } from "./event-shapes.ts";
import { page, PAGING, readCursor } from "../kit/paging.ts";
import { listOf } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";

const FILTER = z.strictObject({
  ...PAGING,
  type: z.enum(EVENT_TYPES).optional().meta({ description: "Events of this type only" }),
});

/** As an endpoint with these scopes gets it. Links are made for receivers only. */
function viewFor(scopes: readonly string[]) {
  return (event: Event) => ({
    id: encodeId("evt", event.id),
    type: event.type,
    timestamp: toInstant(event.createdAt),
    data: dataFor(scopes, event),
  });
}

const list = route(
  describe("listEvents", "List events", { 200: listOf(EVENT) }, {
    description: "The newest first, for as long as they are kept. Use it to build a receiver or to find " +
      "what one missed.",
  }),
  requires("webhooks:read"),
  query(FILTER),
  async (c) => {
    const { limit, cursor, type } = c.req.valid("query");
    const before = readCursor("events", cursor);
    const filter = { type: type ?? null };
    const organizationId = c.get("organization").id;
    const shown = { before, limit: limit + 1 };
    const rows = filter.type === null
      ? await listEvents(c.get("hub").db, organizationId, filter, shown)
      : await readHeavy(c.get("hub"), "listEvents", askerOf(c), organizationId, filter, shown);
    const view = viewFor(c.get("token").scopes);
    return c.json(page("events", rows, limit, (event) => event.id, view));
  },
);

const get = route(
  describe("getEvent", "Get an event", { 200: json(EVENT) }, {
    description: "The event as endpoints receive it, but without links, which are made when it is sent.",
  }),
  requires("webhooks:read"),
  async (c) => {
    const name = c.req.param("id");
    const id = decodeId("evt", name);
    const event = id === null ? null : await findEvent(c.get("hub").db, c.get("organization").id, id);
    if (event === null) throw new Fault("not_found", `There is no event "${name}"`);
    return c.json(viewFor(c.get("token").scopes)(event));
  },
);

export function eventRoutes(): Hono<Env> {
  return new Hono<Env>()
    .get("/", ...list)
    .get("/:id", ...get);
}
