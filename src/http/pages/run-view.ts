/**
 * The run page: a run and who it affects in, HTML out. All that somebody needs who has to decide about it and has never
 * seen Muster before. Everything is escaped by the template; words come from notify/words.ts.
 */
import { NO_COUNTS } from "../../model/run.ts";
import { html } from "hono/html";
import { encodeId } from "../../model/id.ts";
import {
  changesInWords,
  count,
  fieldInWords,
  guardInWords,
  guardTitle,
  isAhead,
  reasonInWords,
  rowsInWords,
  statusInWords,
  TRIGGERS,
  whenInWords,
} from "../../notify/words.ts";
import type { LinkRights } from "../../notify/links.ts";
import { withoutQuotes } from "../../model/quoting.ts";
import { type ChangeView, COUNTED } from "../../model/change.ts";
import type { IssueView } from "../../model/issue.ts";
import type { AffectedPerson, PeopleFilter, PeoplePage } from "../../store/runs/run-people.ts";
import { isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import type { Html } from "./frame.ts";

export interface RunPage {
  readonly found: StoredRun;
  readonly timezone: string;
  /** Path of this page, below which its forms and files are. */
  readonly path: string;
  /** Base of the help pages. */
  readonly publicUrl: string;
  /** What whoever has the link may see and do. */
  readonly rights: LinkRights;
  readonly people: PeoplePage;
  readonly q: string;
  readonly filter: PeopleFilter | null;
  /** Place that the shown people come after; 0 for the first. */
  readonly after: number;
  readonly issues: readonly IssueView[];
  readonly moreIssues: boolean;
  /** Page of the held run that has taken this one's place. */
  readonly successor: string | null;
  /** What was refused, shown above everything else. */
  readonly notice: { readonly title: string; readonly text: string } | null;
}

const TONES = {
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

export function runTitle({ connection, drop }: StoredRun): string {
  return drop?.name ?? connection?.name ?? "A run";
}

export function viewRunPage(page: RunPage): Html {
  const { found, notice } = page;
  const { run } = found;
  return html`
    ${notice === null ? "" : viewNotice(notice)}
    ${viewState(page)}
    ${run.heldBy.length === 0 || !isAhead(run.status) ? "" : viewGuards(page)}
    ${viewDecisions(page)}
    ${run.counts === null ? "" : viewCounts(page)}
    ${hasChanges(page) ? viewPeople(page) : ""}
    ${page.issues.length === 0 ? "" : viewIssues(page)}
    ${viewFacts(page)}
  `;
}

function viewNotice({ title, text }: { title: string; text: string }): Html {
  return html`
    <section class="card note held" role="alert">
      <h2>${title}</h2>
      <p>${text}</p>
    </section>
  `;
}

function viewState({ found, timezone, successor, rights }: RunPage): Html {
  const { run, connection } = found;
  const error = rights.people ? run.error : withoutQuotes(run.error);
  const { title, sentence } = statusInWords(run);
  const at = run.finishedAt ?? run.startedAt ?? run.createdAt;
  return html`
    <section class="card state ${TONES[run.status]}">
      <span class="tag">${title}</span>
      <h1>${runTitle(found)}</h1>
      <p class="soft">From ${connection?.name ?? "a connection that is gone"}, ${whenInWords(at, timezone)}</p>
      <p>${sentence}</p>
      ${error === null || run.status === "skipped" ? "" : html`<p><strong>${error.message}</strong></p>`}
      ${successor === null ? "" : html`<p><a href="${successor}">Look at the input that took its place</a></p>`}
    </section>
  `;
}

function viewGuards({ found, path, rights }: RunPage): Html {
  const { run } = found;
  return html`
    <section class="card">
      <h2>Why it waits</h2>
      <ul class="bare guards">${run.heldBy.map((held) => {
        const filter = FILTER_OF[held.guard];
        return html`<li><h3>${guardTitle(held)}</h3><p>${guardInWords(held)}</p>${
          filter === undefined || !rights.people
            ? ""
            : html`<p><a href="${path}?show=${filter}#people">Look at them</a></p>`
        }</li>`;
      })}</ul>
    </section>
  `;
}

const FILTER_OF: Readonly<Partial<Record<string, PeopleFilter>>> = {
  deactivate: "deactivate",
  reactivate: "reactivate",
  identity: "identity",
  update: "update",
  create: "create",
};

function viewDecisions({ found, path, rights }: RunPage): Html {
  const { run } = found;
  if (run.cancelRequested && !isAtRest(run.status)) return again(path);
  if (run.status === "applying" || run.status === "planning" || run.status === "queued") {
    return html`
      <section class="card">
        <h2>It is under way</h2>
        <div class="decide"><a class="button" href="${path}">Look again</a>${rights.cancel
          ? decision(path, "cancel", run.planHash)
          : ""}</div>
      </section>
    `;
  }
  if (!isAhead(run.status)) return html``;
  if (!rights.approve && !rights.cancel) return viewOnly();
  return html`
    <section class="card">
      <h2>Your decision</h2>
      <p>Approve it if this is what should happen. Cancel it if it is not: then correct the input and send it again.
      You are asked once more before anything is done.</p>
      <div class="decide">${rights.approve ? decision(path, "approve", run.planHash) : ""}${rights.cancel
        ? decision(path, "cancel", run.planHash)
        : ""}</div>
    </section>
  `;
}

function viewOnly(): Html {
  return html`
    <section class="card">
      <h2>It waits for a decision</h2>
      <p>This link shows the run. It is approved or cancelled by whoever runs Muster for you.</p>
    </section>
  `;
}

function again(path: string): Html {
  return html`
    <section class="card">
      <div class="decide"><a class="button" href="${path}">Look again</a></div>
    </section>
  `;
}

function decision(path: string, kind: Decision, planHash: string | null): Html {
  return html`
    <form method="post" action="${path}/${kind}">
      <input type="hidden" name="plan_hash" value="${planHash ?? ""}">
      <button class="${kind === "approve" ? "go" : "stop"}">${kind === "approve"
        ? "Approve…"
        : "Cancel this run…"}</button>
    </form>
  `;
}

function viewCounts({ found, path, rights }: RunPage): Html {
  const { run } = found;
  const counts = run.counts ?? NO_COUNTS;
  const changes = changesInWords(run, counts);
  return html`
    <section class="card">
      <h2>${isAhead(run.status)
        ? "What would change"
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

function hasChanges({ people, q, filter, after }: RunPage): boolean {
  return people.people.length > 0 || people.next !== null || q !== "" || filter !== null || after > 0;
}

const FILTERS: readonly (readonly [PeopleFilter | null, string])[] = [
  [null, "Everybody"],
  ["deactivate", "Deactivated"],
  ["reactivate", "Active again"],
  ["create", "New"],
  ["update", "Changed"],
  ["identity", "Email or ID changes"],
];

function viewPeople(page: RunPage): Html {
  const { people, q, filter, path, after } = page;
  const counts = page.found.run.counts ?? NO_COUNTS;
  const occurs = (kind: PeopleFilter | null) =>
    kind === null || kind === filter || counts[kind === "identity" ? "updated" : COUNTED[kind]] > 0;
  const address = (more: Record<string, string | number | null>, file = "") => {
    const all = { q: q === "" ? null : q, show: filter, ...more };
    const search = new URLSearchParams(
      Object.entries(all).flatMap(([name, value]) => value === null ? [] : [[name, String(value)]]),
    ).toString();
    return `${path}${file}${search === "" ? "" : `?${search}`}`;
  };
  return html`
    <section class="card" id="people" aria-labelledby="people-title">
      <h2 id="people-title">Who is affected</h2>
      <form class="search" method="get" action="${path}#people" role="search">
        <label for="q">Name, email, employee ID or department</label>
        <input type="search" id="q" name="q" value="${q}" autocomplete="off" maxlength="100">
        ${filter === null ? "" : html`<input type="hidden" name="show" value="${filter}">`}
        <button>Search</button>
      </form>
      <ul class="chips" aria-label="Kinds of change">${FILTERS.filter(([kind]) => occurs(kind)).map(([kind, name]) =>
        html`<li><a href="${address({ show: kind })}#people"${
          kind === filter
            ? html`
              aria-current="true"
            `
            : ""
        }>${name}</a></li>`
      )}</ul>
      ${people.people.length === 0
        ? html`<p>${people.next === null ? "Nobody fits." : "Nobody so far fits; there are more to look through."}</p>`
        : html`<ul class="bare people">${people.people.map(viewPerson)}</ul>`}
      <div class="after">
        ${people.next === null
          ? ""
          : html`<a class="button" rel="next" href="${address({ after: people.next })}#people">${
            people.people.length === 0 ? "Look further" : "Show the next"
          }</a>`}
        ${after === 0 ? "" : html`<a class="button" href="${address({})}#people">Back to the first</a>`}
        <a href="${address({}, "/people.csv")}">${q === "" && filter === null
          ? "All of them"
          : "All that fit"} as CSV</a>
      </div>
    </section>
  `;
}

const TAGS: Record<ChangeView["action"], readonly [ahead: string, done: string, tone: string]> = {
  create: ["New", "Created", "good"],
  update: ["Changes", "Changed", "calm"],
  deactivate: ["Would be deactivated", "Deactivated", "bad"],
  reactivate: ["Active again", "Active again", "held"],
};

const SHOWN_FIELDS = 6;
const ONLY_STATUS: ReadonlySet<string> = new Set(["status"]);
const IN_HEADING: ReadonlySet<string> = new Set([
  "status",
  "name",
  "first_name",
  "last_name",
  "email",
  "employee_id",
]);

function viewPerson({ change, name }: AffectedPerson): Html {
  const { subject, action, status, line } = change;
  const known = [subject.email, subject.employee_id].filter((part) => part !== null && part !== undefined);
  const [ahead, done, tone] = TAGS[action];
  const tag = status === "superseded" ? "Left out, changed meanwhile" : status === "applied" ? done : ahead;
  const reason = reasonInWords(change.reason);
  // What a new person is called stands above already.
  const shown = action === "create" ? IN_HEADING : ONLY_STATUS;
  const fields = Object.entries(change.fields).filter(([field]) => !shown.has(field));
  const notes = [reason === null ? null : `Because ${reason}`, line === null ? null : `row in line ${line}`]
    .filter((part) => part !== null).join("; ");
  return html`<li>
    <div class="who"><h3>${name ?? known[0] ?? subject.id}</h3>
      <span class="soft">${(name === null ? known.slice(1) : known).join(" · ")}</span>
      <span class="tag ${status === "superseded" ? "plain" : tone}">${tag}</span></div>
    ${notes === "" ? "" : html`<p class="small soft">${notes.charAt(0).toUpperCase() + notes.slice(1)}</p>`}
    ${viewFields(fields.slice(0, SHOWN_FIELDS))}
    ${
    fields.length <= SHOWN_FIELDS
      ? ""
      : html`<details><summary>${count(fields.length - SHOWN_FIELDS, "more field")}</summary>${
        viewFields(fields.slice(SHOWN_FIELDS))
      }</details>`
  }
  </li>`;
}

function viewFields(fields: readonly [string, { before: unknown; after: unknown }][]): Html {
  if (fields.length === 0) return html``;
  return html`<dl class="fields">${
    fields.map(([field, { before, after }]) =>
      html`
        <div>
          <dt>${fieldInWords(field)}</dt>
          <dd>${before === null ? "" : html`
            <span class="hidden">from</span> <del>${text(before)}</del> <span aria-hidden="true">→</span> <span
              class="hidden">to</span>
          `}<ins>${after === null ? "empty" : text(after)}</ins></dd>
        </div>
      `
    )
  }</dl>`;
}

function text(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(text).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function viewIssues({ issues, moreIssues, path, publicUrl, rights }: RunPage): Html {
  return html`
    <section class="card" aria-labelledby="issues-title">
      <h2 id="issues-title">Rows with issues</h2>
      ${rights.people ? viewReports(path) : ""}
      <ul class="bare issues">${issues.map((issue) =>
        html`
          <li>
            <span class="tag ${issue.severity === "error" ? "bad" : "held"}">${issue.severity === "error"
              ? "Error"
              : "Warning"}</span>
            <span class="small soft">${issue.line === null ? "the whole input" : `line ${issue.line}`}</span>
            <p>${issue.message}</p>
            <p class="small soft">${issue.suggestion} <a href="${publicUrl}/errors/${issue
              .code}" rel="noreferrer">About ${issue.code}</a></p>
          </li>
        `
      )}</ul>
      ${moreIssues
        ? html`<p class="small soft">These are the first ${issues.length}; the report has all of them.</p>`
        : ""}
    </section>
  `;
}

function viewReports(path: string): Html {
  return html`
    <p>The report has every row with an issue, as it came, and says what to correct.
    Correct it in a spreadsheet and send it again as it is: people who are not in it are left alone.</p>
    <div class="decide">
      <a class="button" href="${path}/failures.csv">Report as CSV</a>
      <a class="button" href="${path}/failures.json">Report as JSON</a>
    </div>
  `;
}

function viewFacts({ found, timezone }: RunPage): Html {
  const { run, connection, drop } = found;
  const facts: [string, string | Html][] = [
    ["Connection", connection?.name ?? "gone"],
    ["Started by", TRIGGERS[run.trigger]],
    ["Input", drop === null ? "none" : `${drop.name} (${count(drop.bytes, "byte")})`],
    ["Covers", run.coverage === "full" ? "everybody: a full input" : "only those who are in it"],
    ["Handed in", whenInWords(run.createdAt, timezone)],
    ...(run.approvedAt === null ? [] : [["Approved", whenInWords(run.approvedAt, timezone)] as [string, string]]),
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

export type Decision = "approve" | "cancel";

/** Asks once more. Only the form on this page does something. */
export function viewConfirmation(
  page: { found: StoredRun; path: string; decision: Decision; planHash: string },
): Html {
  const { found, path, decision: kind, planHash } = page;
  const { run } = found;
  const changes = changesInWords(run, run.counts ?? NO_COUNTS);
  const approve = kind === "approve";
  return html`
    <section class="card state ${approve ? "held" : "bad"}">
      <h1>${approve ? "Approve" : "Cancel"} ${runTitle(found)}?</h1>
      <p>${approve
        ? "The changes begin at once. They can be taken back afterwards, by whoever runs Muster for you."
        : run.status === "applying"
        ? "It stops after the step it is at; what has been applied by then stays."
        : "Nothing of it is applied. The next input is planned on its own."}</p>
      ${approve && changes.length > 0
        ? html`<ul>${
          changes.map(({ n, what }) => html`<li><strong>${n.toLocaleString("en")}</strong> ${what}</li>`)
        }</ul>`
        : ""}
    </section>
    <div class="decide">
      <form method="post" action="${path}/${kind}">
        <input type="hidden" name="plan_hash" value="${planHash}">
        <input type="hidden" name="confirmed" value="yes">
        <button class="${approve ? "go" : "stop"}">${approve ? "Yes, approve it" : "Yes, cancel it"}</button>
      </form>
      <a class="button" href="${path}">No, go back</a>
    </div>
  `;
}
