/** What runs did by day: a small chart for each kind of change, and the same as a table. No I/O. */
import { html } from "hono/html";
import type { RunDayView } from "../api/run-days.ts";
import type { Html } from "../pages/frame.ts";

type Kind = "created" | "updated" | "deactivated" | "failed";

/** Those who came back are new to what reads from here, as those who were added are. */
const KINDS: readonly { readonly kind: Kind; readonly title: string; readonly tone: string }[] = [
  { kind: "created", title: "Added or active again", tone: "good" },
  { kind: "updated", title: "Changed", tone: "calm" },
  { kind: "deactivated", title: "Deactivated", tone: "held" },
  { kind: "failed", title: "Rows not used", tone: "bad" },
];

const BAR = 8, GAP = 2, HEIGHT = 40;

/** Nothing where no run was applied in these days. */
export function viewRunChart(days: readonly RunDayView[]): Html {
  const used = days.filter(({ runs }) => runs > 0);
  if (used.length === 0) return html``;
  return html`
    <section class="card" aria-labelledby="days-title">
      <h2 id="days-title">What runs did in the last ${days.length} days</h2>
      <ul class="bare charts">${KINDS.map(({ kind, title, tone }) =>
        viewBars(title, tone, days.map((day) => ({ day: day.day, n: numberOf(day, kind) })))
      )}</ul>
      <details><summary>The same as a table</summary>${viewTable(used)}</details>
    </section>
  `;
}

function numberOf(day: RunDayView, kind: Kind): number {
  return kind === "created" ? day.created + day.reactivated : day[kind];
}

function viewBars(title: string, tone: string, days: readonly { readonly day: string; readonly n: number }[]): Html {
  const most = Math.max(...days.map(({ n }) => n)), total = days.reduce((sum, { n }) => sum + n, 0);
  const best = days.find(({ n }) => n === most);
  const label = most === 0
    ? `${title}: none`
    : `${title}: ${inWords(total)}, most on ${dayInWords(best!.day)}: ${inWords(most)}`;
  const width = days.length * (BAR + GAP) - GAP;
  return html`<li class="${tone}"><b>${inWords(total)}</b> <span>${title}</span>
    <svg viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${label}" preserveAspectRatio="none"><path class="base"
      d="M0 ${HEIGHT - 0.5}H${width}"/>${
    days.map(({ n }, i) =>
      n === 0 ? "" : html`
        <path class="bar" d="${barOf(i, n / most)}" />
      `
    )
  }</svg></li>`;
}

/** Of what little there is, something is seen. */
function barOf(place: number, part: number): string {
  const height = Math.max(2, Math.round(part * HEIGHT)), left = place * (BAR + GAP);
  return `M${left} ${HEIGHT}v${-height}h${BAR}v${height}z`;
}

function viewTable(days: readonly RunDayView[]): Html {
  return html`
    <div class="wide" tabindex="0" role="region" aria-label="The days as a table">
      <table>
        <thead>
          <tr><th scope="col">Day</th><th scope="col">Runs</th>${KINDS.map(({ title }) =>
            html`<th scope="col">${title}</th>`
          )}</tr>
        </thead>
        <tbody>${days.toReversed().map((day) =>
          html`<tr><th scope="row">${dayInWords(day.day)}</th><td>${inWords(day.runs)}</td>${
            KINDS.map(({ kind }) => html`<td>${inWords(numberOf(day, kind))}</td>`)
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

function inWords(n: number): string {
  return n.toLocaleString("en");
}

/** `3 March` of `2026-03-03`. */
function dayInWords(day: string): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" }).format(Date.parse(day));
}
