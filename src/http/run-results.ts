/** What a run found out: its changes, its issues, and the failure report to mend and send again. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../errors.ts";
import { reportBytes, type ReportFormat, reportName } from "../run/report-file.ts";
import { listRunChanges } from "../store/changes.ts";
import type { Database } from "../store/database.ts";
import { listIssues } from "../store/issues.ts";
import type { StoredRun } from "../store/runs.ts";
import { requires } from "./authorize.ts";
import type { Env } from "./env.ts";
import { cursorAfter, PAGING, readCursor } from "./paging.ts";
import { loadRun } from "./runs.ts";
import { query } from "./validate.ts";

export function runResultRoutes(): Hono<Env> {
  const routes = new Hono<Env>();

  routes.get("/:id/changes", requires("runs:read"), query(z.strictObject(PAGING)), async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { run } = await loadRun(c, c.req.param("id"));
    const list = `changes-${run.id}`;
    const after = readCursor(list, cursor) ?? 0;
    const { changes, next } = await listRunChanges(c.get("hub").db, run.organizationId, run.id, { after, limit });
    return c.json({ data: changes, next_cursor: next === null ? null : cursorAfter(list, next) });
  });

  routes.get("/:id/issues", requires("runs:read"), query(z.strictObject(PAGING)), async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { run } = await loadRun(c, c.req.param("id"));
    const list = `issues-${run.id}`;
    const after = readCursor(list, cursor) ?? 0;
    const { issues, next } = await listIssues(c.get("hub").db, run.organizationId, run.id, { after, limit });
    return c.json({ data: issues, next_cursor: next === null ? null : cursorAfter(list, next) });
  });

  routes.get("/:id/failures.csv", requires("runs:read"), async (c) => {
    const found = requireReported(await loadRun(c, c.req.param("id")));
    return reportOf(c.get("hub").db, found, /\bjson\b/i.test(c.req.header("accept") ?? "") ? "json" : "csv");
  });

  routes.get("/:id/failures.json", requires("runs:read"), async (c) => {
    const found = requireReported(await loadRun(c, c.req.param("id")));
    return reportOf(c.get("hub").db, found, "json");
  });

  return routes;
}

/** A run that has read its input, so that its report is whole. */
export function requireReported(found: StoredRun): StoredRun {
  const { status } = found.run;
  if (status !== "queued" && status !== "planning") return found;
  throw new Fault("conflict", `The run is "${status}"; its report is there once it is planned`);
}

/** The report as a file to be saved; `more` headers beside its own. */
export function reportOf(
  db: Database,
  found: StoredRun,
  format: ReportFormat,
  more: Readonly<Record<string, string>> = {},
): Response {
  return new Response(reportBytes(db, found, format), {
    headers: {
      "content-type": format === "csv" ? "text/csv; charset=utf-8" : "application/json",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(reportName(found, format))}`,
      vary: "Accept",
      ...more,
    },
  });
}
