/** A failure report behind a signed link: opens without a token, and is saved under the name of its input. */
import { Hono } from "hono";
import type { Env } from "./env.ts";
import { openOrRefuse, refuseAsPage } from "./links.ts";
import { PRIVATE } from "./page/frame.ts";
import { reportOf, requireReported } from "./run-results.ts";

export function reportRoutes(): Hono<Env> {
  const routes = new Hono<Env>();
  routes.onError(refuseAsPage);

  routes.get("/:signed", async (c) => {
    const opened = await openOrRefuse(c, ["csv", "json"]);
    if (opened instanceof Response) return opened;
    const format = opened.kind === "json" ? "json" : "csv";
    return reportOf(c.get("hub").db, requireReported(opened.found), format, PRIVATE);
  });

  return routes;
}
