/** The words of mails about a run: it is held, its feed fails or works again, or its input has issues. */
import { CODES, type IssueCode } from "../model/codes.ts";
import { hasIssues } from "../report/digest.ts";
import { NO_COUNTS } from "../model/run.ts";
import type { MAIL_TYPES, MailFacts } from "../store/notify/schema-mails.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import type { AboutRun } from "./about-run.ts";
import { headerText } from "./header-text.ts";
import { isQuoting, issueBlocks, wholeBlocks } from "./mail-issues.ts";
import type { Block, Words } from "./mail-layout.ts";
import {
  changesInWords,
  count,
  guardInWords,
  guardTitle,
  rowsInWords,
  statusInWords,
  whenInWords,
  whyHeld,
} from "./words.ts";

/** Closes each mail about a failure that goes on. */
export const QUIET_UNTIL_SUCCESS =
  "Until it succeeds again, you only get a mail when the reason changes, and a summary each week.";

export function wordsOfRun(
  type: (typeof MAIL_TYPES)[number],
  facts: MailFacts,
  timezone: string,
  about: AboutRun,
): Words {
  const { run, connection } = about.found;
  const feed = headerText(connection?.name ?? "A connection", 60);
  const at = whenInWords(run.finishedAt ?? run.startedAt ?? run.createdAt, timezone);
  const { subject, blocks } = type === "run.held"
    ? heldWords(facts, at, about)
    : type === "connection.error"
    ? errorWords(facts, at, about)
    : type === "connection.recovered"
    ? recoveredWords(facts, at, about)
    : issuesWords(facts, at, about);
  return { subject: `${feed}: ${subject}`, blocks: [...blocks, lifetimes(about)] };
}

function heldWords(facts: MailFacts, at: string, about: AboutRun): Words {
  const { again, heldBy = about.found.run.heldBy } = facts;
  const { found, links } = about;
  const what = inputOf(found), held = `${what.charAt(0).toLowerCase()}${what.slice(1)}`;
  const why = {
    revert: `Muster holds ${held}, because the run before it was taken back.`,
    parts: `Muster holds ${held}, because other files with other people came with it.`,
    accident: `${what} looks like an accident, so Muster holds it.`,
  }[whyHeld(heldBy)];
  return {
    subject: again ? "still waits for your decision" : "waits for your decision",
    blocks: [
      {
        p: again
          ? `${what} is still held, since ${at}. Nothing of it has been applied, and newer changes of this feed may wait behind it.`
          : `${why} Nothing of it has been applied. It came on ${at}.`,
      },
      ...wholeBlocks(about),
      ...heldBy.flatMap((held) => [{ heading: guardTitle(held) }, { p: guardInWords(held) }]),
      ...changeBlocks(found, "What would change"),
      { link: "See who is affected, and approve or cancel", to: links.page, strong: true },
      ...issueBlocks(about),
    ],
  };
}

function errorWords({ again, failures = 0 }: MailFacts, at: string, about: AboutRun): Words {
  const times = `${count(failures, "time")} in a row`;
  return {
    subject: again ? "still fails" : `has failed ${times}`,
    blocks: [
      {
        p: again
          ? `This connection keeps failing: ${times} by now.`
          : `This connection has failed ${times}. ${QUIET_UNTIL_SUCCESS}`,
      },
      ...wholeBlocks(about),
      ...failureBlocks(about, at),
      ...issueBlocks(about),
      { link: "See the run", to: about.links.page, strong: true },
    ],
  };
}

function recoveredWords({ failures = 0 }: MailFacts, at: string, about: AboutRun): Words {
  const { found, links } = about;
  return {
    subject: "works again",
    blocks: [
      { p: `After ${count(failures, "failure")} in a row, ${inputOf(found)} was used on ${at}.` },
      ...wholeBlocks(about),
      ...changeBlocks(found, "What has changed"),
      ...issueBlocks(about),
      { link: "See the run", to: links.page },
    ],
  };
}

function issuesWords({ again, quietRuns = 0 }: MailFacts, at: string, about: AboutRun): Words {
  const { found, links } = about;
  const { run } = found;
  const counts = run.counts ?? NO_COUNTS;
  const summary = `This is the week's summary: ${count(quietRuns, "run")} since the last mail found nothing new, ` +
    "and what that mail reported is unchanged.";
  const applied = `${inputOf(found)} was applied on ${at}${
    counts.failed > 0 ? ", without the rows that have errors" : ""
  }.`;
  return {
    subject: `${again ? "still " : ""}${whatIsWrong(found)}`,
    blocks: [
      ...(again ? [{ p: summary }] : []),
      ...wholeBlocks(about),
      ...(run.error == null && run.status !== "failed" ? [] : failureBlocks(about, at)),
      ...(run.status === "failed"
        ? []
        : [{ p: applied }, { list: [...changesOf(found), ...linesOf(rowsInWords(counts))] }]),
      ...issueBlocks(about),
      { link: "See the run", to: links.page, strong: true },
    ],
  };
}

function whatIsWrong({ run }: StoredRun): string {
  const { failed, warned } = run.counts ?? NO_COUNTS;
  if (run.status === "failed") return "could not be used";
  if (run.error != null) return "the source broke off";
  if (failed > 0) return `${count(failed, "row")} could not be used`;
  return warned > 0 ? `${count(warned, "row")} with warnings` : "warnings about the input as a whole";
}

function inputOf({ run, drop }: StoredRun): string {
  if (drop !== null) return `The input "${drop.name}"`;
  return run.trigger === "due" ? "The run for people whose last day has come" : "The run";
}

function linesOf(counts: readonly { readonly n: number; readonly what: string }[]): string[] {
  return counts.map(({ n, what }) => `${n.toLocaleString("en")} ${what}`);
}

function changesOf({ run }: StoredRun): string[] {
  return linesOf(changesInWords(run, run.counts ?? NO_COUNTS));
}

function changeBlocks(found: StoredRun, heading: string): Block[] {
  const list = changesOf(found);
  return list.length === 0 ? [] : [{ heading }, { list }];
}

function failureBlocks({ found, issues, isOpen }: AboutRun, at: string): Block[] {
  const { run } = found;
  const quotes = !isOpen && isQuoting(run.error?.code ?? "");
  const message = quotes ? CODES[run.error!.code as IssueCode].when : run.error?.message;
  const todo = issues.whole.find((issue) => issue.message === run.error?.message)?.suggestion;
  const why = message === undefined
    ? []
    : [{ p: `Why: ${message}` }, ...(todo === undefined ? [] : [{ p: `What to do: ${todo}.` }])];
  if (run.status === "partial") {
    const p =
      `The source could not be read to its end on ${at}; what was read of it was used, and nobody taken for missing.`;
    return [{ p }, ...why];
  }
  const sentence = message === undefined ? ` ${statusInWords(run).sentence}` : "";
  return [{ p: `${inputOf(found)} failed on ${at}.${sentence}` }, ...why];
}

function lifetimes({ issues }: AboutRun): Block {
  const reports = hasIssues(issues) ? ", those to the report for 7 days" : "";
  return {
    small: `The link to the run works for 72 hours${reports}, for everybody who has it. ` +
      "Forward this mail only to people who may decide about it.",
  };
}
