/** Changes of a person as a list. No I/O. */
import { html } from "hono/html";
import type { ChangeView } from "../../model/change.ts";
import { reasonInWords, whenInWords } from "../../notify/words.ts";
import type { Html } from "../pages/frame.ts";
import { viewFields } from "../pages/run-view-people.ts";

const NAMES = { create: "Created", update: "Changed", deactivate: "Deactivated", reactivate: "Active again" } as const;

/** `path`: where the pages of runs are. */
export function viewChanges(changes: readonly ChangeView[], path: string, timezone: string): Html {
  if (changes.length === 0) return html`<p>Nothing that is kept.</p>`;
  return html`<ul class="bare rowlist">${changes.map((change) => viewChange(change, path, timezone))}</ul>`;
}

function viewChange({ action, fields, reason, run, applied_at }: ChangeView, path: string, timezone: string): Html {
  const because = reasonInWords(reason);
  return html`<li>
    <div class="who"><h3>${NAMES[action]}</h3><span class="soft">${
    applied_at === null ? "" : whenInWords(Date.parse(applied_at), timezone)
  }</span></div>
    <p class="small soft">${run === null ? "By hand" : html`By <a href="${path}/${run}">a run</a>`}${
    because === null ? "" : `, because ${because}`
  }</p>
    ${viewFields(Object.entries(fields))}
  </li>`;
}
