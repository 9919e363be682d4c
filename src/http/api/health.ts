/** Liveness and readiness of the process. No token is needed, as supervisors have none. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { listOrganizations } from "../../store/organizations.ts";
import { describeTrouble } from "../../store/trouble.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

const HEALTH = z.strictObject({ status: z.literal("ok") });
const READY = z.strictObject({ status: z.literal("ready") });

const getHealth = route(
  describe("getHealth", "Check that the process is up", { 200: HEALTH }, {
    description: "Answers as long as the process runs; the database is not asked. Use it as a liveness probe.",
  }),
  (c) => c.json({ status: "ok" }),
);

const getReadiness = route(
  describe("getReadiness", "Check that the hub can serve requests", { 200: READY }, {
    description: "Asks the database as well, and answers 503 while it is unavailable. Use it as a readiness probe.",
    faults: ["unavailable"],
  }),
  async (c) => {
    try {
      await listOrganizations(c.get("hub").db, { after: 0, limit: 1 });
    } catch (cause) {
      throw new Fault("unavailable", describeTrouble(cause) ?? "The database is unavailable or has no tables", {
        cause,
      });
    }
    return c.json({ status: "ready" });
  },
);

export const healthRoutes: Hono<Env> = new Hono<Env>()
  .get("/healthz", ...getHealth)
  .get("/readyz", ...getReadiness);
