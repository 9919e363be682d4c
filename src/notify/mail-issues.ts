/** The blocks of a mail about a run's issues: what concerns the whole input, the errors, the warnings, and the report. */
import { CODES, type IssueCode } from "../model/codes.ts";
import { hasIssues, type ShownIssue } from "../report/digest.ts";
import type { Block } from "./mail-layout.ts";
import type { AboutRun } from "./about-run.ts";
import { count, isAhead } from "./words.ts";

/** Codes whose messages quote the file: in a file without a header, a person's row is taken for one. */
const QUOTING: readonly string[] = ["header_duplicate"] satisfies IssueCode[];

export function isQuoting(code: string): boolean {
  return QUOTING.includes(code);
}

/** What concerns the whole input; it heads the mail. Why a run failed is in the mail already. */
export function wholeBlocks({ found, issues, source, isOpen }: AboutRun): Block[] {
  const others = issues.whole.filter(({ message }) => message !== found.run.error?.message);
  if (others.length === 0) return [];
  const list = others.map((issue) =>
    `${issue.count > 1 ? `${count(issue.count, "time")}: ` : ""}${isOpen ? inFull(issue) : withoutValues(issue)}`
  );
  return [{ heading: source === null ? "About the whole file" : `About all of ${source}` }, { list }];
}

const HOW_IT_COMES = {
  attached: "The attached report has every row that has an issue, as it came. Correct it there and send it back",
  encrypted:
    "The attached report is encrypted with your key, and has every row that has an issue, as it came. Decrypt " +
    "it, correct it, and send it back encrypted as always",
  linked:
    "The report has every row that has an issue, as it came; it is too large to be attached. Correct it and send " +
    "it back",
  kept:
    "The report has every row that has an issue, as it came. It is not attached, because this connection uses PGP " +
    "and has no key of yours to encrypt it with. Correct it, and send it back encrypted as always",
} as const;

/** Errors, then warnings, then the report. */
export function issueBlocks({ found, issues, report, source, links, isOpen }: AboutRun): Block[] {
  if (!hasIssues(issues)) return [];
  const list = (all: readonly ShownIssue[]) => ({ list: all.map((issue) => inRow(issue, isOpen)) });
  const { errors, warnings, isCut } = issues;
  const were = isAhead(found.run.status) ? "would be" : "were";
  return [
    ...(errors.length === 0 ? [] : [{ heading: `Errors: these rows ${were} left out` }, list(errors)]),
    ...(warnings.length === 0 ? [] : [{ heading: "Warnings" }, list(warnings)]),
    ...(isCut ? [{ p: "There are more; the report has all of them." }] : []),
    ...(report === null ? [] : [
      {
        p: source === null
          ? `${HOW_IT_COMES[report]}: people who are not in it are left as they are.`
          : `Correct these in ${source}; the next sync takes it. The report has every person with an issue.`,
      },
      { link: "The report as CSV", to: links.csv },
      { link: "The report as an Excel workbook", to: links.xlsx },
    ]),
    { link: "The report as JSON", to: links.json },
  ];
}

/** `Line 2, Ana Lopez (17): …`, or for equal warnings `37 rows, first line 2, Ana Lopez (17): …`. */
function inRow(issue: ShownIssue, isOpen: boolean): string {
  const { line, who } = issue;
  const first = [line === null ? null : `line ${line}`, isOpen ? who : null].filter((part) => part !== null).join(", ");
  const place = issue.count > 1
    ? [count(issue.count, "row"), first && `first ${first}`].filter(Boolean).join(", ")
    : first;
  const text = isOpen ? inFull(issue) : withoutValues(issue);
  return place === "" ? text : `${place.charAt(0).toUpperCase()}${place.slice(1)}: ${text}`;
}

function inFull({ message, suggestion }: ShownIssue): string {
  return `${message}. ${suggestion}.`;
}

/** Issues of the whole input quote nothing. Messages about a row may quote it, so their code's general text is used. */
function withoutValues(issue: ShownIssue): string {
  if (issue.line === null && issue.value === null && !isQuoting(issue.code)) return inFull(issue);
  const { when, todo } = CODES[issue.code as IssueCode];
  return `${issue.field === null ? "" : `${issue.field}: `}${when}. ${todo}.`;
}
