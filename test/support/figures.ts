/**
 * `npm run figures`: what the code of src/ and connectors/ is like, in numbers. Counts lines that are neither blank nor
 * comment nor text of the API's document. Prints a table to stdout.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import ts from "typescript";
import { documentOfAll } from "./checked.ts";
import { RETIRED, sourceFiles } from "./source-files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What a file has once, where others should have its help. */
const OWN_WAYS = {
  "results by number": /\bresults\[\d+\]|\bresults\.at\(/g,
  "raw sleeps": /new Promise(<\w+>)?\(\(\w+\) =>\s*setTimeout/g,
  "loops over .cause": /= \w+\.cause\b/g,
} as const;

interface Source {
  readonly name: string;
  readonly tree: ts.SourceFile;
  readonly text: string;
}

const sources = sourceFiles(ROOT).map(({ name, text }): Source => ({
  name,
  text,
  tree: ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true),
}));
const functions = sources.flatMap(functionsOf);
const codeLines = sources.reduce((sum, { text }) => sum + linesOf(text), 0);
const operations = readOperations();

for (
  const [name, figure] of [
    ["files loose at src/", sources.filter(({ name }) => /^src\/[^/]+$/.test(name)).length],
    ["files over 300 lines", sources.filter(({ text }) => text.split("\n").length > 301).length],
    ["functions over 100 lines", functions.filter(({ lines }) => lines > 100).length],
    ["functions over 60 lines", functions.filter(({ lines }) => lines > 60).length],
    ["pairs of folders that import each other", importsBothWays().join(", ") || "none"],
    ...Object.entries(OWN_WAYS).map(([name, pattern]) => [name, countIn(pattern)] as const),
    ["retired words", countIn(RETIRED)],
    ["operations without a description", operations.withoutDescription],
    ["parameters without a description", operations.parametersWithout],
    ["bytes of /openapi.json", operations.bytes],
    ["lines of code", codeLines],
    ["lines of comments, % of both", Math.round(100 * commentLines() / (commentLines() + codeLines))],
  ] as const
) console.log(`${name.padEnd(44)} ${figure}`);

if (process.argv.includes("--long")) {
  for (const { at, lines } of functions.filter(({ lines }) => lines > 60).sort((a, b) => b.lines - a.lines)) {
    console.log(`${String(lines).padStart(4)} ${at}`);
  }
  for (const { name, text } of sources) {
    const count = text.split("\n").length - 1;
    if (count > 300) console.log(`${String(count).padStart(4)} ${name}`);
  }
}

function functionsOf({ name, tree }: Source): { at: string; lines: number }[] {
  const found: { at: string; lines: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const from = tree.getLineAndCharacterOfPosition(node.getStart()).line;
      const to = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
      found.push({ at: `${name}:${from + 1}`, lines: to - from + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function linesOf(text: string): number {
  return withoutComments(text).split("\n").filter((line) => line.trim() !== "" && !isApiText(line)).length;
}

function isApiText(line: string): boolean {
  return /^\s*(description:|summary:|\.describe\(|\.meta\()/.test(line);
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*?[\s\S]*?\*\/\s*$/gm, "").replace(/^\s*\/\/.*$/gm, "");
}

function commentLines(): number {
  return sources.reduce(
    (sum, { text }) => sum + text.split("\n").filter((line) => /^\s*(\/\/|\/?\*)/.test(line)).length,
    0,
  );
}

function countIn(pattern: RegExp): number {
  return sources.reduce((sum, { text }) => sum + [...text.matchAll(pattern)].length, 0);
}

/** A file that lies loose counts as a folder. */
function importsBothWays(): string[] {
  const folderOf = (file: string) => /^(connectors|src\/[^/]+)/.exec(file)![0].replace(/^src\//, "");
  const edges = new Set(
    sources.flatMap(({ name, text }) =>
      [...text.matchAll(/\bfrom\s*"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map((match) =>
        `${folderOf(name)} ${folderOf(relative(ROOT, join(ROOT, dirname(name), (match[1] ?? match[2])!)))}`
      )
    ),
  );
  return [...edges].filter((edge) => {
    const [from, to] = edge.split(" ") as [string, string];
    return from < to && edges.has(`${to} ${from}`);
  }).map((edge) => edge.replace(" ", "⇄"));
}

function readOperations(): { withoutDescription: number; parametersWithout: number; bytes: number } {
  const text = JSON.stringify(documentOfAll());
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  const all = Object.values(paths).flatMap((path) => Object.values(path));
  return {
    withoutDescription: all.filter(({ description }) => description === undefined).length,
    parametersWithout: all.flatMap(({ parameters = [] }) => parameters)
      .filter((each) => each.$ref === undefined && each.description === undefined).length,
    bytes: text.length,
  };
}

interface Operation {
  readonly description?: string;
  readonly parameters?: readonly { readonly description?: string; readonly $ref?: string }[];
}
