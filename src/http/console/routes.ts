/** The console: the hub's pages for people who are signed in. They ask the API, so they can do nothing that it cannot. */
import { Hono, type MiddlewareHandler } from "hono";
import type { Env } from "../kit/env.ts";
import { endOtherSession, showAccount } from "./account.ts";
import { createApi } from "./api.ts";
import { saveColumns, showColumns } from "./columns.ts";
import { connectionRoutes } from "./connection-routes.ts";
import { addConnection, chooseConnector, describeNew } from "./connection-new.ts";
import { showDepartments } from "./departments.ts";
import { showExplanation } from "./explain.ts";
import { refuseInConsole } from "./frame.ts";
import { requireOrganization, requireVisitor } from "./guards.ts";
import { showHome } from "./home.ts";
import { getTemplate, showImport } from "./import.ts";
import { showFiles, takeFiles } from "./import-files.ts";
import { makeOrganization, showOrganizations } from "./operator/organizations.ts";
import { operatorRoutes } from "./operator/routes.ts";
import { getPeopleFile, showPeople } from "./people.ts";
import { getRecord, showPerson } from "./person.ts";
import { askToErase, erasePerson } from "./person-erase.ts";
import { askToMerge, mergePerson } from "./person-merge.ts";
import { undoMerge } from "./person-merged.ts";
import { settingsRoutes } from "./settings/routes.ts";
import { getTemplateFile, listTemplates, showTemplate } from "./templates.ts";
import { sendRows, showRows } from "./rows.ts";
import { answerOnRun, backToRun, decideOnRun, getRunFile, getRunPeople, showRun, showRuns } from "./runs.ts";

/** `app`: the whole application, which has the API. */
export function consoleRoutes(app: Hono<Env>): Hono<Env> {
  const pages = new Hono<Env>().onError(refuseInConsole);
  const withApi: MiddlewareHandler<Env> = async (c, next) => {
    c.set("api", createApi(c, app.fetch));
    await next();
  };
  pages.use("/o", requireVisitor, withApi);
  pages.use("/operator/*", requireVisitor, withApi);
  pages.get("/o", ...showOrganizations).post("/o", ...makeOrganization).route("/operator", operatorRoutes);
  pages.use("/o/:organization/*", requireVisitor, requireOrganization, withApi);
  return pages
    .get("/o/:organization", ...showHome)
    .get("/o/:organization/import", ...showImport)
    .get("/o/:organization/import/:file{template\\.(?:csv|xlsx)}", ...getTemplate)
    .get("/o/:organization/import/files", ...showFiles)
    .post("/o/:organization/import/:connection", ...takeFiles)
    .get("/o/:organization/runs", ...showRuns)
    .get("/o/:organization/runs/:id", ...showRun)
    .get("/o/:organization/runs/:id/columns", ...showColumns)
    .post("/o/:organization/runs/:id/columns", ...saveColumns)
    .get("/o/:organization/runs/:id/rows", ...showRows)
    .post("/o/:organization/runs/:id/rows", ...sendRows)
    .get("/o/:organization/runs/:id/people.csv", ...getRunPeople)
    .get("/o/:organization/runs/:id/:file{failures\\.(?:csv|xlsx|json)}", ...getRunFile)
    .get("/o/:organization/runs/:id/:decision{approve|cancel|identity}", ...backToRun)
    .post("/o/:organization/runs/:id/approve", ...decideOnRun("approve"))
    .post("/o/:organization/runs/:id/cancel", ...decideOnRun("cancel"))
    .post("/o/:organization/runs/:id/identity", ...answerOnRun)
    .get("/o/:organization/people", ...showPeople)
    .get("/o/:organization/people/:file{people\\.(?:csv|xlsx)}", ...getPeopleFile)
    .get("/o/:organization/people/:id", ...showPerson)
    .get("/o/:organization/people/:id/:file{record\\.json}", ...getRecord)
    .get("/o/:organization/people/:id/merge", ...askToMerge)
    .post("/o/:organization/people/:id/merge", ...mergePerson)
    .post("/o/:organization/people/:id/merge/undo", ...undoMerge)
    .get("/o/:organization/people/:id/erase", ...askToErase)
    .post("/o/:organization/people/:id/erase", ...erasePerson)
    .route("/o/:organization/connections", connectionRoutes)
    .get("/o/:organization/new-connection", ...chooseConnector)
    .get("/o/:organization/new-connection/:connector", ...describeNew)
    .post("/o/:organization/new-connection/:connector", ...addConnection)
    .get("/o/:organization/departments", ...showDepartments)
    .get("/o/:organization/explain", ...showExplanation)
    .get("/o/:organization/templates", ...listTemplates)
    .get("/o/:organization/templates/:file{(?:users|departments)\\.(?:csv|xlsx)}", ...getTemplateFile)
    .get("/o/:organization/templates/:name", ...showTemplate)
    .get("/o/:organization/account", ...showAccount)
    .post("/o/:organization/account/sessions/:id/end", ...endOtherSession)
    .route("/o/:organization/settings", settingsRoutes);
}
