/** Runs: listed, read, and watched while they go. */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { Fault } from "../errors.ts";
import { decodeId } from "../id.ts";
import { RUN_STATUSES } from "../store/schema.ts";
import { findRun, isAtRest, listRuns, type StoredRun } from "../store/runs.ts";
import { requires } from "./authorize.ts";
import { loadConnection } from "./connections.ts";
import { describe, PREFER } from "./describe.ts";
import type { Env } from "./env.ts";
import { page, PAGING, readCursor } from "./paging.ts";
import { preferredWaitMs, waitAsPreferred } from "./prefer.ts";
import { viewRunFor } from "./reading.ts";
import { listOf, RUN } from "./shapes.ts";
import { query } from "./validate.ts";

const FILTER = z.strictObject({
  ...PAGING,
  /** By id or slug. */
  connection: z.string().optional(),
  status: z.enum(RUN_STATUSES).optional(),
});

const LOOK_EVERY_MS = 500;
/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_EVERY_MS = 15_000;

const WATCHED = {
  description: "`progress` whenever something has changed, and `end` once it is at rest; each with `{run, progress}`",
  content: {
    "text/event-stream": z.string().meta({ examples: ['event: progress\ndata: {"run":{},"progress":null}\n\n'] }),
  },
};

export function runRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get(
    "/",
    describe("listRuns", "List runs, the youngest first", { 200: listOf(RUN) }),
    requires("runs:read"),
    query(FILTER),
    async (c) => {
      const { limit, cursor, connection, status } = c.req.valid("query");
      const { db } = c.get("hub");
      const filter = {
        connectionId: connection === undefined ? null : (await loadConnection(c, connection)).id,
        status: status ?? null,
      };
      const before = readCursor("runs", cursor);
      const rows = await listRuns(db, c.get("organization").id, filter, { before, limit: limit + 1 });
      return c.json(page("runs", rows, limit, ({ run }) => run.id, (found) => viewRunFor(c, found)));
    },
  );

  routes.get(
    "/:id",
    describe("getRun", "Read a run", { 200: RUN }, { headers: [PREFER] }),
    requires("runs:read"),
    async (c) => {
      const found = await loadRun(c, c.req.param("id"));
      if (preferredWaitMs(c) === 0) return c.json(viewRunFor(c, found));
      return c.json((await waitAsPreferred(c, found.run.id)).run);
    },
  );

  routes.get(
    "/:id/events",
    describe("watchRun", "Watch a run as server-sent events", { 200: WATCHED }),
    requires("runs:read"),
    async (c) => {
      const { run } = await loadRun(c, c.req.param("id"));
      const { db } = c.get("hub");
      const organizationId = c.get("organization").id;
      return streamSSE(c, async (stream) => {
        let said = "";
        let silentMs = 0;
        while (!stream.aborted) {
          const found = await findRun(db, organizationId, run.id);
          if (found === null) return;
          const data = JSON.stringify({ run: viewRunFor(c, found), progress: found.run.progress });
          const ended = isAtRest(found.run.status);
          if (data !== said || ended) {
            await stream.writeSSE({ event: ended ? "end" : "progress", data });
            said = data;
            silentMs = 0;
          } else if (silentMs >= HEARTBEAT_EVERY_MS) {
            await stream.write(": still here\n\n");
            silentMs = 0;
          }
          if (ended) return;
          await stream.sleep(LOOK_EVERY_MS);
          silentMs += LOOK_EVERY_MS;
        }
      });
    },
  );

  return routes;
}

/** The organization's run, or `not_found`. */
export async function loadRun(c: Context<Env>, name: string): Promise<StoredRun> {
  const id = decodeId("run", name);
  const found = id === null ? null : await findRun(c.get("hub").db, c.get("organization").id, id);
  if (found === null) throw new Fault("not_found", `There is no run "${name}"`);
  return found;
}
