/** Runs: list, read, and watch the progress of. */
import { type Context, Hono } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { z } from "zod";
import { RUN_STATUSES } from "../../model/run.ts";
import { findRun, isAtRest, listRuns, type StoredRun } from "../../store/runs/runs.ts";
import { requires } from "../kit/authorize.ts";
import { loadConnection } from "./connections.ts";
import { describe, PREFER, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { counted, enterOrFail } from "../kit/in-flight.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { answerWith, preferredWaitMs } from "../kit/prefer.ts";
import { onlySender, requireSeen, viewRunFor } from "../kit/reading.ts";
import { listOf, RUN } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";
import type { Watched } from "../../store/waits.ts";
import { waitsOf } from "../kit/waiting.ts";
import { byId, loader } from "../kit/load.ts";

const FILTER = z.strictObject({
  ...PAGING,
  connection: z.string().optional().meta({ description: "Runs of this connection only, by id or slug" }),
  status: z.enum(RUN_STATUSES).optional().meta({ description: "Runs with this status only" }),
});

/** Proxies close connections that are silent for a minute. */
const HEARTBEAT_EVERY_MS = 15_000;

const WATCHED = {
  description:
    "`progress` at every change, and `end` when the run ends or needs a decision; each with `{run, progress}`",
  content: {
    "text/event-stream": z.string().meta({ examples: ['event: progress\ndata: {"run":{},"progress":null}\n\n'] }),
  },
};

const loadAnyRun = loader("run", byId("run", findRun));

/** A run that the request may see. Others are not there. */
export async function loadRun(c: Context<Env>): Promise<StoredRun> {
  const found = await loadAnyRun(c);
  requireSeen(c, "run", found.drop);
  return found;
}

const list = route(
  describe("listRuns", "List runs", { 200: listOf(RUN) }, {
    description: "The newest first, of one connection or status if asked for. Without the scope `runs:read`, those " +
      "of what the caller has sent.",
  }),
  requires("runs:own"),
  query(FILTER),
  async (c) => {
    const { connection, status } = c.req.valid("query");
    const filter = {
      connectionId: connection === undefined ? null : (await loadConnection(c, connection)).id,
      status: status ?? null,
      sentBy: onlySender(c),
    };
    return await answerList(
      c,
      "runs",
      (db, id, place) => listRuns(db, id, filter, place),
      ({ run }) => run.id,
      (found) => viewRunFor(c, found),
    );
  },
);

const get = route(
  describe("getRun", "Get a run", { 200: RUN }, {
    description: "Its status, counts and plan hash. With `Prefer: wait=N` the answer is delayed until the " +
      "run ends or needs a decision.",
    headers: [PREFER],
    faults: ["too_many_in_flight"],
  }),
  requires("runs:own"),
  async (c) => {
    const found = await loadRun(c);
    const waitMs = preferredWaitMs(c);
    if (waitMs === 0) return c.json(viewRunFor(c, found));
    const { run } = await counted(c, "waits", () => answerWith(c, found.run.id, waitMs));
    return c.json(run);
  },
);

const watch = route(
  describe("watchRun", "Stream a run's progress", { 200: WATCHED }, {
    description: "Server-sent events until the run ends or needs a decision. A token can have " +
      "20 streams open, an organization 50.",
    faults: ["too_many_in_flight"],
  }),
  requires("runs:own"),
  async (c) => {
    const { run } = await loadRun(c);
    // A client that sends HEAD never reads the stream, so the stream would stay open for good.
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    const leave = enterOrFail(c, "streams");
    return streamSSE(c, async (stream) => {
      try {
        await streamProgress(c, run, stream);
      } catch (error) {
        // The error's message may quote a query. The client connects again.
        c.get("hub").log("watch_failed", { error: error instanceof Error ? error.name : "unknown" });
      } finally {
        leave();
      }
    });
  },
);

export const runRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get)
  .get("/:id/events", ...watch);

/** Sends every change of the run, until it is at rest or the client is gone. */
async function streamProgress(c: Context<Env>, run: Watched, stream: SSEStreamingApi): Promise<void> {
  const { runs } = waitsOf(c.get("hub"));
  const gone = new AbortController();
  stream.onAbort(() => gone.abort());
  c.req.raw.signal.addEventListener("abort", () => stream.abort(), { once: true });
  let sent: string | null = null;
  while (!stream.aborted) {
    const found = await runs.until(run, (now) => now === null || eventOf(c, now) !== sent, {
      ms: HEARTBEAT_EVERY_MS,
      signal: gone.signal,
      isFresh: sent !== null,
    });
    if (found === null || stream.aborted) return;
    const data = eventOf(c, found);
    if (data === sent) {
      await stream.write(": still here\n\n");
      continue;
    }
    const ended = isAtRest(found.run.status);
    await stream.writeSSE({ event: ended ? "end" : "progress", data });
    if (ended) return;
    sent = data;
  }
}

function eventOf(c: Context<Env>, found: StoredRun): string {
  return JSON.stringify({ run: viewRunFor(c, found), progress: found.run.progress });
}
