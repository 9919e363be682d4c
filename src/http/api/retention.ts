/** How long the organization keeps leavers and history: its settings, who is due, and approving a pass that holds. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Hub } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { leaversDueAt, NO_RETENTION, PASS_EVERY_MS, RETENTION, type Retention } from "../../model/retention.ts";
import { allows } from "../../model/scope.ts";
import { limitAtOnce } from "../../people/retention-limit.ts";
import { DAY_MS, toInstantOrNull } from "../../std/time.ts";
import { countLeaving } from "../../store/people/leavers.ts";
import { findOrganization, type Organization } from "../../store/organizations.ts";
import { approveHeld, heldOf } from "../../store/retention.ts";
import type { Run } from "../../store/runs/runs.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { INSTANT } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";

const COUNT = z.int().min(0);
const HELD = COUNT.nullable();

/** As the organization shows it. */
export const RETENTION_SHOWN = RETENTION.extend({ held: HELD }).meta({ id: "Retention" });
/** What may be changed of it. */
export const RETENTION_CHANGES = RETENTION.partial().meta({ id: "RetentionChanges" });

const STATE = z.strictObject({
  held: HELD.meta({ description: "Leavers who wait for approval" }),
  limit: COUNT.meta({ description: "How many need none" }),
  due: COUNT,
  due_in_30_days: COUNT,
  next_pass_at: INSTANT.nullable(),
}).meta({ id: "RetentionState" });

export function viewRetention({ retention, retentionHeld: held }: Organization): z.infer<typeof RETENTION_SHOWN> {
  return { ...(retention ?? NO_RETENTION), held };
}

/** The settings after a change; undefined: they stay as they are. Fails with `forbidden` without `users:erase`. */
export function changedRetention(
  c: Context<Env>,
  { retention }: Organization,
  changes: z.infer<typeof RETENTION_CHANGES> | undefined,
): Retention | undefined {
  if (changes === undefined) return undefined;
  if (!allows(c.get("token").scopes, "users:erase")) {
    throw new Fault("forbidden", 'The token lacks the scope "users:erase", which is needed for changing "retention"');
  }
  const before = retention ?? NO_RETENTION;
  const after = { ...before, ...changes };
  const names = Object.keys(after) as (keyof Retention)[];
  return names.every((name) => after[name] === before[name]) ? undefined : after;
}

const get = route(
  describe("getRetention", "Get the state of the retention", { 200: STATE }, {
    description: "How many leavers are due for erasure; `erasure_due_before` lists them.",
  }),
  requires("users:read"),
  async (c) => c.json(await viewState(c.get("hub"), c.get("organization").id)),
);

const approve = route(
  describe("approveRetention", "Approve a held erasure of leavers", { 200: STATE }, {
    description: "Refused unless `count` is the number in `held`.",
    faults: ["conflict"],
  }),
  requires("users:erase"),
  jsonBody(z.strictObject({ count: z.int().min(1) }).meta({ id: "RetentionApproval" })),
  async (c) => {
    const hub = c.get("hub"), { id } = c.get("organization");
    const { count } = c.req.valid("json");
    const organization = (await findOrganization(hub.db, id))!;
    const held = heldOf(organization);
    if (held === null) throw new Fault("conflict", "No erasure of leavers is held; there is nothing to approve");
    if (!await approveHeld(hub.db, organization, held, count, { by: byOf(c), now: hub.now() })) {
      const people = await countLeaving(hub.db, held);
      throw new Fault("conflict", `${people} leavers are held by now, and not ${count}; look at them again`);
    }
    hub.wake();
    return c.json(await viewState(hub, id));
  },
);

export const retentionRoutes: Hono<Env> = new Hono<Env>()
  .get("/organization/retention", ...get)
  .post("/organization/retention/approve", ...approve);

const SOON_MS = 30 * DAY_MS;

async function viewState({ db, now }: Hub, id: number): Promise<z.infer<typeof STATE>> {
  const organization = (await findOrganization(db, id))!;
  const { retentionAt } = organization;
  const retention = organization.retention ?? NO_RETENTION;
  const held = heldOf(organization);
  const dueAt = async (at: number) => {
    const until = leaversDueAt(retention, at);
    return until === null ? 0 : await countLeaving(db, { organizationId: id, until });
  };
  return {
    // Somebody may have come back since the pass.
    held: held === null ? null : await countLeaving(db, held),
    limit: await limitAtOnce(db, id, retention),
    due: await dueAt(now()),
    due_in_30_days: await dueAt(now() + SOON_MS),
    next_pass_at: toInstantOrNull(retentionAt === null ? null : retentionAt + PASS_EVERY_MS),
  };
}

/** Fails with `not_found` when the changes and the report of the run were deleted with the organization's old history. */
export function requireHistory(c: Context<Env>, { finishedAt }: Run): void {
  const until = c.get("organization").historyUntil;
  if (until === null || finishedAt === null || finishedAt >= until) return;
  throw new Fault("not_found", "The run's changes and report were deleted with the organization's old history");
}
