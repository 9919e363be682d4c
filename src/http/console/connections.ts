/** All connections, in words. */
import { html } from "hono/html";
import { route } from "../kit/describe.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { Listed } from "./api.ts";
import { viewFeeds } from "./feeds.ts";
import { answerConsole, may, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf, viewPaging } from "./lists.ts";

const CONNECTIONS_A_PAGE = 20;

export const showConnections = route(PAGE, async (c) => {
  const cursor = c.req.query("cursor"), limit = String(CONNECTIONS_A_PAGE);
  const found = await c.get("api")!.read<Listed<ConnectionView>>(`/v1/connections?${queryOf({ limit, cursor })}`);
  const path = pathIn(c, "/connections");
  return await answerConsole(c, {
    title: "Connections",
    section: "/connections",
    main: html`
      <h1>Connections</h1>
      <section class="card" aria-labelledby="all-title">
        <h2 id="all-title" class="hidden">All connections</h2>
        ${found.data.length === 0
          ? html`<p>There is no connection yet.</p>`
          : viewFeeds(found.data, pathIn(c), c.get("organization"))}
        ${viewPaging(path, found.next_cursor, cursor === undefined)}
        ${may(c, "connections:write")
          ? html`<p class="after"><a class="button" href="${pathIn(c, "/new-connection")}">Add a connection</a></p>`
          : ""}
      </section>
    `,
  });
});
