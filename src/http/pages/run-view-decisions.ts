/** Decisions on the run page: the buttons that ask, and the question that they lead to. */
import { html } from "hono/html";
import { NO_COUNTS } from "../../model/run.ts";
import { changesInWords, deciderInWords, isAhead, whenInWords } from "../../notify/words.ts";
import { isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import type { Html } from "./frame.ts";
import { type Decision, type RunPage, runTitle } from "./run-page-model.ts";

/** What the link's readers can do about the run now. */
export function viewDecisions(page: RunPage): Html {
  const { found: { run }, path, rights, behind } = page;
  if (run.cancelRequested && !isAtRest(run.status)) return again(path);
  if (run.status === "applying" || run.status === "planning" || run.status === "queued") {
    return html`
      <section class="card">
        <h2>${behind === null ? "This run is in progress" : "This run waits"}</h2>
        <div class="decide"><a class="button" href="${path}">Refresh</a>${rights.cancel
          ? decision(page, "cancel")
          : ""}</div>
      </section>
    `;
  }
  if (!isAhead(run.status)) return html``;
  if (!rights.approve && !rights.cancel) return viewOnly();
  return html`
    <section class="card">
      <h2>Your decision</h2>
      <p>Approve it if this is what should happen. Otherwise cancel it, correct the file and upload it again.
      You will be asked to confirm before anything is done.</p>
      <div class="decide">${rights.approve ? decision(page, "approve") : ""}${rights.cancel
        ? decision(page, "cancel")
        : ""}</div>
    </section>
  `;
}

/** What people decided, and how they did. */
export function viewDecided({ decided, timezone, rights }: RunPage): Html {
  return html`${
    decided.map(({ what, at, by }) =>
      html`<p class="small soft">${DECIDED[what]} on ${whenInWords(at, timezone)}, ${
        deciderInWords(by, rights.approve)
      }.</p>`
    )
  }`;
}

const DECIDED = { approved: "Approved", cancelled: "Cancelled" } as const;

function viewOnly(): Html {
  return html`
    <section class="card">
      <h2>It waits for a decision</h2>
      <p>You can see this run. Your Muster administrator approves or cancels it.</p>
    </section>
  `;
}

function again(path: string): Html {
  return html`
    <section class="card">
      <div class="decide"><a class="button" href="${path}">Refresh</a></div>
    </section>
  `;
}

function decision({ path, fields, found: { run } }: RunPage, kind: Decision): Html {
  return html`
    <form method="post" action="${path}/${kind}">
      ${fields}<input type="hidden" name="plan_hash" value="${run.planHash ?? ""}">
      <button class="${kind === "approve" ? "go" : "stop"}">${kind === "approve"
        ? "Approve…"
        : "Cancel this run…"}</button>
    </form>
  `;
}

/** The question before a decision. Only the form on this page decides. */
export function viewConfirmation(
  page: { found: StoredRun; path: string; fields: Html; decision: Decision; planHash: string },
): Html {
  const { found, path, fields, decision: kind, planHash } = page;
  const { run } = found;
  const changes = changesInWords(run, run.counts ?? NO_COUNTS);
  const approve = kind === "approve";
  return html`
    <section class="card state ${approve ? "held" : "bad"}">
      <h1>${approve ? "Approve" : "Cancel"} ${runTitle(found)}?</h1>
      <p>${approve
        ? "The changes begin at once. Your Muster administrator can revert them afterwards."
        : run.status === "applying"
        ? "It stops after the current step; changes that are already applied stay."
        : "Nothing is applied. The next file is planned on its own."}</p>
      ${approve && changes.length > 0
        ? html`<ul>${
          changes.map(({ n, what }) => html`<li><strong>${n.toLocaleString("en")}</strong> ${what}</li>`)
        }</ul>`
        : ""}
    </section>
    <div class="decide">
      <form method="post" action="${path}/${kind}">
        ${fields}<input type="hidden" name="plan_hash" value="${planHash}">
        <input type="hidden" name="confirmed" value="yes">
        <button class="${approve ? "go" : "stop"}">${approve ? "Yes, approve it" : "Yes, cancel it"}</button>
      </form>
      <a class="button" href="${path}">No, go back</a>
    </div>
  `;
}
