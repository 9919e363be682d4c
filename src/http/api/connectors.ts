/** The catalogue of connectors in this hub. */
import { Hono } from "hono";
import { z } from "zod";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { requires } from "../kit/authorize.ts";
import { listOf } from "../kit/shapes.ts";
import { COVERAGE } from "../../model/policy.ts";
import { SCHEDULE } from "../kit/values.ts";

const CONNECTOR = z.strictObject({
  name: z.string().meta({ examples: ["csv-upload"] }),
  title: z.string().meta({ examples: ["CSV upload"] }),
  version: z.string().meta({ examples: ["1.0.0"] }),
  coverage: COVERAGE,
  takes_drops: z.boolean().meta({ description: "True: input is uploaded; false: the source is fetched" }),
  settings: z.record(z.string(), z.unknown()).meta({ description: "As JSON Schema", examples: [{ type: "object" }] }),
  secrets: z.array(z.strictObject({
    name: z.string().meta({ examples: ["api_key"] }),
    title: z.string().meta({ examples: ["API key"] }),
    description: z.string().nullable(),
    multiline: z.boolean(),
  })).meta({ description: "Secrets of a connection, which are never shown", examples: [[]] }),
  auth: z.array(z.enum(["none", "basic", "bearer", "header", "oauth2"])).readonly()
    .meta({ description: "Ways to authorize requests, depending on the settings", examples: [["none"]] }),
  schedule: SCHEDULE.nullable().meta({ description: "Default schedule of its connections", examples: [null] }),
  checks: z.boolean().meta({ description: "Whether its connections can be tested" }),
}).meta({ id: "Connector" });

const list = route(
  describe("listConnectors", "List connectors", { 200: listOf(CONNECTOR) }, {
    description: "The catalogue of kinds of sources that this hub knows: their settings as JSON Schema, " +
      "their secrets and their default schedule. Never paged.",
  }),
  requires("connections:read"),
  (c) => {
    const data = [...c.get("hub").registry.values()].map((connector): z.infer<typeof CONNECTOR> => ({
      name: connector.name,
      title: connector.title,
      version: connector.version,
      coverage: connector.coverage,
      takes_drops: connector.takesDrops,
      settings: z.toJSONSchema(connector.settings as z.ZodType, { io: "input", unrepresentable: "any" }),
      secrets: Object.entries(connector.secrets ?? {}).map(([name, { title, description, multiline }]) => ({
        name,
        title,
        description: description ?? null,
        multiline: multiline ?? false,
      })),
      auth: connector.authKinds ?? ["none"],
      schedule: connector.schedule ?? null,
      checks: connector.check !== undefined,
    }));
    return c.json({ data, next_cursor: null });
  },
);

export const connectorRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list);
