/**
 * `/r/{signed}`: the page of one run, for everybody who has the link, and the files that it offers.
 *
 * Reading changes nothing: mail scanners and previews open links, with GET and with HEAD. Decisions are POSTs
 * (run-page-decisions.ts).
 */
import { type Context, Hono } from "hono";
import { Fault } from "../../model/errors.ts";
import type { ReportFormat } from "../../report/file.ts";
import { LINK_REFUSED, type OpenedLink, openOrRefuse, PAGE_BUSY, refuseAsPage } from "../api/links.ts";
import { REPORT_ANSWERS, reportOf, requireReported } from "../api/run-results.ts";
import { CSV, describe, download, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { PRIVATE } from "./frame.ts";
import { peopleOf } from "./run-people.ts";
import { visitByLink } from "./visit.ts";
import { answerRunPage } from "./run-page-answer.ts";
import { answerIdentity } from "./run-page-identity.ts";
import { decideOnPage } from "./run-page-decisions.ts";

const show = route(
  describe("openRunPage", "Show a run's page", { 200: PAGE, ...LINK_REFUSED, ...PAGE_BUSY }, {
    description: "What happened in a run and who is affected, for people. Links work for a limited time and need no " +
      "token; openings are in the audit.",
    pages: true,
  }),
  showRun,
);

const getPeople = route(
  describe("openRunPeople", "Download the people of a run", {
    200: download({ "text/csv": CSV }, "Who is changed, and how"),
    403: PAGE,
    ...LINK_REFUSED,
  }, {
    description: "The list on the run's page as a CSV file, with the same search. The link has to show people.",
    pages: true,
  }),
  async (c) => {
    const opened = await openWithPeople(c);
    if (opened instanceof Response) return opened;
    return peopleOf(c, opened.found);
  },
);

function getFailures(operationId: string, format: ReportFormat) {
  return route(
    describe(operationId, "Download the run's failure report", {
      200: REPORT_ANSWERS[format],
      403: PAGE,
      ...LINK_REFUSED,
      409: PAGE,
    }, { description: "The failed rows with their reasons. The link has to show people.", pages: true }),
    async (c) => {
      const opened = await openWithPeople(c);
      if (opened instanceof Response) return opened;
      return reportOf(c.get("hub").db, requireReported(opened.found), format, PRIVATE);
    },
  );
}

/** The address of a decision's form, opened by GET: it shows the page. */
function leave(operationId: string) {
  return route(
    describe(operationId, "Show the run's page again", { 200: PAGE, ...LINK_REFUSED, ...PAGE_BUSY }, {
      description: "The address of the form, opened again. Decides nothing.",
      pages: true,
    }),
    showRun,
  );
}

export const runPageRoutes: Hono<Env> = new Hono<Env>().onError(refuseAsPage)
  .get("/:signed", ...show)
  .get("/:signed/people.csv", ...getPeople)
  .get("/:signed/failures.csv", ...getFailures("openRunFailuresCsv", "csv"))
  .get("/:signed/failures.xlsx", ...getFailures("openRunFailuresWorkbook", "xlsx"))
  .get("/:signed/failures.json", ...getFailures("openRunFailuresJson", "json"))
  .get("/:signed/approve", ...leave("leaveApproval"))
  .post("/:signed/approve", ...decideOnPage("approve", "approveOnPage", "Approve the plan on the run's page"))
  .get("/:signed/cancel", ...leave("leaveCancelling"))
  .post("/:signed/cancel", ...decideOnPage("cancel", "cancelOnPage", "Cancel the run on its page"))
  .get("/:signed/identity", ...leave("leaveIdentity"))
  .post("/:signed/identity", ...answerIdentity);

/** Opens a link that shows people. Others can show the page only, without them. */
async function openWithPeople(c: Context<Env>): Promise<OpenedLink | Response> {
  const opened = await openOrRefuse(c, ["page"]);
  if (opened instanceof Response || opened.terms.rights.people) return opened;
  throw new Fault("forbidden", "This link shows the run without its people");
}

async function showRun(c: Context<Env>): Promise<Response> {
  const opened = await openOrRefuse(c, ["page"]);
  return opened instanceof Response ? opened : await answerRunPage(c, await visitByLink(c, opened), 200, null);
}
