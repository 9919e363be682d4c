/** The columns of a drop, for people who decide where each belongs. */
import { Hono } from "hono";
import { z } from "zod";
import { COLUMN_REASONS } from "../../intake/explain-columns.ts";
import { Fault } from "../../model/errors.ts";
import { readDropColumns } from "../../runs/drop-columns.ts";
import { findConnectionById } from "../../store/connections/connections.ts";
import { requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { counted } from "../kit/in-flight.ts";
import { readsInput } from "../kit/reading.ts";
import { ENTITY } from "../kit/values.ts";
import { loadDrop } from "./drops.ts";

const COLUMN = z.strictObject({
  column: z.string().meta({ examples: ["E-Mail"] }),
  field: z.string().nullable().meta({ description: "Null: not used", examples: ["email"] }),
  because: z.enum(COLUMN_REASONS).meta({
    description: "By whose `mapping`, by its `name`, or why not",
  }),
  suggestion: z.string().nullable().meta({ description: "Perhaps meant" }),
  samples: z.array(z.string()).nullable().meta({ description: "Null: not for you to read" }),
}).meta({ id: "DropColumn" });

const COLUMNS = z.strictObject({ entity: ENTITY, columns: z.array(COLUMN) }).meta({ id: "DropColumns" });

export type DropColumnsView = z.infer<typeof COLUMNS>;

const list = route(
  describe("listDropColumns", "List its columns", { 200: json(COLUMNS) }, {
    description:
      "What its connection would read each column as now: also of a file that could not be read for want of " +
      "one. Values need `users:read`, unless the same token uploaded them.",
    faults: ["content_expired", "too_many_in_flight", "unavailable", "unprocessable"],
  }),
  requires("runs:own"),
  async (c) => {
    const hub = c.get("hub"), drop = await loadDrop(c);
    const connection = await findConnectionById(hub.db, drop.organizationId, drop.connectionId);
    if (connection === null) throw new Fault("not_found", "The connection of this drop is no longer there");
    const { entity, columns } = await counted(
      c,
      "explanations",
      () => readDropColumns(hub, connection, drop, askerOf(c)),
    );
    const hasValues = readsInput(c, drop);
    return c.json({ entity, columns: columns.map((each) => hasValues ? each : { ...each, samples: null }) });
  },
);

export const dropColumnRoutes: Hono<Env> = new Hono<Env>().get("/:id/columns", ...list);
