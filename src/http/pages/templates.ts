/**
 * Templates for everybody who has their address: who fills in a table need not be able to sign in. They have what Muster
 * knows of each system, and nothing of an organization.
 */
import { type Context, Hono } from "hono";
import { Fault } from "../../model/errors.ts";
import { PRESETS } from "../../model/preset.ts";
import { departmentsTemplate, type Template, usersTemplate } from "../../report/template.ts";
import { refuseAsPage } from "../api/links.ts";
import { templateFile, viewColumns } from "../api/templates.ts";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { basePath } from "./base-path.ts";
import { answerPage, type Html } from "./frame.ts";
import { DEPARTMENTS, titleOf, viewTemplate, viewTemplates } from "./template-view.ts";

const PATH = "/templates";

const list = documented(
  (c: Context<Env>) => answer(c, "Templates", viewTemplates(basePath(c) + PATH)),
  { console: true },
);

const show = documented((c: Context<Env>) => {
  const name = c.req.param("name") ?? "", title = titleOf(name);
  return answer(c, title, viewTemplate(basePath(c) + PATH, name, viewColumns(templateOf(name)).columns));
}, { console: true });

const getFile = documented((c: Context<Env>) => {
  const [entity, format] = c.req.param("file")!.split("."), preset = c.req.query("preset") ?? "custom";
  const file = templateFile(templateOf(entity === "users" ? preset : DEPARTMENTS), format as "csv" | "xlsx");
  return Promise.resolve(file);
}, { console: true });

function answer(c: Context<Env>, title: string, main: Html): Promise<Response> {
  return answerPage(c, { title, organization: null, main, isPublic: true });
}

function templateOf(name: string): Template {
  if (name === DEPARTMENTS) return departmentsTemplate(true);
  if (!Object.hasOwn(PRESETS, name)) throw new Fault("not_found", `There is no template "${name}"`);
  return usersTemplate(name as keyof typeof PRESETS, [], true);
}

export const templatePages: Hono<Env> = new Hono<Env>().onError(refuseAsPage)
  .get("/", list)
  .get("/:file{(?:users|departments)\\.(?:csv|xlsx)}", getFile)
  .get("/:name", show);
