/**
 * The frame of every page for people: language, headings, looks, and the headers for the browser.
 *
 * There is no script at all, and the policy allows none: whatever somebody gets into a name stays text. The page's
 * address is a secret, so it is neither stored nor handed on to where its links lead.
 */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import type { Env } from "../kit/env.ts";
import { STYLE } from "./style.ts";

/** A piece of a page, escaped. */
export type Html = ReturnType<typeof html>;

let policy: Promise<string> | undefined;

/** Content Security Policy, level 3: nothing may be loaded but this one style sheet, forms go to the hub alone. */
function contentPolicy(): Promise<string> {
  policy ??= crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE)).then((digest) => {
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    return `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  });
  return policy;
}

export interface Page {
  readonly title: string;
  /** Whose page it is; null: not shown. */
  readonly organization: string | null;
  readonly main: Html;
  readonly footer?: Html;
}

/** Answers with a whole page. */
export async function answerPage(
  c: Context<Env>,
  { title, organization, main, footer }: Page,
  status: 200 | 400 | 404 | 409 | 410 | 413 | 415 | 429 | 500 | 503 = 200,
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
        <main id="main">${main}</main>
        <footer>${footer ?? ""}</footer>
      </body>
    </html>
  `;
  return c.html(page, status, headers);
}

/** Pages behind a link are not cached, and their address is not passed on. */
export const PRIVATE: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex",
};
