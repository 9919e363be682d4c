/** Whether the process answers, and whether its database does. Without a token, for whoever starts and stops it. */
import { Hono } from "hono";
import { Fault } from "../errors.ts";
import { listOrganizations } from "../store/organizations.ts";
import type { Env } from "./env.ts";

export function healthRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get("/healthz", (c) => c.json({ status: "ok" }));

  routes.get("/readyz", async (c) => {
    try {
      await listOrganizations(c.get("hub").db, { after: 0, limit: 1 });
    } catch (cause) {
      throw new Fault("unavailable", "The database does not answer, or lacks its tables", { cause });
    }
    return c.json({ status: "ready" });
  });

  return routes;
}
