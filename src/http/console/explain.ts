/** What became of somebody, also when nobody is there: the answer to "why is she not in the system?". */
import { html } from "hono/html";
import { whenInWords } from "../../notify/words.ts";
import type { ExplanationView } from "../api/explain.ts";
import { route } from "../kit/describe.ts";
import type { Html } from "../pages/frame.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf } from "./lists.ts";

export const showExplanation = route(PAGE, async (c) => {
  const q = (c.req.query("q") ?? "").trim();
  const found = q === "" ? null : await c.get("api")!.read<ExplanationView>(`/v1/explain?${queryOf({ q })}`);
  return await answerConsole(c, {
    title: "Explain",
    section: "/explain",
    main: html`
      <h1>What became of somebody</h1>
      <section class="card">
        <form class="search" method="get" action="${pathIn(c, "/explain")}" role="search">
          <label for="q">An ID, an address or a name, as it is in the file</label>
          <input type="search" id="q" name="q" value="${q}" autocomplete="off" maxlength="200" required>
          <button class="go">Explain</button>
        </form>
        ${found === null ? "" : html`<p><strong>${found.sentence}</strong></p>`}
        ${found === null
          ? ""
          : html`<ul class="bare">${
            found.users.map(({ id, name, email, employee_id }) =>
              html`<li><a href="${pathIn(c, `/people/${id}`)}">${name ?? email ?? employee_id ?? id}</a></li>`
            )
          }</ul>`}
      </section>
      ${found === null || found.answers.length === 0 ? "" : html`
        <section class="card" aria-labelledby="answers-title">
          <h2 id="answers-title">What the last runs made of them</h2>
          <ul class="bare rowlist">${found.answers.map((answer) =>
            viewAnswer(answer, pathIn(c, "/runs"), c.get("organization").timezone)
          )}</ul>
        </section>
      `}
    `,
  });
});

function viewAnswer(
  { sentence, next, connection, run, at }: ExplanationView["answers"][number],
  path: string,
  timezone: string,
): Html {
  const source = connection?.name ?? connection?.slug ?? null;
  return html`<li>
    <p>${sentence}</p>
    ${next === null ? "" : html`<p class="small">${next}</p>`}
    <p class="small soft">${source === null ? "" : `${source}, `}${whenInWords(Date.parse(at), timezone)}${
    run === null ? "" : html`
      · <a href="${path}/${run}">See the run</a>
    `
  }</p>
  </li>`;
}
