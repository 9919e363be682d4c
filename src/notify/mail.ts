/**
 * A mail's words: what happened in, subject, plain text and HTML out. No I/O. No clock.
 *
 * Both forms are written from the same blocks, so they say the same. Names come from files and people: they are escaped
 * in HTML, and never reach a header with a line break in them.
 */
import { NO_COUNTS } from "../model/run.ts";
import { CODES, type IssueCode } from "../model/codes.ts";
import { encodeId } from "../model/id.ts";
import type { IssueView } from "../model/issue.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import type { MAIL_TYPES, MailFacts } from "../store/notify/schema-mails.ts";
import type { Links } from "./links.ts";
import { changesInWords, count, guardInWords, guardTitle, rowsInWords, statusInWords, whenInWords } from "./words.ts";

export interface MailInput {
  readonly type: (typeof MAIL_TYPES)[number];
  readonly facts: MailFacts;
  readonly organization: { readonly name: string; readonly timezone: string };
  /** Null where the mail is about no run. */
  readonly about: {
    readonly found: StoredRun;
    readonly links: Links;
    /** The first few. */
    readonly issues: readonly IssueView[];
    readonly moreIssues: boolean;
    /**
     * How the report comes: with the mail, encrypted for the customer or not; as a link because it is too large, or
     * because nobody's key is registered that it could be encrypted for. Null: there is nothing in it.
     */
    readonly report: "attached" | "encrypted" | "linked" | "kept" | null;
    /** Whether values of people may be in the mail's own words. */
    readonly isOpen: boolean;
  } | null;
}

