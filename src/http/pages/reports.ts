/** Failure reports behind signed links: they need no token, and are saved under the names of their inputs. */
import { Hono } from "hono";
import { describe, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { LINK_REFUSED, openOrRefuse, refuseAsPage } from "../api/links.ts";
import { PRIVATE } from "./frame.ts";
import type { ReportFormat } from "../../report/file.ts";
import { REPORT_OF_ANY_KIND, reportOf, requireReported } from "../api/run-results.ts";

const open = route(
  describe("openReport", "Download the failure report behind a link", {
    200: REPORT_OF_ANY_KIND,
    ...LINK_REFUSED,
    409: PAGE,
  }, {
    description: "For links in mails and events, which work for 7 days and need no token. Openings are in the audit.",
    pages: true,
  }),
  async (c) => {
    const opened = await openOrRefuse(c, ["csv", "xlsx", "json"]);
    if (opened instanceof Response) return opened;
    return reportOf(c.get("hub").db, requireReported(opened.found), opened.kind as ReportFormat, PRIVATE);
  },
);

export const reportRoutes: Hono<Env> = new Hono<Env>().onError(refuseAsPage).get("/:signed", ...open);
