/** Where each value of a user comes from. */
import { Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { loadProvenance, type Provenance } from "../../people/provenance.ts";
import { toInstantOrNull } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";
import { loadUser } from "./users.ts";

export const FIELD = z.strictObject({
  field: z.string().meta({ examples: ["title"] }),
  value: z.unknown().meta({ examples: ["Engineer"] }),
  since: INSTANT.nullable(),
  source: z.strictObject({
    connection_id: idOf("con").nullable(),
    run: idOf("run").nullable(),
    file: z.string().nullable().meta({ examples: ["people.csv"] }),
    line: z.int().nullable().meta({ examples: [12] }),
    by: z.strictObject({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable()
      .meta({ examples: [null] }),
  }),
  others: z.array(z.strictObject({ connection_id: idOf("con"), value: z.string() }))
    .meta({ examples: [[]] }),
}).meta({ id: "UserField" });

const FIELDS = z.strictObject({ id: idOf("usr"), version: z.int(), fields: z.array(FIELD) }).meta({ id: "UserFields" });
export type UserFields = z.infer<typeof FIELDS>;

const listFields = route(
  describe("listUserFields", "Show where a user's values come from", { 200: FIELDS }, {
    description: "Each field with the connection, run, file and line that brought it, or who wrote it by hand; since " +
      "when (null: before the history that is kept); and what other connections say that differs.",
    faults: ["merged"],
  }),
  requires("users:read"),
  async (c) => {
    const stored = await loadUser(c);
    const fields = await loadProvenance(c.get("hub").db, stored);
    return c.json({ id: encodeId("usr", stored.user.id), version: stored.version, fields: fields.map(viewField) });
  },
);

export function viewField({ field, value, since, connectionId, run, hand, others }: Provenance): z.infer<typeof FIELD> {
  return {
    field: field === "department_name" ? "department" : field,
    value: field === "manager" && typeof value === "number" ? encodeId("usr", value) : value,
    since: toInstantOrNull(since),
    source: {
      connection_id: connectionId === null ? null : encodeId("con", connectionId),
      run: run === null ? null : encodeId("run", run.id),
      file: run?.drop ?? null,
      line: run?.line ?? null,
      by: hand,
    },
    others: others.map((other) => ({ connection_id: encodeId("con", other.connectionId), value: other.value })),
  };
}

export const userFieldRoutes: Hono<Env> = new Hono<Env>()
  .get("/:id/fields", ...listFields);
