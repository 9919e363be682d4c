/**
 * The frame of every page for people: language, headings, style, and the headers for the browser.
 *
 * Pages have no scripts, and their policy allows none, so that a name with markup in it stays text. The page's address
 * is a secret: it is not cached, and not sent to the targets of its links.
 */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import type { Env } from "../kit/env.ts";
import { STYLE } from "./style.ts";

/** A piece of a page, escaped. */
export type Html = ReturnType<typeof html>;

let policy: Promise<string> | undefined;

/** Content Security Policy, level 3: only this style sheet is loaded, and forms go only to the hub. */
function contentPolicy(): Promise<string> {
  policy ??= crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE)).then((digest) => {
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    return `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  });
  return policy;
}

export type PageStatus = 200 | 400 | 401 | 403 | 404 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 500 | 503;

export interface Page {
  readonly title: string;
  /** Name of the organization; null: not shown. */
  readonly organization: string | null;
  readonly main: Html;
  readonly footer?: Html;
  /** Links to other pages; absent: it has no links to others. */
  readonly navigation?: Html;
}

/** Answers with a whole page. */
export async function answerPage(
  c: Context<Env>,
  { title, organization, main, footer, navigation }: Page,
  status: PageStatus = 200,
): Promise<Response> {
  const headers = { ...PRIVATE, "content-security-policy": await contentPolicy() };
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>${title} – Muster</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header class="top"><strong>Muster</strong>${organization === null
          ? ""
          : html`<span>${organization}</span>`}</header>
        ${navigation ?? ""}
        <main id="main">${main}</main>
        <footer>${footer ?? ""}</footer>
      </body>
    </html>
  `;
  return c.html(page, status, headers);
}

/** Headers of what a signed link opens: it is not cached, and its address is not sent to other hosts. */
export const PRIVATE: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex",
};
