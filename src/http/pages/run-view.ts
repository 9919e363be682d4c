/**
 * The run page: a run and the people it affects in, HTML out. It has everything that a person needs who decides about
 * the run and has never seen Muster before. The template escapes all values; words come from notify/words.ts.
 */
import { NO_COUNTS } from "../../model/run.ts";
import { html } from "hono/html";
import { encodeId } from "../../model/id.ts";
import {
  changesInWords,
  count,
  guardInWords,
  guardTitle,
  isAhead,
  rowsInWords,
  statusInWords,
  TRIGGERS,
  wasNotApplied,
  whenInWords,
} from "../../notify/words.ts";
import type { ReportFormat } from "../../report/file.ts";
import type { ShownIssue } from "../../report/digest.ts";
import { withoutQuotes } from "../../model/quoting.ts";
import type { PeopleFilter } from "../../store/runs/run-people.ts";
import { isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import type { Html } from "./frame.ts";
import { type RunPage, runTitle } from "./run-page-model.ts";
import { hasQuestions, viewContradictions } from "./run-view-contradictions.ts";
import { viewDecided, viewDecisions } from "./run-view-decisions.ts";
import { hasPeople, viewPeople } from "./run-view-people.ts";

/** The colour of each status. Never the only sign of it. */
export const TONES = {
  queued: "plain",
  planning: "plain",
  planned: "calm",
  held: "held",
  applying: "calm",
  succeeded: "good",
  partial: "held",
  failed: "bad",
  cancelled: "plain",
  superseded: "plain",
  skipped: "plain",
} as const;

export function viewRunPage(page: RunPage): Html {
  const { found, notice } = page;
  const { run } = found;
  return html`
    ${notice === null ? "" : viewNotice(notice)}
    ${viewState(page)}
    ${page.issues.whole.length === 0 ? "" : viewIssuesOfWhole(page)}
    ${run.heldBy.length === 0 || !isAhead(run.status) ? "" : viewGuards(page)}
    ${viewDecisions(page)}
    ${hasQuestions(page) ? viewContradictions(page) : ""}
    ${run.counts === null ? "" : viewCounts(page)}
    ${hasPeople(page) ? viewPeople(page) : ""}
    ${hasRows(page) ? viewIssues(page) : ""}
    ${viewFacts(page)}
  `;
}

function waitsBehind(file: string | null): string {
  const held = file === null ? "An earlier run" : `An earlier file, ${file},`;
  return `Nothing has been changed yet. ${held} is held, and has to be approved or cancelled first.`;
}

function viewNotice({ title, text }: { title: string; text: string }): Html {
  return html`
    <section class="card note held" role="alert">
      <h2>${title}</h2>
      <p>${text}</p>
    </section>
  `;
}

function viewState(page: RunPage): Html {
  const { found, timezone, successor, behind, rights, issues } = page;
  const { run, connection } = found;
  const error = rights.people ? run.error : withoutQuotes(run.error);
  // What concerns the whole file says it right below.
  const isBelow = issues.whole.some(({ message }) => message === error?.message);
  const { title, sentence } = statusInWords(run);
  const at = run.finishedAt ?? run.startedAt ?? run.createdAt;
  return html`
    <section class="card state ${TONES[run.status]}" ${isAtRest(run.status) ? "" : LIVE}>
      <span class="tag">${title}</span>
      <h1>${runTitle(found)}</h1>
      <p class="soft">From ${connection?.name ?? "a deleted connection"}, ${whenInWords(at, timezone)}</p>
      <p>${behind === null ? sentence : waitsBehind(behind.file)}</p>
      ${isAtRest(run.status) ? "" : viewProgress(run.progress)}
      ${viewDecided(page)}
      ${error === null || isBelow || run.status === "skipped" ? "" : html`<p><strong>${error.message}</strong></p>`}
      ${successor === null ? "" : html`<p><a href="${successor}">See the run that replaced it</a></p>`}
    </section>
  `;
}

/** Marks what is shown again while the run goes on. */
const LIVE = html`
  data-live="It has ended. See the result" role="status"
`;

function viewProgress(progress: StoredRun["run"]["progress"]): Html {
  if (progress === null) return html``;
  const { phase, done, total } = progress;
  const what = `${PHASES[phase] ?? "Rows read"}: ${done.toLocaleString("en")}`;
  if (total === null) return html`<p class="soft">${what}</p>`;
  return html`
    <p class="soft">${what} of ${total.toLocaleString("en")}</p>
    <progress max="${total}" value="${done}" aria-label="${PHASES[phase] ?? "Rows read"}"></progress>
  `;
}

/** What a run in progress counts, by its phase. */
const PHASES: Readonly<Record<string, string>> = {
  decrypt: "Bytes decrypted",
  compare: "Rows compared",
  apply: "Changes made",
};

function viewGuards({ found, path, rights, cameWith }: RunPage): Html {
  const { run } = found;
  return html`
    <section class="card">
      <h2>Why it waits</h2>
      <ul class="bare guards">${run.heldBy.map((held) => {
        const filter = FILTER_OF[held.guard];
        return html`<li><h3>${guardTitle(held)}</h3><p>${guardInWords(held)}</p>${
          held.guard === "parts" ? html`<p>${namesInWords(found, cameWith)}</p>` : ""
        }${
          filter === undefined || !rights.people
            ? ""
            : html`<p><a href="${path}?show=${filter}#people">Show them</a></p>`
        }</li>`;
      })}</ul>
    </section>
  `;
}

/** `Europe.csv came with Asia.csv, Africa.csv.` */
function namesInWords(found: RunPage["found"], cameWith: readonly string[]): string {
  const more = cameWith.length - MAX_NAMES;
  const names = cameWith.slice(0, MAX_NAMES).join(", ");
  return `${runTitle(found)} came with ${names}${more > 0 ? ` and ${count(more, "other file")}` : ""}.`;
}

const MAX_NAMES = 10;

const FILTER_OF: Readonly<Partial<Record<string, PeopleFilter>>> = {
  deactivate: "deactivate",
  reactivate: "reactivate",
  identity: "identity",
  update: "update",
  create: "create",
};

function viewCounts({ found, path, rights }: RunPage): Html {
  const { run } = found;
  const counts = run.counts ?? NO_COUNTS;
  const changes = changesInWords(run, counts);
  return html`
    <section class="card">
      <h2>${isAhead(run.status)
        ? "What would change"
        : wasNotApplied(run.status)
        ? "What would have changed"
        : run.status === "applying"
        ? "What changes"
        : "What has changed"}</h2>
      ${changes.length === 0
        ? html`<p>Nothing.</p>`
        : html`<ul class="bare figures">${
          changes.map(({ n, what, action }) =>
            action === null || !rights.people
              ? html`
                <li>
                  <div><b>${n.toLocaleString("en")}</b> <span>${what}</span></div>
                </li>
              `
              : html`<li><a href="${path}?show=${action}#people"><b>${
                n.toLocaleString("en")
              }</b> <span>${what}</span></a></li>`
          )
        }</ul>`}
      <ul class="rows small soft">${rowsInWords(counts).map(({ n, what }) =>
        html`<li>${n.toLocaleString("en")} ${what}</li>`
      )}</ul>
    </section>
  `;
}

/** Whether some of the issues are about rows. */
function hasRows(page: RunPage): boolean {
  return page.issues.errors.length + page.issues.warnings.length > 0 || hasQuestions(page);
}

function viewIssuesOfWhole(page: RunPage): Html {
  const { issues, source, path, publicUrl, rights } = page;
  return html`
    <section class="card" aria-labelledby="whole-title">
      <h2 id="whole-title">${source === null ? "About the whole file" : `About all of ${source}`}</h2>
      <ul class="bare issues">${issues.whole.map((issue) =>
        viewIssue(issue, issue.count > 1 ? count(issue.count, "time") : "", publicUrl)
      )}</ul>
      ${!hasRows(page) && rights.people ? viewReports(path, ["json"]) : ""}
    </section>
  `;
}

function viewIssues({ issues, source, path, rows, publicUrl, rights }: RunPage): Html {
  const { errors, warnings, isCut } = issues;
  return html`
    <section class="card" aria-labelledby="issues-title">
      <h2 id="issues-title">${source === null ? "Rows" : "People"} with issues</h2>
      ${rows === null || errors.length === 0
        ? ""
        : html`<p><a class="button" href="${rows}">Correct the rows here</a></p>`}
      ${rights.people ? html`${viewWhatToDo(source)}${viewReports(path)}` : ""}
      <ul class="bare issues">${[...errors, ...warnings].map((issue) =>
        viewIssue(issue, placeOf(issue), publicUrl)
      )}</ul>
      ${isCut ? html`<p class="small soft">There are more; the report has all of them.</p>` : ""}
    </section>
  `;
}

/** `line 2, Ana Lopez (17)`, or for equal warnings `37 rows, first line 2, Ana Lopez (17)`. */
function placeOf({ line, who, count: n }: ShownIssue): string {
  const first = [line === null ? "" : `line ${line}`, who ?? ""].filter(Boolean).join(", ");
  return n === 1 ? first : [count(n, "row"), first && `first ${first}`].filter(Boolean).join(", ");
}

function viewIssue({ severity, code, message, suggestion }: ShownIssue, place: string, publicUrl: string): Html {
  return html`
    <li>
      <span class="tag ${severity === "error" ? "bad" : "held"}">${severity === "error" ? "Error" : "Warning"}</span>
      <span class="small soft">${place}</span>
      <p>${message}</p>
      <p
        class="small soft">${suggestion} · <a href="${publicUrl}/errors/${code}" rel="noreferrer">About ${code}</a></p>
    </li>
  `;
}

function viewWhatToDo(source: string | null): Html {
  return source === null
    ? html`<p>The report has every row with an issue in its original columns, and says what to correct.
    Correct it in a spreadsheet and upload it again as it is: people who are not in it stay unchanged.</p>`
    : html`<p>Correct these in ${source}; the next sync takes it. The report has everybody with an issue.</p>`;
}

/** Without a row to correct, a table would be empty. */
function viewReports(path: string, formats: readonly ReportFormat[] = ["csv", "xlsx", "json"]): Html {
  return html`
    <div class="decide">${formats.map((format) =>
      html`<a class="button" href="${path}/failures.${format}">${REPORT_NAMES[format]}</a>`
    )}</div>
  `;
}

const REPORT_NAMES = { csv: "Report as CSV", xlsx: "Report as a workbook", json: "Report as JSON" } as const;

function viewFacts({ found, timezone, columns }: RunPage): Html {
  const { run, connection, drop } = found;
  const facts: [string, string | Html][] = [
    ["Connection", connection?.name ?? "deleted"],
    ["Started by", TRIGGERS[run.trigger]],
    ["File", drop === null ? "none" : `${drop.name} (${count(drop.bytes, "byte")})`],
    ...(columns === null
      ? []
      : [["Columns", html`<a href="${columns}">What each column is read as</a>`] as [string, Html]]),
    ["Covers", run.coverage === "full" ? "everybody" : "only people who are listed in it"],
    ["Received", whenInWords(run.createdAt, timezone)],
    ...(run.finishedAt === null ? [] : [["Ended", whenInWords(run.finishedAt, timezone)] as [string, string]]),
    ["Run", html`<code>${encodeId("run", run.id)}</code>`],
  ];
  return html`
    <section class="card">
      <h2>About this run</h2>
      <dl class="facts">${facts.map(([name, value]) =>
        html`
          <dt>${name}</dt>
          <dd>${value}</dd>
        `
      )}</dl>
    </section>
  `;
}
