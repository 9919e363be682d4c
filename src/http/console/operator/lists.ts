/** The hub's bridges and connectors, to look at. */
import { html } from "hono/html";
import { count, whenInWords } from "../../../notify/words.ts";
import type { BridgeView } from "../../api/bridges.ts";
import type { ConnectorView } from "../../api/connectors.ts";
import { route } from "../../kit/describe.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { requireScope } from "../frame.ts";
import { PAGE } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { answerOperator, operatorPath, OPERATORS_ZONE } from "./frame.ts";

/** A bridge visits far more often. */
const SILENT_MS = 10 * 60 * 1000;

export const showBridges = route(PAGE, async (c) => {
  requireScope(c, "operator");
  const cursor = c.req.query("cursor"), now = c.get("hub").now();
  const { data, next_cursor } = await c.get("api")!.read<Listed<BridgeView>>(`/v1/bridges?${queryOf({ cursor })}`);
  const main = html`
    <h1>Bridges</h1>
    <p
      class="soft">Processes that speak SFTP for this hub. A new one takes files once its key is confirmed with the API.</p>
    <section class="card">
      ${data.length === 0 ? html`<p>No bridge has introduced itself.</p>` : html`
        <h2 class="hidden">The bridges</h2>
        <ul class="bare rowlist">${data.map((bridge) => viewBridge(bridge, now))}</ul>
      `}
      ${viewPaging(operatorPath(c, "/operator/bridges"), next_cursor, cursor === undefined)}
    </section>
  `;
  return await answerOperator(c, { title: "Bridges", section: "/operator/bridges", main });
});

function viewBridge({ name, version, key_thumbprint, hosted, confirmed_at, seen_at }: BridgeView, now: number): Html {
  const { tone, title } = stateOfBridge(confirmed_at, Date.parse(seen_at), now);
  return html`<li>
    <div class="who"><h3>${name}</h3><span class="soft">${version}</span><span class="tag ${tone}">${title}</span></div>
    ${hosted === null ? "" : html`<p>SFTP server at ${hosted.host}, port ${hosted.port}</p>`}
    <p class="small soft">Last seen ${whenInWords(Date.parse(seen_at), OPERATORS_ZONE)}. Key ${key_thumbprint}</p>
  </li>`;
}

function stateOfBridge(confirmedAt: string | null, seenAt: number, now: number) {
  if (confirmedAt === null) return { tone: "held", title: "Not confirmed" };
  return now - seenAt > SILENT_MS ? { tone: "bad", title: "Silent" } : { tone: "good", title: "Works" };
}

export const showConnectors = route(PAGE, async (c) => {
  requireScope(c, "operator");
  const { data } = await c.get("api")!.read<Listed<ConnectorView>>("/v1/connectors");
  const main = html`
    <h1>Connectors</h1>
    <p class="soft">The kinds of sources that this hub reads.</p>
    <section class="card">
      <h2 class="hidden">The connectors</h2>
      <ul class="bare rowlist">${data.map(viewConnector)}</ul>
    </section>
  `;
  return await answerOperator(c, { title: "Connectors", section: "/operator/connectors", main });
});

function viewConnector({ name, title, version, versions, origin, from, takes_drops, problems }: ConnectorView): Html {
  const others = versions.filter((each) => each !== version);
  return html`<li>
    <div class="who"><h3>${title}</h3><span class="soft">${name} ${version}</span>
      <span class="tag ${problems.length === 0 ? "good" : "bad"}">${
    problems.length === 0 ? "Works" : count(problems.length, "problem")
  }</span></div>
    ${problems.map((problem) => html`<p>${problem}.</p>`)}
    <p class="small soft">${takes_drops ? "Takes files or records that are sent" : "Fetches from its source"}.
      ${origin === "own" ? "Part of Muster." : `Added by the operator${from === null ? "" : `: ${from}`}.`}
      ${others.length === 0 ? "" : `Also installed: ${others.join(", ")}.`}</p>
  </li>`;
}
