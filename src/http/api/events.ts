/** Stored events, as endpoints receive them: for building a receiver, or for finding what one missed. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { dataFor, nameOrganization } from "../../model/event.ts";
import type { Database } from "../../store/database.ts";
import { type Event, findEvent, listEvents } from "../../store/notify/events.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { toInstant } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { EVENT, EVENT_TYPE } from "./event-shapes.ts";
import { answerList, PAGING, type Place } from "../kit/paging.ts";
import { listOf } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";
import { byId, loader } from "../kit/load.ts";

const FILTER = z.strictObject({
  ...PAGING,
  type: EVENT_TYPE.optional().meta({ description: "Events of this type only" }),
});

/** The event as an endpoint with the scopes of the caller's token receives it, but without links, which are created for receivers only. */
function viewFor(c: Context<Env>) {
  const { scopes } = c.get("token");
  const organization = nameOrganization(c.get("organization"));
  return (event: Event) => ({
    id: encodeId("evt", event.id),
    type: event.type,
    timestamp: toInstant(event.createdAt),
    data: { organization, ...dataFor(scopes, event) },
  });
}

const loadEvent = loader("event", byId("evt", findEvent));

const list = route(
  describe("listEvents", "List events", { 200: listOf(EVENT) }, {
    description: "The newest first, for as long as they are kept. Use it to build a receiver or to find " +
      "what one missed.",
  }),
  requires("webhooks:read"),
  query(FILTER),
  (c) => {
    const filter = { type: c.req.valid("query").type ?? null };
    const load = (db: Database, id: number, place: Place) =>
      filter.type === null
        ? listEvents(db, id, filter, place)
        : readHeavy(c.get("hub"), "listEvents", askerOf(c), id, filter, place);
    return answerList(c, "events", load, (event) => event.id, viewFor(c));
  },
);

const get = route(
  describe("getEvent", "Get an event", { 200: json(EVENT) }, {
    description: "The event as endpoints receive it, but without links, which are made when it is sent.",
  }),
  requires("webhooks:read"),
  async (c) => c.json(viewFor(c)(await loadEvent(c))),
);

export const eventRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get);
