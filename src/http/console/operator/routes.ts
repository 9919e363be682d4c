/** The operator's pages. Their list of organizations is at `/o`, before those of each organization. */
import { Hono } from "hono";
import type { Env } from "../../kit/env.ts";
import { showBridges, showConnectors } from "./lists.ts";
import { applyTemplate, planTemplate } from "./template-apply.ts";
import { showTemplate, showTemplates } from "./templates.ts";

export const operatorRoutes: Hono<Env> = new Hono<Env>()
  .get("/bridges", ...showBridges)
  .get("/connectors", ...showConnectors)
  .get("/templates", ...showTemplates)
  .get("/templates/:id", ...showTemplate)
  .post("/templates/:id/plan", ...planTemplate)
  .post("/templates/:id/apply", ...applyTemplate);
