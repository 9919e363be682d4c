/**
 * The codes as a document: the parts of docs/issues.md between its marks, from the texts of src/model/codes. Run by
 * `npm run issues`; all else in the document is written by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CODE_GROUPS } from "../src/model/codes.ts";
import type { Example } from "../src/model/codes/help.ts";
import { helpFor } from "../src/model/help.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const DOCUMENT = join(ROOT, "docs/issues.md");

/** With which a run may end, beside the codes of issues. */
export const OF_RUNS = ["rows_rejected", "duplicate_input", "content_erased", "content_expired", "run_failed"] as const;

const TITLES: { readonly [group in keyof typeof CODE_GROUPS]: string } = {
  VALUES: "## Values",
  ACTIVITY: "## Who is active",
  ROWS: "## Rows",
  STRUCTURE: "## Managers and departments",
  FILES: "## The whole file",
  SOURCES: "## Sources that Muster reads by itself\n\n" +
    "Nothing is to be sent for these. Correct it in the source; the next sync takes it.",
};

/** The document with its made parts written anew. */
export function issuesDocument(document: string): string {
  const groups = Object.entries(CODE_GROUPS).map(([group, codes]) =>
    [TITLES[group as keyof typeof TITLES], ...Object.keys(codes).map(sectionOf)].join("\n\n")
  );
  return between(between(document, "codes", groups.join("\n\n")), "runs", OF_RUNS.map(sectionOf).join("\n\n"));
}

/** The document with `text` between the marks of this name. */
function between(document: string, name: string, text: string): string {
  const begin = `<!-- begin ${name}: made by npm run issues -->\n`, end = `<!-- end ${name} -->`;
  const from = document.indexOf(begin), to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/issues.md lacks the marks of "${name}"`);
  return `${document.slice(0, from + begin.length)}\n${text}\n\n${document.slice(to)}`;
}

function sectionOf(code: string): string {
  const { when, then, todo, example } = helpFor(code)!;
  const texts = [when, then, todo].map((text) => `${plain(text)}.`).join("\n");
  return [`### ${code}`, texts, ...(example === null ? [] : [exampleOf(example)])].join("\n\n");
}

/** Text that Markdown leaves as it is. */
function plain(text: string): string {
  return text.replace(/[&<>*`[\]]/g, (sign) => sign === "&" ? "&amp;" : sign === "<" ? "&lt;" : `\\${sign}`);
}

function exampleOf({ of, before, after }: Example): string {
  if (!`${before}${after}`.includes("\n")) return `_${plain(of)}:_ ${inLine(before)} → ${inLine(after)}`;
  return [`_${plain(of)}:_`, fenced(before), "→", fenced(after)].join("\n\n");
}

const inLine = (text: string) => text === "" ? "(empty)" : `\`${text}\``;
const fenced = (text: string) => `\`\`\`text\n${text}\n\`\`\``;

if (import.meta.main || process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCUMENT, issuesDocument(readFileSync(DOCUMENT, "utf8")));
}
