/** The catalogue of connectors that this hub knows. */
import { Hono } from "hono";
import { z } from "zod";
import { describe } from "./describe.ts";
import type { Env } from "./env.ts";
import { requires } from "./authorize.ts";
import { listOf } from "./shapes.ts";
import { COVERAGE } from "./values.ts";

const CONNECTOR = z.strictObject({
  name: z.string().meta({ examples: ["csv-upload"] }),
  title: z.string().meta({ examples: ["CSV upload"] }),
  version: z.string().meta({ examples: ["1.0.0"] }),
  coverage: COVERAGE,
  takes_drops: z.boolean().meta({ description: "Whether it is handed its input, or fetches it" }),
  settings: z.record(z.string(), z.unknown()).meta({ description: "As JSON Schema", examples: [{ type: "object" }] }),
}).meta({ id: "Connector" });

export function connectorRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get(
    "/",
    describe("listConnectors", "The catalogue of connectors", { 200: listOf(CONNECTOR) }),
    requires("connections:read"),
    (c) => {
      const data = [...c.get("hub").registry.values()].map((connector): z.infer<typeof CONNECTOR> => ({
        name: connector.name,
        title: connector.title,
        version: connector.version,
        coverage: connector.coverage,
        takes_drops: connector.takesDrops,
        settings: z.toJSONSchema(connector.settings as z.ZodType, { io: "input", unrepresentable: "any" }),
      }));
      return c.json({ data, next_cursor: null });
    },
  );

  return routes;
}
