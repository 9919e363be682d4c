/** A help page for every code of a problem or an issue. Problems and failure reports link to them. */
import { Hono } from "hono";
import { html } from "hono/html";
import { CODES, type IssueCode } from "../../model/codes.ts";
import { Fault, type FaultCode, FAULTS, type Recovery } from "../../model/errors.ts";
import { describe, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

const RECOVERY: Record<Recovery, string> = {
  retry: "Try the same thing again a little later.",
  fix: "Correct what the message names, and send it again.",
  approve: "Look at the plan again, and approve it if it is right.",
  none: "There is nothing to do about it.",
};

const getPage = route(
  describe("getErrorPage", "Show the help page of a code", { 200: PAGE }, {
    description: "A page for people about one code of a problem or an issue: what it means and what to do. " +
      "Problems link to it in `type`.",
  }),
  (c) => {
    const code = c.req.param("code");
    const help = findHelp(code);
    if (help === null) throw new Fault("not_found", `There is no code "${code}"`);
    c.header("cache-control", "public, max-age=3600");
    return c.html(html`
      <!doctype html>
      <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${code} – Muster</title>
        <style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
        <h1>${help.title}</h1>
        <p><code>${code}</code>${help.status === null ? "" : html`, HTTP status ${help.status}`}</p>
        <h2>What to do</h2>
        <p>${help.todo}</p>
      </html>
    `);
  },
);

export const errorPages: Hono<Env> = new Hono<Env>().get("/:code", ...getPage);

function findHelp(code: string): { title: string; todo: string; status: number | null } | null {
  // Some codes are both. The text for the issue is more specific than the one for the fault, so it comes first.
  if (Object.hasOwn(CODES, code)) {
    const { when, todo } = CODES[code as IssueCode];
    return { title: when, todo, status: null };
  }
  if (!Object.hasOwn(FAULTS, code)) return null;
  const { title, recovery, status } = FAULTS[code as FaultCode];
  return { title, todo: RECOVERY[recovery], status };
}
