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
    description:
      "Answers 503, with the reasons, while the database or its disk cannot be used or no runs are carried. " +
      "Use it as a readiness probe.",
    faults: ["unavailable"],
  }),
  async (c) => {
    const hub = c.get("hub");
    try {
      await listOrganizations(hub.db, { after: 0, limit: 1 });
    } catch (cause) {
      throw new Fault("unavailable", describeTrouble(cause) ?? "The database is unavailable or has no tables", {
        cause,
      });
    }
    const reasons = await hub.readiness?.() ?? [];
    if (reasons.length > 0) throw new Fault("unavailable", reasons.join(". "));
    return c.json({ status: "ready" });
  },
);

export const healthRoutes: Hono<Env> = new Hono<Env>()
  .get("/healthz", ...getHealth)
  .get("/readyz", ...getReadiness);
