/** The operator's way to each organization. */
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { allows } from "../../model/scope.ts";
import { listOrganizations } from "../../store/organizations.ts";
import { route } from "../kit/describe.ts";
import { answerPage } from "../pages/frame.ts";
import { basePath } from "../pages/base-path.ts";
import { PAGE, requireVisitor } from "./guards.ts";
import { viewPaging } from "./lists.ts";

const ORGANIZATIONS_A_PAGE = 100;

export const showOrganizations = route(PAGE, requireVisitor, async (c) => {
  const { bearer } = c.get("visitor")!, { db } = c.get("hub"), path = `${basePath(c)}/o`;
  if (!allows(bearer.scopes, "operator")) throw new Fault("forbidden", "Only an operator sees all organizations");
  const after = /^\d{1,15}$/.test(c.req.query("cursor") ?? "") ? Number(c.req.query("cursor")) : 0;
  const found = await listOrganizations(db, { after, limit: ORGANIZATIONS_A_PAGE + 1 });
  const shown = found.slice(0, ORGANIZATIONS_A_PAGE);
  const next = found.length > shown.length ? String(shown.at(-1)!.id) : null;
  return await answerPage(c, {
    title: "Organizations",
    organization: null,
    main: html`
      <h1>Organizations</h1>
      <section class="card">
        <h2 class="hidden">All of them</h2>
        <ul class="bare rowlist">${shown.map(({ slug, name }) =>
          html`
            <li>
              <div class="who"><h3><a href="${path}/${slug}">${name}</a></h3><span class="soft">${slug}</span></div>
            </li>
          `
        )}</ul>
        ${viewPaging(path, next, after === 0)}
      </section>
    `,
  });
});
