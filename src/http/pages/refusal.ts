/** An error as a part of a page: what happened, for people. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import type { Env } from "../kit/env.ts";
import { problem } from "../kit/problem.ts";
import type { Html, PageStatus } from "./frame.ts";

export interface ShownRefusal {
  readonly title: string;
  readonly main: Html;
  readonly status: PageStatus;
}

/** Logs unexpected errors, and sets the answer's Retry-After. `title`: instead of the usual one. */
export function viewRefusal(c: Context<Env>, error: unknown, title?: string): ShownRefusal {
  const { status, headers } = problem(c, error);
  const retryAfter = headers.get("retry-after");
  if (retryAfter !== null) c.header("retry-after", retryAfter);
  const isKnown = error instanceof Fault, errors = isKnown ? error.errors : [];
  const text = isKnown ? error.message : "The hub failed; try again a little later";
  const heading = title ?? (status < 500 ? "This cannot be done" : "Something went wrong");
  const main = html`
    <section class="card state bad">
      <h1>${heading}</h1>
      <p>${text}.</p>
      ${errors.length === 0
        ? ""
        : html`<ul>${errors.map(({ pointer, detail }) => html`<li>${pointer} ${detail}</li>`)}</ul>`}
      <p class="small soft">Request ${c.get("requestId")}</p>
    </section>
  `;
  return { title: heading, main, status: status as PageStatus };
}
