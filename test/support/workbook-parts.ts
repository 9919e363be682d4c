/** Workbooks of tests, part by part, so that each can be as odd as some program writes it. */
import { strToU8, type Zippable, zipSync } from "fflate";
import { readEntries } from "../../src/intake/workbook/zip.ts";
import { readSheetRows } from "../../src/intake/workbook/read.ts";

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const SHEET_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

export interface Parts {
  /** The rows of each sheet, as XML inside `sheetData`, by the sheet's name. */
  readonly sheets: Readonly<Record<string, string>>;
  /** Sheets that are not shown. */
  readonly hidden?: readonly string[];
  /** Inside `sst`. */
  readonly strings?: string;
  /** Format codes of cells' styles, from style 1 on: a code, or the number of a format without one. */
  readonly formats?: readonly (string | number)[];
  /** Attributes of `workbookPr`. */
  readonly properties?: string;
  /** Parts that come instead, or besides; null: not there. */
  readonly more?: Readonly<Record<string, string | Uint8Array | null>>;
}

/** The parts by name, for a test that changes one. */
export function partsOf({ sheets, hidden = [], strings, formats = [], properties = "", more = {} }: Parts) {
  const names = Object.keys(sheets);
  const parts: Record<string, string | Uint8Array | null> = {
    "[Content_Types].xml": `<Types xmlns="${PACKAGE}/content-types"><Default Extension="xml" ContentType="text/xml"/>` +
      `<Override PartName="/xl/workbook.xml" ContentType="${SHEET_MAIN}"/></Types>`,
    "_rels/.rels": `<Relationships xmlns="${PACKAGE}/relationships">` +
      `<Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    "xl/workbook.xml": `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><workbookPr ${properties}/><sheets>${
      names.map((name, i) =>
        `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"${hidden.includes(name) ? ' state="hidden"' : ""}/>`
      ).join("")
    }</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels":
      `<Relationships xmlns="${PACKAGE}/relationships">${
        names.map((_, i) =>
          `<Relationship Id="rId${i + 1}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`
        ).join("")
      }<Relationship Id="rS" Type="${RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>` +
      `<Relationship Id="rF" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    "xl/sharedStrings.xml": strings === undefined ? null : `<sst xmlns="${MAIN}">${strings}</sst>`,
    "xl/styles.xml": stylesOf(formats),
    ...Object.fromEntries(
      names.map((
        name,
        i,
      ) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        `<worksheet xmlns="${MAIN}"><sheetData>${sheets[name]}</sheetData></worksheet>`,
      ]),
    ),
    ...more,
  };
  return parts;
}

function stylesOf(formats: readonly (string | number)[]): string {
  const own = formats.map((format, i) =>
    typeof format === "string" ? `<numFmt numFmtId="${164 + i}" formatCode="${format.replaceAll('"', "&quot;")}"/>` : ""
  );
  const styles = formats.map((format, i) => `<xf numFmtId="${typeof format === "string" ? 164 + i : format}"/>`);
  return `<styleSheet xmlns="${MAIN}"><numFmts>${
    own.join("")
  }</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>` +
    `<cellXfs><xf numFmtId="0"/>${styles.join("")}</cellXfs></styleSheet>`;
}

/** The archive. */
export function zipOf(parts: Readonly<Record<string, string | Uint8Array | null>>): Uint8Array {
  const files: Zippable = {};
  for (const [name, part] of Object.entries(parts)) {
    if (part !== null) files[name] = typeof part === "string" ? strToU8(part) : part;
  }
  return zipSync(files);
}

export function workbookOf(parts: Parts): Uint8Array {
  return zipOf(partsOf(parts));
}

/** A row of cells with text inside. */
export function textRow(...cells: readonly string[]): string {
  return `<row>${cells.map((cell) => `<c t="inlineStr"><is><t>${cell}</t></is></c>`).join("")}</row>`;
}

/** Rows with their lines, the header first. */
export function readAll(
  file: Uint8Array,
  choice: { sheet?: string; isHeader?: (columns: readonly string[]) => boolean } = {},
  maxBytes = 1024 * 1024 * 1024,
): [number, ...string[]][] {
  const report = { endsWithLineEnd: false };
  const rows: [number, ...string[]][] = [];
  const options = { sheet: null, isHeader: () => true, maxColumns: 500, skipLines: 0, ...choice };
  for (const block of readSheetRows(readEntries(file, maxBytes), options, report)) {
    if (rows.length === 0) rows.push([0, ...block.columns]);
    for (const { line, cells } of block.rows(Array.from({ length: block.count }, (_, i) => i))) {
      rows.push([line!, ...cells as string[]]);
    }
  }
  return rows;
}
