/** The frame of the settings: a page each for what an organization sets, below a navigation of their own. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Env } from "../../kit/env.ts";
import type { Html, PageStatus } from "../../pages/frame.ts";
import { answerConsole, pathIn } from "../frame.ts";
import { viewLinks } from "../navigation.ts";
import { settingsFor } from "./pages.ts";

/** Path of a page of the settings of the request's organization. */
export function settingsPath(c: Context<Env>, path = ""): string {
  return pathIn(c, `/settings${path}`);
}

/** Answers with a page of the settings. `page`: the path of the page that it belongs to, such as `/tokens`. */
export function answerSettings(
  c: Context<Env>,
  { title, main, page }: { readonly title: string; readonly main: Html; readonly page: string },
  status?: PageStatus,
): Promise<Response> {
  return answerConsole(c, { title, section: "/settings", main: html`${navigation(c, page)}${main}` }, status);
}

function navigation(c: Context<Env>, page: string): Html {
  const shown = settingsFor(c.get("visitor")!.bearer.scopes);
  if (shown.length === 0) return html``;
  return html`
    <nav aria-label="Settings">
      <ul class="chips">${viewLinks(
        shown.map(({ path, title }) => ({ href: settingsPath(c, path), title, isHere: path === page })),
      )}</ul>
    </nav>
  `;
}
