/** Decisions about a run: approve its plan, cancel it, revert it. */
import { Hono } from "hono";
import { z } from "zod";
import { approveRun, cancelRun } from "../../runs/approve.ts";
import { revertRun } from "../../runs/revert.ts";
import { isAtRest } from "../../store/runs/runs.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, json, PREFER, route, started } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { waitAsPreferred, waitForNew } from "../kit/prefer.ts";
import { loadRun } from "./runs.ts";
import { RUN_STARTED } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";

/** The hash of the plan that the client has reviewed. No other plan is approved. */
const APPROVAL = z.strictObject({ plan_hash: z.string().min(1) });

const approve = route(
  describe("approveRun", "Approve a plan", {
    200: json(RUN_STARTED, {}, "The run has ended, or waits for a decision again"),
    202: json(RUN_STARTED, {}, "The plan is being applied"),
  }, {
    description: "Applies the plan of a held or planned run. `plan_hash` must be that of the current plan, " +
      "so nothing unseen is approved.",
    headers: [PREFER],
    faults: ["conflict", "plan_changed"],
  }),
  requires("runs:approve"),
  jsonBody(APPROVAL),
  async (c) => {
    const { run } = await loadRun(c);
    await approveRun(c.get("hub"), run.organizationId, run.id, c.req.valid("json").plan_hash, byOf(c));
    const answer = await waitAsPreferred(c, run.id);
    return c.json({ run: answer.run }, answer.status);
  },
);

const cancel = route(
  describe("cancelRun", "Cancel a run", {
    200: json(RUN_STARTED, {}, "The run is cancelled"),
    202: json(RUN_STARTED, {}, "The run stops after its current batch"),
  }, {
    description: "A waiting run ends at once, one that applies after its current batch; what is applied stays.",
    headers: [PREFER],
    faults: ["conflict"],
  }),
  requires("runs:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { run } = await loadRun(c);
    await cancelRun(c.get("hub"), run.organizationId, run.id, byOf(c));
    const { run: view } = await waitAsPreferred(c, run.id);
    return c.json({ run: view }, isAtRest(view.status) ? 200 : 202);
  },
);

const revert = route(
  describe("revertRun", "Revert a run", {
    200: started(RUN_STARTED, "The inverse is planned"),
    202: started(RUN_STARTED, "The inverse is being planned"),
  }, {
    description: "Plans the inverse of what a run has applied, which waits for approval.",
    headers: [PREFER],
    faults: ["conflict", "queue_full"],
  }),
  requires("runs:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { run } = await loadRun(c);
    const id = await revertRun(c.get("hub"), run.organizationId, run.id, byOf(c));
    const answer = await waitForNew(c, id);
    return c.json({ run: answer.run }, answer.status);
  },
);

export const runDecisionRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/approve", ...approve)
  .post("/:id/cancel", ...cancel)
  .post("/:id/revert", ...revert);
