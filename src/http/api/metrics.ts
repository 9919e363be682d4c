/** `/metrics`, for Prometheus: figures of this process, and figures of the hub from its database. */
import { Hono } from "hono";
import { z } from "zod";
import { type BackupFigures, CUT_REASONS, DURATION_BOUNDS, type Metrics } from "../../model/metrics.ts";
import { type Family, formatFamilies, histogram, PROMETHEUS_TYPE, type Sample } from "../../std/prometheus.ts";
import { type Figures, loadFigures } from "../../store/figures.ts";
import { requires } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

const FIGURES = {
  content: { "text/plain": z.string().meta({ examples: ['muster_runs_total{status="succeeded"} 1\n'] }) },
};

/**
 * Sums from the database; each metric has the name of its tally. All values of the label are listed, and shown as 0
 * until something is counted, so that Prometheus sees the first one as an increase.
 *
 * A new sum needs an entry here, and an addition to its tally in the write that it counts: by a trigger, as for runs,
 * or by the statement of `addToTally`.
 */
const COUNTED = [
  {
    name: "muster_runs_total",
    help: "Runs that have ended, by outcome.",
    label: "status",
    values: ["succeeded", "partial", "failed", "cancelled", "superseded", "skipped"],
  },
  {
    name: "muster_rows_total",
    help: "Rows of applied runs, by result.",
    label: "outcome",
    values: ["created", "updated", "unchanged", "deactivated", "reactivated", "skipped", "failed"],
  },
  {
    name: "muster_deliveries_total",
    help: "Finished webhook deliveries, by outcome; a retried delivery counts again.",
    label: "outcome",
    values: ["succeeded", "failed"],
  },
  {
    name: "muster_mails_total",
    help: "Finished mails, by outcome; dropped: no longer true, or without a recipient.",
    label: "outcome",
    values: ["sent", "failed", "dropped"],
  },
] as const;

/** The triggers that fill the histograms have the same bounds. */
const RUN_BOUNDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900] as const;

const MEASURED = [
  { name: "muster_run_plan_duration_seconds", help: "Time from the start of a run to its plan." },
  {
    name: "muster_run_apply_duration_seconds",
    help: "Time from the first applied page of a plan to the end of its run.",
  },
] as const;

const OPEN = ["queued", "planning", "planned", "held", "applying"] as const;

const getMetrics = route(
  describe("getMetrics", "Get metrics for Prometheus", { 200: FIGURES }, {
    description: "Counters and gauges of the whole hub, in the Prometheus text format. Labels never name a person.",
  }),
  requires("operator"),
  async (c) => {
    const { db, metrics, now } = c.get("hub");
    const figures = await loadFigures(db);
    const families = [
      ...(metrics === undefined ? [] : ofProcess(metrics)),
      ...(metrics?.backups === undefined ? [] : ofBackups(metrics.backups)),
      ...COUNTED.map((counted) => ofTally(figures, counted)),
      ...MEASURED.map((measured) => ofDuration(figures, measured)),
      ...ofNow(figures, now()),
    ];
    return c.body(formatFamilies(families), 200, { "content-type": PROMETHEUS_TYPE });
  },
);

export const metricsRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...getMetrics);

type Counted = (typeof COUNTED)[number];

function ofTally({ tallies }: Figures, { name, help, label, values }: Counted): Family {
  const sums = tallies.get(name);
  return {
    name,
    help,
    type: "counter",
    samples: values.map((value) => ({ labels: { [label]: value }, value: sums?.get(value) ?? 0 })),
  };
}

function ofDuration({ tallies }: Figures, { name, help }: (typeof MEASURED)[number]): Family {
  const buckets = tallies.get(`${name}_bucket`);
  const counts = [...RUN_BOUNDS.map(String), "+Inf"].map((bound) => buckets?.get(bound) ?? 0);
  const sum = tallies.get(`${name}_sum`)?.get("") ?? 0;
  return { name, help, type: "histogram", samples: histogram(RUN_BOUNDS, counts, sum) };
}

function ofNow({ openRuns, oldestQueuedAt, connections }: Figures, now: number): Family[] {
  return [
    {
      name: "muster_runs_open",
      help: "Runs that have not ended, by status.",
      type: "gauge",
      samples: OPEN.map((status) => ({ labels: { status }, value: openRuns.get(status) ?? 0 })),
    },
    {
      name: "muster_queue_depth",
      help: "Runs in the queue.",
      type: "gauge",
      samples: [{ value: openRuns.get("queued") ?? 0 }],
    },
    {
      name: "muster_queue_oldest_seconds",
      help: "Age of the oldest run in the queue.",
      type: "gauge",
      samples: [{ value: oldestQueuedAt === null ? 0 : Math.max(0, now - oldestQueuedAt) / 1000 }],
    },
    {
      name: "muster_connections",
      help: "Connections by state; held: a guard holds a run, error: the last inputs all failed.",
      type: "gauge",
      samples: Object.entries(connections).map(([state, value]) => ({ labels: { state }, value })),
    },
  ];
}

function ofBackups({ lastAt, failures }: BackupFigures): Family[] {
  return [
    {
      name: "muster_backup_last_timestamp_seconds",
      help: "When the last scheduled backup was made, in seconds since 1970; 0: never.",
      type: "gauge",
      samples: [{ value: (lastAt ?? 0) / 1000 }],
    },
    {
      name: "muster_backup_failures_total",
      help: "Scheduled backups that have failed in this process.",
      type: "counter",
      samples: [{ value: failures }],
    },
  ];
}

function ofProcess({ requests, startedAt, readMemory, readConnections, uncaught }: Metrics): Family[] {
  const connections = readConnections?.();
  const counts = [...requests.values()];
  const memory = readMemory?.();
  const single = (name: string, help: string, value: number | undefined): Family => ({
    name,
    help,
    type: "gauge",
    samples: value === undefined ? [] : [{ value }],
  });
  return [
    {
      name: "muster_http_requests_total",
      help: "Requests that this process answered.",
      type: "counter",
      samples: counts.flatMap(({ method, route, statuses }) =>
        [...statuses].map(([status, value]): Sample => ({ labels: { method, route, status: String(status) }, value }))
      ),
    },
    {
      name: "muster_http_request_duration_seconds",
      help: "Time until the head of the answer, in this process.",
      type: "histogram",
      samples: counts.flatMap(({ method, route, buckets, seconds }) =>
        histogram(DURATION_BOUNDS, buckets, seconds, { method, route })
      ),
    },
    single("muster_http_open_connections", "Connections to the HTTP server.", connections?.open),
    single("muster_http_max_connections", "Connections that the HTTP server accepts at once.", connections?.max),
    {
      name: "muster_http_cut_connections_total",
      help: "Connections that the HTTP server cut or refused, by reason.",
      type: "counter",
      samples: connections === undefined
        ? []
        // All reasons, so that Prometheus sees the first one as an increase.
        : CUT_REASONS.map((reason) => ({ labels: { reason }, value: connections.cut.get(reason) ?? 0 })),
    },
    {
      name: "muster_process_uncaught_errors_total",
      help: "Uncaught errors that this process has survived.",
      type: "counter",
      samples: [{ value: uncaught }],
    },
    single("process_start_time_seconds", "When this process started, in seconds since 1970.", startedAt / 1000),
    single("process_resident_memory_bytes", "Memory of this process.", memory?.resident),
    single("muster_process_heap_bytes", "Memory that the script engine of this process uses.", memory?.heap),
  ];
}
