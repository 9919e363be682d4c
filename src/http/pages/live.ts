/**
 * Pages that show something in progress keep themselves up to date, with the only script that pages for people have. Without
 * it they are the same pages, and loaded again by hand.
 */
import { Hono } from "hono";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

/**
 * Loads the page again and takes what is marked with `data-live` from it, until there is nothing left of that: then all of
 * the page's content, unless somebody is at work in it, who gets a link. So the focus is never lost.
 */
const SCRIPT = `const PAUSE_MS = 2000, MAX_PAUSE_MS = 30000;
let pauseMs = PAUSE_MS;

async function look() {
  const live = document.querySelector("[data-live]"), main = document.querySelector("main");
  if (live === null || main === null) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-live]"), content = page.querySelector("main");
    pauseMs = PAUSE_MS;
    if (next !== null) {
      if (next.innerHTML !== live.innerHTML) live.replaceChildren(...next.childNodes);
    } else if (content !== null && !main.contains(document.activeElement)) {
      main.replaceChildren(...content.childNodes);
      document.title = page.title;
    } else {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = live.dataset.live;
      const line = document.createElement("p");
      line.append(link);
      live.append(line);
      return;
    }
  } catch {
    pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
  }
  setTimeout(look, pauseMs);
}

setTimeout(look, pauseMs);
`;

export const LIVE_PATH = "/live.js";

export const liveRoutes: Hono<Env> = new Hono<Env>().get(
  LIVE_PATH,
  documented(
    (c) =>
      Promise.resolve(c.body(SCRIPT, 200, {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=3600",
        "x-content-type-options": "nosniff",
      })),
    { console: true },
  ),
);
