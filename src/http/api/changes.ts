/** Changes: the feed of everything that was applied in an organization, and the history of one user. */
import { Hono } from "hono";
import { z } from "zod";
import { toInstantOrNull } from "../../std/time.ts";
import { loadMarks } from "../../store/restore.ts";
import { listFeed, listUserHistory } from "../../store/runs/changes.ts";
import { requires } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerListed, cursorAfter, PAGED, readCursor } from "../kit/paging.ts";
import { CHANGE, INSTANT, listOf } from "../kit/shapes.ts";
import { loadUser } from "./users.ts";

const FEED = listOf(CHANGE).extend({
  resume_cursor: z.string().meta({ description: "Cursor to continue from later, also at the end of the feed" }),
  deleted_until: INSTANT.nullable().meta({
    description: "Older changes are gone",
    examples: [null],
  }),
  restored_at: INSTANT.nullable().meta({
    description: "When the hub was last restored from a backup; where it changes, read all users again",
    examples: [null],
  }),
});

const readFeed = route(
  describe("listChanges", "Read the feed of changes", { 200: FEED }, {
    description: "Every applied change in order: the pull twin of the webhooks. Store `resume_cursor` and " +
      "continue from there; nothing is skipped or repeated.",
  }),
  requires("users:read"),
  PAGED,
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor("feed", cursor) ?? 0;
    const { db } = c.get("hub");
    const { changes, next } = await listFeed(db, c.get("organization").id, { after, limit });
    return c.json({
      data: changes,
      next_cursor: next === null ? null : cursorAfter("feed", next),
      // At the end of the feed there is no next page yet; a client can continue from here later.
      resume_cursor: cursorAfter("feed", changes.at(-1)?.seq ?? after),
      deleted_until: toInstantOrNull(c.get("organization").historyUntil),
      restored_at: toInstantOrNull((await loadMarks(db)).restoredAt),
    });
  },
);

const listHistory = route(
  describe("listUserHistory", "List a user's changes", { 200: listOf(CHANGE) }, {
    description: "The latest first, by runs and by hand, with those of records that were merged into this one.",
    faults: ["merged"],
  }),
  requires("users:read"),
  PAGED,
  async (c) => {
    const { user } = await loadUser(c);
    return await answerListed(c, `histories-${user.id}`, async (place) => {
      const { changes, next } = await listUserHistory(c.get("hub").db, user.organizationId, user.id, place);
      return { data: changes, next };
    });
  },
);

export const changeRoutes: Hono<Env> = new Hono<Env>()
  .get("/changes", ...readFeed)
  .get("/users/:id/history", ...listHistory);
