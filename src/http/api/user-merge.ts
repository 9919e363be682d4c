/** Merging two records of one person, and undoing that. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { applyMerge, type MergePlan, planMerge } from "../../people/merge.ts";
import { undoMerge, type Undone } from "../../people/merge-undo.ts";
import type { ImageColumn } from "../../reconcile/image.ts";
import { nameOf } from "../../reconcile/merge-fields.ts";
import { toInstantOrNull } from "../../std/time.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import { findMerge, type Merge } from "../../store/people/merges.ts";
import type { MovedLink } from "../../store/people/schema-merges.ts";
import type { StoredUser } from "../../store/people/users.ts";
import { requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { readsPeople } from "../kit/reading.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { requireMatch, writeVersion } from "../kit/version.ts";
import { loadAnyUser, loadUser } from "./users.ts";

const WISH = z.strictObject({
  into: idOf("usr").meta({ description: "The record that stays" }),
  mode: z.enum(["plan", "apply"]),
  unlink: z.array(idOf("con")).max(1000).default([]).meta({
    description: "Connections in which both have a key: that of the record that goes is given up",
  }),
  same_person: z.boolean().default(false).meta({ description: "Needed to apply where `contradicts` names fields" }),
});

const LINKS = z.array(z.strictObject({ connection_id: idOf("con"), source_key: z.string().nullable() }))
  .meta({ id: "MergedLinks", examples: [[{ connection_id: "con_2", source_key: "000123" }]] });
const USERS = z.array(z.string()).meta({ examples: [["usr_4"]] });

const MERGE = z.strictObject({
  user_id: idOf("usr"),
  into: idOf("usr"),
  status: z.enum(["planned", "merged"]),
  undo_until: INSTANT.nullable(),
  links: LINKS,
  unlinked: LINKS,
  reports: USERS,
  filled: z.array(z.string()).meta({ examples: [["phone"]] }),
  lost: z.array(z.strictObject({ field: z.string(), kept: z.unknown(), lost: z.unknown() }))
    .meta({ description: "Values are null without `users:read`", examples: [[]] }),
  contradicts: z.array(z.string()).readonly().meta({
    description: "By which they look like two people",
    examples: [[]],
  }),
  obstacles: z.array(z.string()).readonly().meta({ examples: [[]] }),
}).meta({ id: "Merge" });

export type MergeView = z.infer<typeof MERGE>;

const UNDONE = z.strictObject({
  user_id: idOf("usr"),
  from: idOf("usr"),
  links: LINKS,
  reports: USERS,
  left: z.array(z.string()).readonly().meta({ description: "What could not be brought back", examples: [[]] }),
}).meta({ id: "MergeUndone" });

export type UndoneView = z.infer<typeof UNDONE>;

const merge = route(
  describe("mergeUser", "Merge a record of a person into another", { 200: json(MERGE) }, {
    description:
      "Links, history and reports move to `into`, which keeps its values and gets those it lacks. This record " +
      "then leads there (301). `plan` only shows that. It can be undone for 30 days.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("users:write"),
  requires("runs:approve"),
  jsonBody(WISH),
  async (c) => {
    const { into, mode, unlink, same_person: isSame } = c.req.valid("json");
    const wish = {
      intoId: requireId("usr", into, "/into"),
      unlink: unlink.map((id, place) => requireId("con", id, `/unlink/${place}`)),
      quotesKeys: readsPeople(c),
    };
    const done = await findDone(c, wish.intoId);
    if (done !== null) return c.json(viewMerge(c, done, "merged", await findMerge(c.get("hub").db, done.user)));
    if (mode === "plan") {
      const current = await loadUser(c);
      requireMatch(c, current);
      return c.json(viewMerge(c, await planMerge(c.get("hub").db, current, wish), "planned", null));
    }
    const plan = await writeVersion(c, loadUser, async (db, current, now, by) => {
      const plan = await planMerge(db, current, wish);
      const [detail] = plan.obstacles;
      if (detail !== undefined) throw new Fault("conflict", detail, { errors: [{ pointer: "/into", detail }] });
      if (plan.contradicts.length > 0 && !isSame) throw looksLikeTwo(plan);
      try {
        return await applyMerge(db, plan, now, by) ? plan : null;
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        const detail =
          `"${into}" would be active again, and another active user has its email; change one of them first`;
        throw new Fault("conflict", detail, { cause });
      }
    });
    return c.json(viewMerge(c, plan, "merged", await findMerge(c.get("hub").db, plan.user)));
  },
);

const undo = route(
  describe("undoMergeUser", "Undo a merge", { 200: json(UNDONE) }, {
    description: "Brings back what was moved and has not changed since; `left` says what it could not. Within 30 days.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("users:write"),
  requires("runs:approve"),
  async (c) => {
    const from = (await loadAnyUser(c)).user.mergedInto ?? 0;
    const undone = await writeVersion(c, loadAnyUser, async (db, current, now, by) => {
      try {
        return await undoMerge(db, current, now, by);
      } catch (error) {
        if (isUniqueViolation(error)) return null;
        throw error;
      }
    });
    return c.json(viewUndone(c, await loadAnyUser(c), from, undone));
  },
);

export const userMergeRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/merge", ...merge)
  .delete("/:id/merge", ...undo);

function requireId(prefix: "usr" | "con", text: string, pointer: string): number {
  const id = decodeId(prefix, text);
  if (id !== null) return id;
  const detail = `"${text}" is no id of a ${prefix === "usr" ? "user" : "connection"}`;
  throw new Fault("unprocessable", detail, { errors: [{ pointer, detail }] });
}

type Shown = Pick<MergePlan, "user" | "into" | "links" | "unlinked" | "contradicts" | "obstacles"> & {
  readonly combined: Pick<MergePlan["combined"], "filled" | "lost">;
  readonly reports: readonly { readonly id: number }[];
};

/** The merge that the request asks for, if it was done before; null: it was not. */
async function findDone(c: Context<Env>, intoId: number): Promise<Shown | null> {
  const { user } = await loadAnyUser(c);
  if (user.mergedInto !== intoId) return null;
  const { db } = c.get("hub"), into = await loadAnyUser(c, encodeId("usr", intoId));
  const moved = (await findMerge(db, user))?.moved;
  const reports = (moved?.reports ?? []).map((id) => ({ id }));
  const filled = (Object.keys(moved?.after ?? {}) as ImageColumn[]).map(nameOf);
  const { links = [], unlinked = [] } = moved ?? {};
  return {
    user,
    into: into.user,
    links,
    unlinked,
    reports,
    combined: { filled, lost: [] },
    contradicts: [],
    obstacles: [],
  };
}

