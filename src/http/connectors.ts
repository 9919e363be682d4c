/** The catalogue of connectors that this hub knows. */
import { Hono } from "hono";
import { z } from "zod";
import type { Env } from "./env.ts";
import { requires } from "./authorize.ts";

export function connectorRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get("/", requires("connections:read"), (c) => {
    const data = [...c.get("hub").registry.values()].map((connector) => ({
      name: connector.name,
      title: connector.title,
      version: connector.version,
      coverage: connector.coverage,
      takes_drops: connector.takesDrops,
      settings: z.toJSONSchema(connector.settings as z.ZodType, { io: "input", unrepresentable: "any" }),
    }));
    return c.json({ data, next_cursor: null });
  });

  return routes;
}
