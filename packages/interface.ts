/**
 * The interface of connectors as a document: what `@muster-hub/connector` exports, from the docstrings of its types. Run by
 * `npm run interface`; writes docs/connector-interface.md, which is in git. A type without a docstring is refused.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const DOCUMENT = join(ROOT, "docs/connector-interface.md");

/** The order of the document: each name that the package exports is under one title. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  "The connector": ["defineConnector", "Connector", "Entity", "Coverage", "KeyField", "ScheduleInput", "Hints"],
  "Reading a source": [
    "FetchContext",
    "SourceContext",
    "FetchedRows",
    "FetchedRecord",
    "Checkpoint",
    "unchanged",
    "Unchanged",
    "SourceWarning",
    "ReadAs",
    "CheckResult",
  ],
  "Requests and faults": ["SourceFetch", "SourceRequest", "expectOk", "SourceFault", "SourceFaultKind"],
  "Authorization": ["Auth", "AUTH_KINDS", "Credential", "TokenRequest", "ClientSecret", "SecretField"],
  "Rows and records": [
    "NormalizeContext",
    "recordFromCells",
    "Row",
    "RowBlock",
    "Cell",
    "Fields",
    "CustomField",
    "SourceRecord",
    "DropSource",
    "Issue",
  ],
  "Upgrades": ["Stored", "MigratedSettings"],
  "Schemas": ["StandardSchemaV1", "StandardResult", "StandardIssue", "StandardJsonSchema"],
  "Settings, from `@muster-hub/connector/settings`": ["VALUE_SETTINGS", "FILE_SETTINGS"],
};

const INTRODUCTION = `# The interface of connectors

All that [\`@muster-hub/connector\`](../packages/connector/README.md) exports, version 1 (\`api: 1\`).
[connectors.md](connectors.md) says how the parts work together. This page is made of the docstrings in the code by
\`npm run interface\`: change those.
`;

/** What a package exports under a name. */
interface Exported {
  readonly node: ts.Declaration;
  readonly text: string;
}

/** The document. Fails with what lacks a docstring, or is under no title. */
export function interfaceDocument(): string {
  const all = new Map<string, Exported>();
  for (const entry of ["index.ts", "settings.ts"]) addExports(join(ROOT, "packages/connector", entry), all);
  const listed = Object.values(SECTIONS).flat();
  const wrong = [
    ...[...all.keys()].filter((name) => !listed.includes(name)).map((name) => `"${name}" is under no title`),
    ...listed.filter((name) => !all.has(name)).map((name) => `"${name}" is not exported`),
  ];
  const parts = Object.entries(SECTIONS).map(([title, names]) => {
    const entries = names.filter((name) => all.has(name)).map((name) => entryOf(name, all.get(name)!, all, wrong));
    return `## ${title}\n\n${entries.join("\n\n")}\n`;
  });
  if (wrong.length > 0) throw new Error(`The interface of connectors cannot be written:\n${wrong.join("\n")}`);
  return [INTRODUCTION, contents(), ...parts].join("\n");
}

function contents(): string {
  const lines = Object.entries(SECTIONS).map(([title, names]) => `- ${title}: ${names.map(linkTo).join(", ")}`);
  return `${lines.join("\n")}\n`;
}

/** The declarations behind `export * from` and `export type { A, B } from`. */
function addExports(entry: string, all: Map<string, Exported>): void {
  for (const statement of parse(entry).statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) continue;
    const path = join(entry, "..", (statement.moduleSpecifier as ts.StringLiteral).text);
    const source = parse(path), clause = statement.exportClause;
    const only = clause !== undefined && ts.isNamedExports(clause)
      ? clause.elements.map(({ name }) => name.text)
      : null;
    for (const node of source.statements.filter(isExported).flatMap(declarationsIn)) {
      const name = (node as ts.NamedDeclaration).name!.getText(source);
      if (only === null || only.includes(name)) all.set(name, { node, text: source.text });
    }
  }
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023, true);
}

function isExported(node: ts.Statement): boolean {
  return ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}

function declarationsIn(node: ts.Statement): ts.Declaration[] {
  if (ts.isVariableStatement(node)) return [...node.declarationList.declarations];
  return ts.isExportDeclaration(node) ? [] : [node as unknown as ts.Declaration];
}

