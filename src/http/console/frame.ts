/** The frame of the console's pages: where one is, where one can go, who is signed in. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { allows, type Scope } from "../../model/scope.ts";
import type { Env } from "../kit/env.ts";
import { answerPage, type Html, type PageStatus } from "../pages/frame.ts";
import { viewRefusal } from "../pages/refusal.ts";
import { basePath } from "../pages/base-path.ts";
import { viewLinks } from "./navigation.ts";
import { settingsFor } from "./settings/pages.ts";

interface Section {
  readonly path: string;
  readonly title: string;
  /** Null: one of its own pages. */
  readonly needs: readonly Scope[] | null;
}

/** The sections, in the order of the navigation. */
const SECTIONS: readonly Section[] = [
  { path: "", title: "Home", needs: ["connections:read", "runs:read"] },
  { path: "/import", title: "Import", needs: ["drops:write", "connections:read", "runs:own"] },
  { path: "/runs", title: "Runs", needs: ["runs:own"] },
  { path: "/people", title: "People", needs: ["users:read"] },
  { path: "/connections", title: "Connections", needs: ["connections:read"] },
  { path: "/departments", title: "Departments", needs: ["users:read"] },
  { path: "/explain", title: "Explain", needs: ["users:read", "runs:read"] },
  { path: "/settings", title: "Settings", needs: null },
];

/** The sections that somebody with these scopes can use, and the page that each leads to. Everybody has the account's. */
function sectionsFor(scopes: readonly string[]): (Section & { readonly to: string })[] {
  return SECTIONS.flatMap((section) => {
    const { path, needs } = section;
    if (needs !== null) return needs.every((scope) => allows(scopes, scope)) ? [{ ...section, to: path }] : [];
    return settingsFor(scopes).slice(0, 1).map((page) => ({ ...section, to: `${path}${page.path}` }));
  });
}

/** The first page of somebody with these scopes, within their organization. */
export function firstPage(scopes: readonly string[]): string {
  return sectionsFor(scopes)[0]?.to ?? "/account";
}

/** Path of a page of the request's organization. */
export function pathIn(c: Context<Env>, path = ""): string {
  return `${basePath(c)}/o/${c.get("organization").slug}${path}`;
}

/** Whether who is signed in may do what needs all of these scopes. */
export function may(c: Context<Env>, ...scopes: readonly Scope[]): boolean {
  return scopes.every((scope) => allows(c.get("visitor")!.bearer.scopes, scope));
}

/** Refuses a page that is of no use without this scope, before anything is typed there. */
export function requireScope(c: Context<Env>, scope: Scope): void {
  if (!may(c, scope)) throw new Fault("forbidden", `You may not do this: it needs the scope "${scope}"`);
}

/** The hidden field that each form has. */
export function formFields(c: Context<Env>): Html {
  return html`<input type="hidden" name="form" value="${c.get("visitor")!.formToken}">`;
}

/** Answers with a page of the console. `section`: the path of the section that it is in; null: in none. */
export function answerConsole(
  c: Context<Env>,
  { section, ...page }: {
    readonly title: string;
    readonly main: Html;
    readonly section: string | null;
    readonly isLive?: boolean;
  },
  status?: PageStatus,
): Promise<Response> {
  return answerPage(
    c,
    { ...page, organization: c.get("organization").name, navigation: navigation(c, section) },
    status,
  );
}

function navigation(c: Context<Env>, section: string | null): Html {
  const { bearer: { scopes } } = c.get("visitor")!;
  const sections = sectionsFor(scopes).map(({ path, title, to }) => ({
    href: pathIn(c, to),
    title,
    isHere: path === section,
  }));
  const others = [
    ...(allows(scopes, "operator") ? [{ href: `${basePath(c)}/o`, title: "Organizations", isHere: false }] : []),
    { href: pathIn(c, "/account"), title: "Account", isHere: section === "/account" },
  ];
  return html`
    <nav class="sections" aria-label="Sections">
      <ul class="bare">${viewLinks(sections)}</ul>
      <ul class="bare">${viewLinks(others)}</ul>
    </nav>
  `;
}

/** Answers an error with a page that says what happened. */
export async function refuseInConsole(error: unknown, c: Context<Env>): Promise<Response> {
  const isMissing = error instanceof Fault && error.code === "not_found";
  const { title, main, status } = viewRefusal(c, error, isMissing ? "There is nothing here" : undefined);
  if (c.get("visitor") !== undefined && c.get("organization") !== undefined) {
    return await answerConsole(c, { title, main, section: null }, status);
  }
  return await answerPage(c, { title, organization: null, main }, status);
}
