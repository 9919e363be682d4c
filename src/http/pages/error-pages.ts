/** A help page for every code of a problem or an issue. Problems and failure reports link to them. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { Example } from "../../model/codes/help.ts";
import { type CodeHelp, helpFor } from "../../model/help.ts";
import { describe, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerPage, type Html } from "./frame.ts";

const UNKNOWN = { description: "A page: there is no such code", content: PAGE.content };

const getPage = route(
  describe("getErrorPage", "Show the help page of a code", { 200: PAGE, 404: UNKNOWN }, {
    description:
      "A page for people about one code of a problem or an issue: what happened, what was done about it, and " +
      "what to do, with an example. Problems link to it in `type`.",
    pages: true,
  }),
  (c) => {
    const code = c.req.param("code"), help = helpFor(code);
    if (help === null) return answerPage(c, { title: "No such code", organization: null, main: NO_SUCH_CODE }, 404);
    return answerPage(c, { title: code, organization: null, main: viewHelp(code, help), isPublic: true });
  },
);

export const errorPages: Hono<Env> = new Hono<Env>().get("/:code", ...getPage);

/** The address is not quoted: it may be anything. */
const NO_SUCH_CODE = html`
  <section class="card state bad">
    <h1>There is no such code</h1>
    <p>A code has small letters and lines below, such as <code>email_invalid</code>. Compare the address with the code in
      the report, the mail or the answer that you have.</p>
  </section>
`;

function viewHelp(code: string, { when, then, todo, example, status }: CodeHelp): Html {
  return html`
    <section class="card help">
      <p class="small soft"><code>${code}</code>${status === null ? "" : `, HTTP status ${status}`}</p>
      <h1>${when}</h1>
      <h2>What Muster did</h2>
      <p>${then}.</p>
      <h2>What to do</h2>
      <p>${todo}.</p>
      ${example === null ? "" : viewExample(example)}
    </section>
  `;
}

function viewExample({ of, before, after }: Example): Html {
  return html`
    <h2>An example</h2>
    <p>${of}</p>
    <dl class="versus">
      <div>
        <dt>Before</dt>
        <dd>${viewValue(before)}</dd>
      </div>
      <div>
        <dt>After</dt>
        <dd>${viewValue(after)}</dd>
      </div>
    </dl>
  `;
}

const viewValue = (text: string) =>
  text === ""
    ? html`
      <span class="soft">empty</span>
    `
    : html`<code>${text}</code>`;
