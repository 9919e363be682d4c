/** The results of a run: its changes, its issues, and the failure report to correct and upload again. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { REPORT_TYPES, reportBytes, type ReportFormat, reportName } from "../../report/file.ts";
import { listRunChanges } from "../../store/runs/changes.ts";
import type { Database } from "../../store/database.ts";
import { type IssueReader, listIssues } from "../../store/runs/issues.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import { requires } from "../kit/authorize.ts";
import { CSV, describe, download, route, SPREADSHEETS } from "../kit/describe.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { onlyIds } from "../../model/event.ts";
import { issueWithoutRow } from "../../model/wording.ts";
import { onlySender, readsInput, readsPeople, requireInput } from "../kit/reading.ts";
import { requireHistory } from "./retention.ts";
import { loadRun } from "./runs.ts";
import { CHANGE, CHANGE_IDS, ISSUE, LISTED_ISSUE, listOf } from "../kit/shapes.ts";
import { answerListed, PAGED } from "../kit/paging.ts";

const REPORT = download(
  { "text/csv": CSV, "application/json": z.array(ISSUE) },
  "The input's columns and cells, with what is wrong beside them; or JSON",
);
const REPORT_JSON = download({ "application/json": z.array(ISSUE) }, "One object for each issue");

/** The report as each format has it. */
export const REPORT_ANSWERS = { csv: REPORT, xlsx: SPREADSHEETS.xlsx, json: REPORT_JSON };
/** The report of a link, whose format is in the link. */
export const REPORT_OF_ANY_KIND = { ...REPORT, content: { ...REPORT.content, ...SPREADSHEETS.xlsx.content } };

const listChanges = route(
  describe("listRunChanges", "List a run's changes", { 200: listOf(z.union([CHANGE, CHANGE_IDS])) }, {
    description: "The plan while it waits, and what was applied afterwards. Without the scope `users:read` " +
      "only the ids of the people are shown, but to who reads only their own runs.",
  }),
  requires("runs:own"),
  PAGED,
  async (c) => {
    const { run } = await loadKept(c);
    const isSeen = readsPeople(c) || onlySender(c) !== null;
    return await answerListed(c, `changes-${run.id}`, async (place) => {
      const { changes, next } = await listRunChanges(c.get("hub").db, run.organizationId, run.id, place);
      return { data: isSeen ? changes : changes.map(onlyIds), next };
    });
  },
);

const listIssuesOfRun = route(
  describe("listRunIssues", "List a run's issues", { 200: listOf(LISTED_ISSUE) }, {
    description: "Rows and values that could not be used, and why. Without the scope `users:read` values " +
      "are shown only for input that the same token sent; otherwise lines and codes.",
  }),
  requires("runs:own"),
  PAGED,
  async (c) => {
    const { run, drop } = await loadKept(c);
    const reader = readsPeople(c) ? "people" : "row";
    return await answerListed(c, `issues-${run.id}`, async (place) => {
      const { issues, next } = await listIssues(c.get("hub").db, run.organizationId, run.id, place, reader);
      return { data: readsInput(c, drop) ? issues : issues.map(issueWithoutRow), next };
    });
  },
);

const getFailuresCsv = route(
  describe("getFailuresCsv", "Download the failure report as CSV", { 200: REPORT }, {
    description: "The failed rows in their own columns, with the reasons: correct them and upload the file " +
      "again. `Accept: application/json` gives JSON.",
    faults: ["conflict"],
  }),
  requires("runs:own"),
  async (c) => {
    const found = requireReported(await loadKept(c));
    return reportFor(c, found, /\bjson\b/i.test(c.req.header("accept") ?? "") ? "json" : "csv");
  },
);

const getFailuresWorkbook = route(
  describe("getFailuresWorkbook", "Download the failure report as a workbook", { 200: SPREADSHEETS.xlsx }, {
    description: "The same report as an `.xlsx` file: correct it in a spreadsheet and upload the file again.",
    faults: ["conflict"],
  }),
  requires("runs:own"),
  async (c) => reportFor(c, requireReported(await loadKept(c)), "xlsx"),
);

const getFailuresJson = route(
  describe("getFailuresJson", "Download the failure report as JSON", { 200: REPORT_JSON }, {
    description: "The same report as the CSV, one object for each issue. There is none before the run is planned.",
    faults: ["conflict"],
  }),
  requires("runs:own"),
  async (c) => {
    const found = requireReported(await loadKept(c));
    return reportFor(c, found, "json");
  },
);

export const runResultRoutes: Hono<Env> = new Hono<Env>()
  .get("/:id/changes", ...listChanges)
  .get("/:id/issues", ...listIssuesOfRun)
  .get("/:id/failures.csv", ...getFailuresCsv)
  .get("/:id/failures.xlsx", ...getFailuresWorkbook)
  .get("/:id/failures.json", ...getFailuresJson);

/** The run, or `not_found` when what is asked for was deleted with old history. */
async function loadKept(c: Context<Env>): Promise<StoredRun> {
  const found = await loadRun(c);
  requireHistory(c, found.run);
  return found;
}

/** Fails when the run has not read all of its input yet, so that its report would be incomplete. */
export function requireReported(found: StoredRun): StoredRun {
  const { status } = found.run;
  if (status !== "queued" && status !== "planning") return found;
  throw new Fault("conflict", `The run is "${status}"; its report is available once it is planned`);
}

function reportFor(c: Context<Env>, found: StoredRun, format: ReportFormat): Response {
  requireInput(c, found.drop);
  return reportOf(c.get("hub").db, found, format, {}, readsPeople(c) ? "people" : "row");
}

/** The report as a file to be saved; `more` are additional headers. */
export function reportOf(
  db: Database,
  found: StoredRun,
  format: ReportFormat,
  more: Readonly<Record<string, string>> = {},
  reader?: IssueReader,
): Response {
  return new Response(reportBytes(db, found, format, reader), {
    headers: {
      "content-type": REPORT_TYPES[format],
      "content-disposition": attachment(reportName(found, format)),
      vary: "Accept",
      ...more,
    },
  });
}