function looksLikeTwo({ user, into, contradicts }: MergePlan): Fault {
  const detail = `"${encodeId("usr", user.id)}" and "${encodeId("usr", into.id)}" look like two people, by ` +
    `${contradicts.join(", ")}; if they are one, send "same_person": true`;
  return new Fault("conflict", detail, { errors: [{ pointer: "/same_person", detail }] });
}

function viewMerge(
  c: Context<Env>,
  { user, into, combined, links, unlinked, reports, contradicts, obstacles }: Shown,
  status: "planned" | "merged",
  stored: Merge | null,
): z.infer<typeof MERGE> {
  const isShown = readsPeople(c);
  return {
    user_id: encodeId("usr", user.id),
    into: encodeId("usr", into.id),
    status,
    undo_until: toInstantOrNull(stored?.undoUntil ?? null),
    links: links.map((link) => viewLink(link, isShown)),
    unlinked: unlinked.map((link) => viewLink(link, isShown)),
    reports: reports.map(({ id }) => encodeId("usr", id)),
    filled: [...combined.filled],
    lost: combined.lost.map(({ field, kept, lost }) => ({
      field,
      kept: isShown ? viewValue(field, kept) : null,
      lost: isShown ? viewValue(field, lost) : null,
    })),
    contradicts,
    obstacles,
  };
}

function viewUndone(c: Context<Env>, { user }: StoredUser, from: number, undone: Undone): z.infer<typeof UNDONE> {
  return {
    user_id: encodeId("usr", user.id),
    from: encodeId("usr", from),
    links: undone.links.map((link) => viewLink(link, readsPeople(c))),
    reports: undone.reports.map((id) => encodeId("usr", id)),
    left: undone.left,
  };
}

/** Departments and managers by their ids. */
function viewValue(field: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  return field === "department_name" ? encodeId("dep", value) : field === "manager" ? encodeId("usr", value) : value;
}

/** A key may be an address. */
function viewLink({ connectionId, sourceKey }: MovedLink, isShown: boolean) {
  return { connection_id: encodeId("con", connectionId), source_key: isShown ? sourceKey : null };
}
