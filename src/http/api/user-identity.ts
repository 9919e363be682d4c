/** Rows that would make a user somebody else: the same person (accept), or somebody new (release); and taking that back. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId } from "../../model/id.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import {
  acceptRow,
  type ConflictingRow,
  findDecision,
  type IdentityDecision,
  releaseUser,
  takeBackAcceptance,
  takeBackRelease,
} from "../../store/people/identities.ts";
import { findIssue } from "../../store/runs/issues.ts";
import { findRun } from "../../store/runs/runs.ts";
import { requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { readsPeople } from "../kit/reading.ts";
import { idOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { withVersion, writeVersion } from "../kit/version.ts";
import { loadUser } from "./users.ts";
import { USER, USER_CHANGED, viewChanged, viewUser } from "./user-view.ts";

const ROW = z.strictObject({
  run: idOf("run").meta({ description: "The run that refused the row" }),
  issue: idOf("iss").meta({ description: "Its `identity_conflict`, from the run's issues" }),
});
const CHANGED = { 200: versioned(z.union([USER, USER_CHANGED])) };
const FAULTS = { headers: [IF_MATCH], faults: ["conflict" as const] };

const accept = route(
  describe("acceptRow", "Accept a row as the same person's", CHANGED, {
    ...FAULTS,
    description:
      "A row was refused because it would make this user somebody else. Accepted, it is applied the next time.",
  }),
  requires("runs:approve"),
  jsonBody(ROW),
  async (c) => {
    const row = await rowOf(c, c.req.valid("json"));
    await writeVersion(c, loadUser, async (db, current, now, by) => {
      await acceptRow(db, current, row, now, by);
      return true;
    });
    return await changed(c);
  },
);

const undoAccept = route(
  describe("undoAcceptRow", "Take an accepted row back", CHANGED, {
    ...FAULTS,
    description: "The row is refused again. What it has changed by then is not undone: revert that run.",
  }),
  requires("runs:approve"),
  async (c) => {
    await writeVersion(c, loadUser, async (db, current, now, by) => {
      await takeBackAcceptance(db, current.user, await decisionOf(c, "accept"), now, by);
      return true;
    });
    return await changed(c);
  },
);

const release = route(
  describe("releaseUser", "Release a user's id for somebody new", CHANGED, {
    ...FAULTS,
    description:
      "A row would make this user somebody else. Released, the user stays, inactive and without that id or address, and the row makes a new person.",
  }),
  requires("runs:approve"),
  jsonBody(ROW),
  async (c) => {
    const row = await rowOf(c, c.req.valid("json"));
    await writeVersion(
      c,
      loadUser,
      async (db, current, now, by) => await releaseUser(db, current, row, now, by) || null,
    );
    return await changed(c);
  },
);

const undoRelease = route(
  describe("undoReleaseUser", "Give a user's id back", CHANGED, {
    ...FAULTS,
    description: "The user is as before the release, unless somebody has the id or address by now.",
  }),
  requires("runs:approve"),
  async (c) => {
    try {
      await writeVersion(
        c,
        loadUser,
        async (db, current, now, by) =>
          await takeBackRelease(db, current, await decisionOf(c, "release"), now, by) || null,
      );
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      throw new Fault("conflict", "Somebody else has the id or address by now: release that person first", { cause });
    }
    return await changed(c);
  },
);

export const userIdentityRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/accept", ...accept)
  .delete("/:id/accept", ...undoAccept)
  .post("/:id/release", ...release)
  .delete("/:id/release", ...undoRelease);

/** The row of an issue about the path's user. Fails with `not_found`, or with `conflict` if it is about something else. */
async function rowOf(c: Context<Env>, named: z.infer<typeof ROW>): Promise<ConflictingRow> {
  const { db } = c.get("hub"), organizationId = c.get("organization").id;
  const { user } = await loadUser(c);
  const found = await findRun(db, organizationId, decodeId("run", named.run)!);
  const issue = found === null
    ? null
    : await findIssue(db, organizationId, found.run.id, decodeId("iss", named.issue)!);
  if (found === null || issue === null) {
    throw new Fault("not_found", `The run "${named.run}" has no issue "${named.issue}"`);
  }
  const { conflict } = issue.issue;
  if (conflict === undefined || conflict.user !== user.id || issue.key === null) {
    throw new Fault("conflict", "The issue does not say that a row would make this user somebody else");
  }
  const { field, fingerprint } = conflict;
  return { connectionId: found.run.connectionId, sourceKey: issue.key, field, fingerprint };
}

async function decisionOf(c: Context<Env>, kind: IdentityDecision["kind"]): Promise<IdentityDecision> {
  const { user } = await loadUser(c);
  const decision = await findDecision(c.get("hub").db, user, kind);
  if (decision !== null) return decision;
  const what = kind === "accept" ? "No row was accepted for" : "Nothing was released of";
  throw new Fault("not_found", `${what} this user`);
}

async function changed(c: Context<Env>): Promise<Response> {
  const user = await loadUser(c);
  return withVersion(c, user, readsPeople(c) ? viewUser(user) : viewChanged(user));
}