export interface MailWords {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

type Block =
  | { readonly p: string }
  | { readonly heading: string }
  | { readonly list: readonly string[] }
  | { readonly link: string; readonly to: string; readonly strong?: boolean }
  | { readonly small: string };

export function composeMail(input: MailInput): MailWords {
  const { subject, blocks } = wordsOf(input);
  return {
    subject: headerText(subject, MAX_SUBJECT),
    text: `${blocks.map(plain).join("\n\n")}\n`,
    html: page(headerText(subject, MAX_SUBJECT), blocks.map(rich).join("\n")),
  };
}

function wordsOf(input: MailInput): { subject: string; blocks: Block[] } {
  const { type, facts, organization, about } = input;
  if (about === null && facts.overdue !== undefined) {
    const feed = headerText(facts.overdue.connection, 60);
    const by = whenInWords(facts.overdue.since, organization.timezone);
    return {
      subject: `${feed}: ${facts.again ? "still has not come" : "has not come"}`,
      blocks: [
        { p: `Nothing has come for "${feed}" that was expected by ${by}.` },
        { p: "Whoever is in it is left as they are; changes since then are missing." },
        { p: "Look at the system that should have sent it, or at the connection's schedule." },
        ...signature(organization.name),
      ],
    };
  }
  if (about === null && facts.visits !== undefined) {
    const { connection, message } = facts.visits;
    const feed = headerText(connection, 60);
    const failures = facts.failures ?? 0;
    if (message === null) {
      return {
        subject: `${feed}: works again`,
        blocks: [
          { p: `After ${count(failures, "visit")} in a row that failed, the server of "${feed}" was visited.` },
          { p: "What lies there and is whole is taken now." },
          ...signature(organization.name),
        ],
      };
    }
    return {
      subject: facts.again ? `${feed}: still fails` : `${feed}: has failed ${count(failures, "time")} in a row`,
      blocks: [
        { p: `No file of "${feed}" can be taken: ${count(failures, "visit")} in a row failed by now.` },
        { p: `Why: ${message}` },
        {
          p: "Visits go on. Until one succeeds, only a change of the reason is written about, and a summary each week.",
        },
        ...signature(organization.name),
      ],
    };
  }
  if (about === null) {
    const { id = "", url = "", reason = "" } = facts.endpoint ?? {};
    return {
      subject: `${organization.name}: a webhook endpoint is switched off`,
      blocks: [
        { p: `Muster sends nothing any more to the webhook endpoint ${url} (${id}).` },
        { p: `Why: ${reason}` },
        { p: "Correct the receiver, then enable the endpoint again; what was missed can be replayed." },
        ...signature(organization.name),
      ],
    };
  }
  const { found, links } = about;
  const { run } = found;
  const feed = headerText(found.connection?.name ?? "A connection", 60);
  const what = inputOf(found);
  const at = whenInWords(run.finishedAt ?? run.startedAt ?? run.createdAt, organization.timezone);
  const counts = run.counts ?? NO_COUNTS;
  const changes = changesInWords(run, counts).map(({ n, what }) => `${n.toLocaleString("en")} ${what}`);
  const rows = rowsInWords(counts).map(({ n, what }) => `${n.toLocaleString("en")} ${what}`);
  switch (type) {
    case "run.held":
      return {
        subject: `${feed}: ${facts.again ? "still waits" : "waits"} for your decision`,
        blocks: [
          {
            p: facts.again
              ? `${what} is still held, since ${at}. Nothing of it has been applied, and newer changes of this feed may wait behind it.`
              : `${what} looks like an accident, so Muster holds it. Nothing of it has been applied. It came on ${at}.`,
          },
          ...(facts.heldBy ?? run.heldBy).flatMap((held): Block[] => [
            { heading: guardTitle(held) },
            { p: guardInWords(held) },
          ]),
          ...(changes.length === 0 ? [] : [{ heading: "What would change" }, { list: changes }]),
          { link: "See who is affected, and approve or cancel", to: links.page, strong: true },
          ...issueBlocks(about),
          ...lifetimes(about),
          ...signature(organization.name),
        ],
      };
    case "connection.error":
      return {
        subject: facts.again
          ? `${feed}: still fails`
          : `${feed}: has failed ${count(facts.failures ?? 0, "time")} in a row`,
        blocks: [
          {
            p: facts.again
              ? `This connection keeps failing: ${count(facts.failures ?? 0, "time")} in a row by now.`
              : `This connection has failed ${
                count(facts.failures ?? 0, "time")
              } in a row. Until it succeeds again, only a change of the reason is written about, and a summary each week.`,
          },
          ...failure(found, at, about.isOpen),
          ...issueBlocks(about),
          { link: "See the run", to: links.page, strong: true },
          ...lifetimes(about),
          ...signature(organization.name),
        ],
      };
    case "connection.recovered":
      return {
        subject: `${feed}: works again`,
        blocks: [
          { p: `After ${count(facts.failures ?? 0, "failure")} in a row, ${what} was used on ${at}.` },
          ...(changes.length === 0 ? [] : [{ heading: "What has changed" }, { list: changes }]),
          ...issueBlocks(about),
          { link: "See the run", to: links.page },
          ...lifetimes(about),
          ...signature(organization.name),
        ],
      };
    default:
      return {
        subject: failuresSubject(feed, found, facts),
        blocks: [
          ...(facts.again
            ? [{
              p: `This is the week's summary: ${
                count(facts.quietRuns ?? 0, "run")
              } since the last mail had nothing new to say, and what was said still stands.`,
            }]
            : []),
          ...(run.status === "failed"
            ? failure(found, at, about.isOpen)
            : [...(run.error == null ? [] : failure(found, at, about.isOpen)), {
              p: `${what} was applied on ${at}${counts.failed > 0 ? ", without the rows that have errors" : ""}.`,
            }, { list: [...changes, ...rows] }]),
          ...issueBlocks(about),
          { link: "See the run", to: links.page, strong: true },
          ...lifetimes(about),
          ...signature(organization.name),
        ],
      };
  }
}

function failuresSubject(feed: string, { run }: StoredRun, facts: MailFacts): string {
  const counts = run.counts ?? NO_COUNTS;
  const what = run.status === "failed"
    ? "could not be used"
    : run.error != null
    ? "the source broke off"
    : counts.failed > 0
    ? `${count(counts.failed, "row")} could not be used`
    : counts.warned > 0
    ? `${count(counts.warned, "row")} with warnings`
    : "warnings about the input as a whole";
  return `${feed}: ${facts.again ? "still " : ""}${what}`;
}

function inputOf({ run, drop }: StoredRun): string {
  if (drop !== null) return `The input "${oneLine(drop.name)}"`;
  return run.trigger === "due" ? "The run for people whose last day has come" : "The run";
}

/** Faults that quote the file: without a header it is a person's row that is taken for one. */
const QUOTING: readonly string[] = ["header_duplicate"] satisfies IssueCode[];

function failure(found: StoredRun, at: string, isOpen: boolean): Block[] {
  const { run } = found;
  const { sentence } = statusInWords(run);
  const quotes = !isOpen && QUOTING.includes(run.error?.code ?? "");
  const message = quotes ? CODES.header_duplicate.when : run.error?.message;
  if (run.status === "partial") {
    return [
      {
        p: `The source could not be read to its end on ${at}; what was read of it was used, and nobody taken for missing.`,
      },
      { p: `Why: ${message}` },
    ];
  }
  return [
    { p: `${inputOf(found)} failed on ${at}. ${message === undefined ? sentence : ""}`.trim() },
    ...(message === undefined ? [] : [{ p: `Why: ${message}` }]),
  ];
}

const HOW_IT_COMES = {
  attached:
    "The attached report has every row that has an issue, as it came. Correct it there, and send it again as it is:",
  encrypted:
    "The attached report is encrypted with your key, and has every row that has an issue, as it came. Decrypt it, " +
    "correct it, and send it again encrypted as always:",
  linked:
    "The report has every row that has an issue, as it came; it is too large to be attached. Correct it, and send it " +
    "again as it is:",
  kept:
    "The report has every row that has an issue, as it came. It is not attached, because this connection uses PGP and " +
    "has no key of yours to encrypt it with. Correct it, and send it again encrypted as always:",
} as const;

function issueBlocks({ issues, moreIssues, report, links, isOpen }: NonNullable<MailInput["about"]>): Block[] {
  if (issues.length === 0) return [];
  const lines = issues.map((issue) => oneLine(isOpen ? inFull(issue) : withoutValues(issue)));
  return [
    { heading: moreIssues ? `The first ${issues.length} issues` : "The issues" },
    { list: lines },
    ...(report === null ? [] : [{
      p: `${HOW_IT_COMES[report]} people who are not in it are left alone.`,
    }]),
    { link: "The report as CSV", to: links.csv },
    { link: "The report as JSON", to: links.json },
  ];
}

function inFull({ line, message, suggestion }: IssueView): string {
  return `${placeOf(line)}${message}. ${suggestion}`;
}

/** What is said of the input as a whole quotes nothing; other messages quote what somebody's row says. */
function withoutValues(issue: IssueView): string {
  if (issue.line === null && issue.value === null && !QUOTING.includes(issue.code)) return inFull(issue);
  const { when, todo } = CODES[issue.code as keyof typeof CODES];
  return `${placeOf(issue.line)}${issue.field === null ? "" : `${issue.field}: `}${when}. ${todo}`;
}

function placeOf(line: number | null): string {
  return line === null ? "" : `Line ${line}: `;
}

function lifetimes({ issues }: NonNullable<MailInput["about"]>): Block[] {
  return [{
    small: `The link to the run works for 72 hours${
      issues.length > 0 ? ", those to the report for 7 days" : ""
    }, for everybody who has it. Hand this mail on only to people who may decide about it.`,
  }];
}

function signature(organization: string): Block[] {
  return [{ small: `Muster writes to you as the technical contact of ${oneLine(organization)}.` }];
}

function plain(block: Block): string {
  if ("p" in block) return oneLine(block.p);
  if ("heading" in block) {
    return `${oneLine(block.heading)}\n${"-".repeat(Math.min(60, oneLine(block.heading).length))}`;
  }
  if ("list" in block) return block.list.map((item) => `* ${oneLine(item)}`).join("\n");
  if ("link" in block) return `${block.link}:\n${block.to}`;
  return `${oneLine(block.small)}`;
}

function rich(block: Block): string {
  if ("p" in block) return `<p style="margin:0 0 16px">${escapeHtml(block.p)}</p>`;
  if ("heading" in block) {
    return `<h2 style="font-size:17px;line-height:1.3;margin:24px 0 8px">${escapeHtml(block.heading)}</h2>`;
  }
  if ("list" in block) {
    const items = block.list.map((item) => `<li style="margin:0 0 4px">${escapeHtml(item)}</li>`);
    return `<ul style="margin:0 0 16px;padding-left:22px">${items.join("")}</ul>`;
  }
  if ("link" in block) {
    const style = block.strong
      ? "display:inline-block;background:#14532d;color:#ffffff;padding:11px 18px;border-radius:9px;font-weight:600;text-decoration:none"
      : "color:#0b57a4";
    return `<p style="margin:0 0 16px"><a href="${escapeHtml(block.to)}" style="${style}">${
      escapeHtml(block.link)
    }</a></p>`;
  }
  return `<p style="margin:16px 0 0;font-size:13px;color:#555e66">${escapeHtml(block.small)}</p>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${
    escapeHtml(title)
  }</title></head>
<body style="margin:0;padding:24px 16px;background:#ffffff;color:#1d2327;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:600px;margin:0 auto">
<h1 style="font-size:21px;line-height:1.3;margin:0 0 16px">${escapeHtml(title)}</h1>
${body}
</div></body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const MAX_SUBJECT = 150;

/** Text for a header: one line, no control characters, not longer than `max` characters. */
export function headerText(text: string, max: number): string {
  const line = oneLine(text);
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join("")}…`;
}

/** Line breaks and other controls become a space, also those that only some programs take for line breaks. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, " ").trim();
}

/** The one identifier of a mail, the same at each attempt: what was sent twice can be told. */
export function messageId(id: number, from: string): string {
  return `<${encodeId("mai", id)}@${/@([\w.-]+)/.exec(from)?.[1] ?? "muster.invalid"}>`;
}
