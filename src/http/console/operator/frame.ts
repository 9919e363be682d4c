/** The frame of the operator's pages, which are about all organizations. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Env } from "../../kit/env.ts";
import { answerPage, type Html, type PageStatus } from "../../pages/frame.ts";
import { basePath } from "../../pages/base-path.ts";
import { viewLinks } from "../navigation.ts";

/** The operator acts in all time zones. */
export const OPERATORS_ZONE = "UTC";

const SECTIONS = [
  { path: "/o", title: "Organizations" },
  { path: "/operator/templates", title: "Connection templates" },
  { path: "/operator/bridges", title: "Bridges" },
  { path: "/operator/connectors", title: "Connectors" },
] as const;

export type OperatorSection = (typeof SECTIONS)[number]["path"];

/** Path of one of the operator's pages. */
export function operatorPath(c: Context<Env>, path: string): string {
  return `${basePath(c)}${path}`;
}

export function answerOperator(
  c: Context<Env>,
  { title, main, section }: { readonly title: string; readonly main: Html; readonly section: OperatorSection },
  status?: PageStatus,
): Promise<Response> {
  return answerPage(c, { title, organization: null, main, navigation: navigation(c, section) }, status);
}

function navigation(c: Context<Env>, section: OperatorSection): Html {
  return html`
    <nav class="sections" aria-label="Sections">
      <ul class="bare">${viewLinks(
        SECTIONS.map(({ path, title }) => ({ href: operatorPath(c, path), title, isHere: path === section })),
      )}</ul>
      <ul class="bare">
        <li><a href="${operatorPath(c, "/")}">Your own organization</a></li>
      </ul>
    </nav>
  `;
}