function entryOf(name: string, { node, text }: Exported, all: ReadonlyMap<string, Exported>, wrong: string[]): string {
  const documented = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const described = docOf(documented, text);
  if (described === null) wrong.push(`"${name}" has no docstring`);
  const isListed = ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
  const body = isListed ? membersOf(name, node, text, all, wrong) : codeOf(node);
  const uses = isListed ? [] : namesIn(node, all).filter((used) => used !== name);
  return [
    `### ${name}`,
    described ?? "",
    ...(isListed && node.heritageClauses !== undefined ? [heritageOf(node, all)] : []),
    body,
    ...(uses.length === 0 ? [] : [`See ${uses.map(linkTo).join(", ")}.`]),
  ].filter((part) => part !== "").join("\n\n");
}

function heritageOf(node: ts.InterfaceDeclaration | ts.ClassDeclaration, all: ReadonlyMap<string, Exported>): string {
  const parents = node.heritageClauses!.flatMap(({ types }) => types.map((type) => type.getText()));
  const named = parents.map((parent) => {
    const name = parent.replace(/<.*$/, "");
    return all.has(name) ? linkTo(name) : `\`${parent}\``;
  });
  return `It has all of ${named.join(", ")}, and:`;
}

function membersOf(
  name: string,
  node: ts.InterfaceDeclaration | ts.ClassDeclaration,
  text: string,
  all: ReadonlyMap<string, Exported>,
  wrong: string[],
): string {
  const lines = [...node.members].map((member) => {
    const signature = signatureOf(member);
    const described = docOf(member, text);
    if (described === null) wrong.push(`"${name}.${signature}" has no docstring`);
    const uses = namesIn(member, all).filter((used) => used !== name);
    const links = uses.length === 0 ? "" : ` (${uses.map(linkTo).join(", ")})`;
    return `- \`${signature}\`${links}: ${indented(described ?? "")}`;
  });
  return lines.join("\n");
}

/** A member without its docstring and body, in one line. */
function signatureOf(member: ts.TypeElement | ts.ClassElement): string {
  const text = ts.isConstructorDeclaration(member)
    ? `constructor(${member.parameters.map((parameter) => parameter.getText()).join(", ")})`
    : member.getText();
  return text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/\breadonly /g, "").replace(/\s+/g, " ").replace(/;$/, "")
    .trim();
}

/** A declaration as code, without its body and its own docstring. */
function codeOf(node: ts.Declaration): string {
  if (ts.isFunctionDeclaration(node)) {
    const source = node.getSourceFile().text;
    return fenced(source.slice(node.getStart(), node.body!.getFullStart()).trim().replace(/^export /, ""));
  }
  if (ts.isVariableDeclaration(node)) return fenced(`const ${node.getText()}`);
  return fenced(node.getText().replace(/^export /, ""));
}

function fenced(code: string): string {
  return `\`\`\`ts\n${code.replace(/;?$/, ";")}\n\`\`\``;
}

/** The exported types that a declaration names, in its order. */
function namesIn(node: ts.Node, all: ReadonlyMap<string, Exported>): string[] {
  const found = new Set<string>();
  const visit = (each: ts.Node) => {
    if (ts.isBlock(each)) return;
    if (ts.isTypeReferenceNode(each) && all.has(each.typeName.getText())) found.add(each.typeName.getText());
    ts.forEachChild(each, visit);
  };
  visit(node);
  return [...found];
}

/** The docstring before a node, as Markdown; null: there is none. */
function docOf(node: ts.Node, text: string): string | null {
  const range = ts.getLeadingCommentRanges(text, node.getFullStart())?.findLast(({ pos }) =>
    text.startsWith("/**", pos)
  );
  if (range === undefined) return null;
  const lines = text.slice(range.pos + 3, range.end - 2).split("\n").map((line) =>
    line.replace(/^\s*\* ?/, "").trimEnd()
  );
  return lines.join("\n").trim();
}

function indented(text: string): string {
  return text.replace(/\n(?=.)/g, "\n  ");
}

/** To its heading: the second of those that differ in capitals alone has a number. */
function linkTo(name: string): string {
  const anchor = name.toLowerCase();
  const same = Object.values(SECTIONS).flat().filter((each) => each.toLowerCase() === anchor);
  const place = same.indexOf(name);
  return `[\`${name}\`](#${anchor}${place > 0 ? `-${place}` : ""})`;
}

if (import.meta.main || process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCUMENT, interfaceDocument());
}
