/**
 * Workbooks, as they are written: sheets of text in, the bytes of an .xlsx file out, as they are made.
 *
 * Every cell is text, in a format that keeps a spreadsheet from turning an id into a number or a date. Equal sheets give
 * equal bytes. (ECMA-376, parts 1 and 2.)
 */
import { Fault } from "../model/errors.ts";

/** The media type of workbooks. */
export const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

export interface SheetOut {
  /** At most 31 characters, without []:*?/\. */
  readonly name: string;
  /** Widths of the columns, in characters. */
  readonly widths: readonly number[];
  /** The first one is the header, which stays in sight. */
  readonly rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
}

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
/** Archives know no earlier day. */
const MADE = new Date(1980, 0, 1);
/** What a spreadsheet takes in one cell. */
const MAX_CELL = 32_767;
/** Rows of a sheet, at most. */
const MAX_ROWS = 1_048_576;
/** Styles: text, and text of a header. */
const TEXT = 1, HEADER = 2;
const PIECE_CHARACTERS = 64 * 1024;

export async function* writeWorkbook(sheets: readonly SheetOut[]): AsyncGenerator<Uint8Array, void> {
  for (const { name } of sheets) requireName(name);
  const { strToU8, Zip, ZipDeflate } = await import("fflate");
  const pieces: Uint8Array[] = [];
  let failed: Error | null = null;
  const zip = new Zip((error, piece) => {
    if (error) failed = error;
    else pieces.push(piece);
  });
  const begin = (path: string) => {
    const part = new ZipDeflate(path, { level: 6 });
    part.mtime = MADE;
    zip.add(part);
    return part;
  };
  for (const [path, text] of partsOf(sheets)) begin(path).push(strToU8(HEAD + text), true);
  for (const [i, sheet] of sheets.entries()) {
    const part = begin(`xl/worksheets/sheet${i + 1}.xml`);
    let text = HEAD + headOf(sheet, i === 0), line = 0;
    for await (const cells of sheet.rows) {
      if (++line > MAX_ROWS) {
        throw new Fault("too_large", `A sheet has at most ${MAX_ROWS} rows: ask for CSV instead`);
      }
      text += rowOf(cells, line);
      if (text.length < PIECE_CHARACTERS) continue;
      part.push(strToU8(text));
      text = "";
      yield* pieces.splice(0);
    }
    part.push(strToU8(`${text}</sheetData></worksheet>`), true);
    yield* pieces.splice(0);
  }
  zip.end();
  if (failed !== null) throw failed;
  yield* pieces.splice(0);
}

function headOf({ widths }: SheetOut, isFirst: boolean): string {
  const columns = widths.map((width, i) =>
    `<col min="${i + 1}" max="${i + 1}" width="${width}" style="${TEXT}" customWidth="1"/>`
  );
  return `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"${isFirst ? ' tabSelected="1"' : ""}>` +
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>' +
    `${columns.length === 0 ? "" : `<cols>${columns.join("")}</cols>`}<sheetData>`;
}

function rowOf(cells: readonly string[], line: number): string {
  const style = line === 1 ? HEADER : TEXT;
  let row = `<row r="${line}">`;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (cell === "") continue;
    row += `<c r="${columnName(i)}${line}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${
      cellText(cell)
    }</t></is></c>`;
  }
  return `${row}</row>`;
}

/** A for 0, Z for 25, AA for 26. */
function columnName(index: number): string {
  const rest = Math.floor(index / 26) - 1;
  return (rest < 0 ? "" : columnName(rest)) + String.fromCharCode(65 + index % 26);
}

/**
 * What XML cannot have is written as `_xHHHH_`, and what looks like that already begins with the code of `_`. Half a
 * character becomes U+FFFD when the text is encoded.
 */
function cellText(cell: string): string {
  const text = cell.length > MAX_CELL ? cell.slice(0, MAX_CELL) : cell;
  return escape(text.replace(/_x(?=[0-9A-Fa-f]{4}_)/g, "_x005F_x").replace(NOT_IN_XML, escapeCode));
}

// deno-lint-ignore no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g;

function escapeCode(character: string): string {
  return `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&${c === "&" ? "amp" : c === "<" ? "lt" : c === ">" ? "gt" : "quot"};`);
}

function requireName(name: string): void {
  if (name.length > 0 && name.length <= 31 && !/[[\]:*?/\\]/.test(name)) return;
  throw new Error(`A sheet cannot have the name "${name}"`);
}

/** All but the sheets. */
function partsOf(sheets: readonly SheetOut[]): [string, string][] {
  const paths = sheets.map((_, i) => `worksheets/sheet${i + 1}.xml`);
  const override = (path: string, type: string) =>
    `<Override PartName="/xl/${path}" ContentType="${TYPE}.${type}+xml"/>`;
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${DOCUMENT}/${type}" Target="${target}"/>`;
  const relations = (inside: string) => `<Relationships xmlns="${PACKAGE}/relationships">${inside}</Relationships>`;
  return [
    [
      "[Content_Types].xml",
      `<Types xmlns="${PACKAGE}/content-types">` +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Default Extension="xml" ContentType="application/xml"/>' +
      override("workbook.xml", "sheet.main") + override("styles.xml", "styles") +
      `${paths.map((path) => override(path, "worksheet")).join("")}</Types>`,
    ],
    ["_rels/.rels", relations(relation("rId1", "officeDocument", "xl/workbook.xml"))],
    [
      "xl/workbook.xml",
      `<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><sheets>${
        sheets.map(({ name }, i) => `<sheet name="${escape(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join("")
      }</sheets></workbook>`,
    ],
    [
      "xl/_rels/workbook.xml.rels",
      relations(
        paths.map((path, i) => relation(`rId${i + 1}`, "worksheet", path)).join("") +
          relation("rIdS", "styles", "styles.xml"),
      ),
    ],
    ["xl/styles.xml", STYLES],
  ];
}

/** Format 49 is text. The first two fills are a spreadsheet's own. */
const STYLES = `<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>` +
  '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>' +
  '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>' +
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3">' +
  '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
  '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' +
  '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>' +
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';
