/** Whether the process answers, and whether its database does. Without a token, for whoever starts and stops it. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { listOrganizations } from "../../store/organizations.ts";
import { describe } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

const HEALTH = z.strictObject({ status: z.literal("ok") });
const READY = z.strictObject({ status: z.literal("ready") });

export function healthRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get(
    "/healthz",
    describe("getHealth", "Whether the process answers", { 200: HEALTH }),
    (c) => c.json({ status: "ok" }),
  );

  routes.get(
    "/readyz",
    describe("getReadiness", "Whether the database answers too", { 200: READY }, { faults: ["unavailable"] }),
    async (c) => {
      try {
        await listOrganizations(c.get("hub").db, { after: 0, limit: 1 });
      } catch (cause) {
        throw new Fault("unavailable", "The database does not answer, or lacks its tables", { cause });
      }
      return c.json({ status: "ready" });
    },
  );

  return routes;
}
