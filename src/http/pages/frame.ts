/**
 * The frame of every page for people: language, headings, style, and the headers for the browser.
 *
 * Pages have no scripts of their own, and their policy allows none, so that a name with markup in it stays text; one that
 * shows something in progress loads a script of the hub's (live.ts). The page's address is a secret: it is not cached, and
 * not sent to the targets of its links; but for pages that are the same for everybody.
 */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import type { Env } from "../kit/env.ts";
import { basePath } from "./base-path.ts";
import { LIVE_PATH } from "./live.ts";
import { FRAME_STYLE, STYLE } from "./style.ts";

/** A piece of a page, escaped. */
export type Html = ReturnType<typeof html>;

let policy: Promise<string> | undefined;

/** Content Security Policy, level 3: only this style sheet is loaded, and forms go only to the hub. */
async function contentPolicy(isLive: boolean): Promise<string> {
  const own = await stylePolicy();
  return isLive ? `${own}; script-src 'self'; connect-src 'self'` : own;
}

function stylePolicy(): Promise<string> {
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
  /** It shows something in progress, marked with `data-live`, and keeps itself up to date. */
  readonly isLive?: boolean;
  /** Links to other pages; absent: it has no links to others. */
  readonly navigation?: Html;
  /** It is the same for everybody, and may be cached for an hour. */
  readonly isPublic?: boolean;
  /** It shows a program with looks and scripts of its own; of the pages' looks it has only those of the frame. */
  readonly program?: Program;
}

/** `policy`: its Content Security Policy; `style`: how it fits the frame; `head`: loads what it needs. */
export interface Program {
  readonly policy: string;
  readonly style: string;
  readonly head: Html;
}

/** Answers with a whole page. */
export async function answerPage(
  c: Context<Env>,
  { title, organization, main, footer, navigation, isLive = false, isPublic = false, program }: Page,
  status: PageStatus = 200,
): Promise<Response> {
  const headers = {
    ...isPublic ? PUBLIC : PRIVATE,
    "content-security-policy": program?.policy ?? await contentPolicy(isLive),
  };
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>${title} – Muster</title>
        <style>${raw(program === undefined ? STYLE : FRAME_STYLE + program.style)}</style>
        ${program?.head ?? ""}
        ${isLive ? html`<script src="${basePath(c)}${LIVE_PATH}" defer></script>` : ""}
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

const PUBLIC: Readonly<Record<string, string>> = {
  "cache-control": "public, max-age=3600",
  "referrer-policy": "no-referrer",
};

/** Headers of what a signed link opens: it is not cached, and its address is not sent to other hosts. */
export const PRIVATE: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex",
};
