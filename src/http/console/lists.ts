/** Pieces that the console's lists have in common. No I/O. */
import { html } from "hono/html";
import type { RunView } from "../../model/run.ts";
import { changesInWords, count, statusInWords, whenInWords } from "../../notify/words.ts";
import type { Html } from "../pages/frame.ts";
import { TONES } from "../pages/run-view.ts";

/** The connector whose inputs are records, sent by programs: it has no files, and no presets for them. */
export const RECORDS: ReadonlySet<string> = new Set(["rest-import", "scim"]);

/** The state of a run as a coloured word. */
function viewRunTag(run: RunView): Html {
  const { title } = statusInWords({
    status: run.status,
    approvedAt: null,
    cancelRequested: false,
    heldBy: run.held_by as never,
  });
  return html`<span class="tag ${TONES[run.status]}">${title}</span>`;
}

/** What a run was about: `people.csv`, or the name of what it was read from. */
export function runName(run: RunView): string {
  return run.drop?.name ?? run.connection.name ?? "A run";
}

/** `12 people were changed, 1 person was created`; of a run without changes, why there are none. */
export function resultInWords(run: RunView): string {
  const changes = run.counts === null ? [] : changesInWords({ status: run.status, entity: run.entity }, run.counts);
  const failed = run.counts?.failed ?? 0;
  const words = [
    ...changes.map(({ n, what }) => `${n.toLocaleString("en")} ${what}`),
    ...(failed === 0 ? [] : [`${count(failed, "row")} ${failed === 1 ? "was" : "were"} left out`]),
  ];
  if (words.length > 0) return words.join(", ");
  return run.error?.message ?? (run.counts === null ? "" : "Nothing changed");
}

/** Rows of runs, the latest first. `path`: where their pages are. */
export function viewRuns(runs: readonly RunView[], path: string, timezone: string): Html {
  return html`<ul class="bare rowlist">${
    runs.map((run) =>
      html`
        <li>
          <div class="who"><h3><a href="${path}/${run.id}">${runName(run)}</a></h3>
                <span class="soft">${run.connection.name ?? "a deleted connection"}</span>${viewRunTag(run)}</div>
          <p class="small soft">${whenInWords(Date.parse(run.created_at), timezone)}</p>
          <p class="small">${resultInWords(run)}</p>
        </li>
      `
    )
  }</ul>`;
}

/** The way to the next page of a list, and back to the first. `path` may have a query. */
export function viewPaging(path: string, cursor: string | null, isFirst: boolean): Html {
  if (cursor === null && isFirst) return html``;
  const join = path.includes("?") ? "&" : "?";
  return html`<nav class="after" aria-label="Pages">
    ${
    cursor === null
      ? ""
      : html`<a class="button" rel="next" href="${path}${join}cursor=${encodeURIComponent(cursor)}">Show the next</a>`
  }
    ${isFirst ? "" : html`<a class="button" href="${path}">Back to the first</a>`}
  </nav>`;
}

/** The page's query with only these parameters, for the API: what is empty is left out. */
export function queryOf(asked: Readonly<Record<string, string | undefined>>): string {
  return new URLSearchParams(Object.entries(asked).flatMap(([name, value]) => value ? [[name, value]] : [])).toString();
}
