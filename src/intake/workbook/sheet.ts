/** The rows of a sheet, as they are unpacked: each with its number and the text of its cells. */
import { Fault } from "../../model/errors.ts";
import { numberText, PLAIN } from "./number.ts";
import { createText, decodeEscapes, isTrue, type Sheet, type Workbook } from "./workbook.ts";
import { type Attributes, readXml } from "./xml.ts";

export interface SheetRow {
  /** The number that a spreadsheet shows. */
  readonly line: number;
  readonly isHidden: boolean;
  /** To the last one with text; cells that are empty, or not there, are "". */
  readonly cells: string[];
}

/** A formula that was stored without a value: no spreadsheet has calculated it yet. */
export const NOT_CALCULATED = "#CALC!";

const MAX_ROWS = 1_048_576, MAX_COLUMN = 16_384;
/** Rows without text are left out. Throws `workbook_invalid`, and `too_large` for text beyond `maxColumns`. */
export function* readSheet(workbook: Workbook, sheet: Sheet, maxColumns: number): Generator<SheetRow, void> {
  const rows: SheetRow[] = [];
  const reading = readXml(sheet.entry, createSheetHandler(workbook, sheet, maxColumns, (row) => rows.push(row)));
  for (const _ of reading) {
    yield* rows;
    rows.length = 0;
  }
}

function createSheetHandler(
  workbook: Workbook,
  sheet: Sheet,
  maxColumns: number,
  push: (row: SheetRow) => void,
) {
  const text = createText();
  // A row's cells are children of `row`, and rows of `sheetData`: the same names elsewhere are something else.
  let depth = 0, inSheet = false, inData = false, inRow = false, inCell = false;
  let line = 0, column = 0, isHidden = false;
  let cells: string[] = [];
  let cell: Attributes = {};
  let value = "", hasFormula = false, inValue = false;

  function openRow({ r, hidden }: Attributes): void {
    const next = r === undefined ? line + 1 : Number(r);
    if (!Number.isInteger(next) || next <= line || next > MAX_ROWS) throw misplaced(sheet, `row ${r ?? next}`);
    line = next;
    column = 0;
    isHidden = isTrue(hidden);
    cells = [];
  }

  function openCell(attributes: Attributes): void {
    cell = attributes;
    column = attributes.r === undefined ? column + 1 : columnOf(attributes.r);
    if (column < 1 || column > MAX_COLUMN) throw misplaced(sheet, `cell ${attributes.r ?? column}`);
    value = "";
    hasFormula = false;
    text.take();
  }

  function closeCell(): void {
    const shown = cellText(workbook, cell, value, text.take(), hasFormula);
    if (shown === "") return;
    if (column > maxColumns) {
      throw new Fault(
        "too_large",
        `Row ${line} of the sheet "${sheet.name}" has over ${maxColumns} columns, which is the limit`,
        { line },
      );
    }
    while (cells.length < column - 1) cells.push("");
    cells[column - 1] = shown;
  }

  return {
    open(name: string, attributes: Attributes): void {
      depth++;
      if (inCell) {
        if (name === "f") hasFormula = true;
        inValue = name === "v";
        text.open(name);
      } else if (depth === 1) inSheet = name === "worksheet";
      else if (depth === 2) inData = inSheet && name === "sheetData";
      else if (depth === 3 && inData && name === "row") {
        inRow = true;
        openRow(attributes);
      } else if (depth === 4 && inRow && name === "c") {
        inCell = true;
        openCell(attributes);
      }
    },
    text(piece: string): void {
      if (!inCell) return;
      if (inValue) value += piece;
      else text.text(piece);
    },
    close(name: string): void {
      inValue = false;
      if (depth === 4 && inCell) {
        inCell = false;
        closeCell();
      } else if (inCell) text.close(name);
      else if (depth === 3 && inRow) {
        inRow = false;
        if (cells.length > 0) push({ line, isHidden, cells });
      }
      depth--;
    },
  };
}

/** The cell as text: `value` as it is stored, `inline` for text inside the cell itself. */
function cellText(
  { texts, formats, since1904 }: Workbook,
  { t: type = "n", s: style }: Attributes,
  value: string,
  inline: string,
  hasFormula: boolean,
): string {
  if (value === "" && hasFormula && type !== "str") return NOT_CALCULATED;
  switch (type) {
    case "s":
      return texts[Number(value)] ?? "";
    case "inlineStr":
      return inline;
    case "str":
      return decodeEscapes(value);
    case "b":
      return isTrue(value) ? "TRUE" : value === "" ? "" : "FALSE";
    case "d":
      return value.replace("T", " ").replace(/ 00:00:00(?:\.0+)?(?:Z|\+00:00)?$/, "");
    case "n":
      return value === "" ? "" : numberText(value.trim(), formats[Number(style ?? 0)] ?? PLAIN, since1904);
    // An error, by the name that the spreadsheet shows.
    default:
      return value;
  }
}

/** The number of a reference's column, from 1: 28 for AB12; 0: it is not a reference. */
function columnOf(reference: string): number {
  let column = 0;
  for (let i = 0; i < reference.length; i++) {
    const code = reference.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) return i > 3 ? 0 : column;
    if (code < 0x41 || code > 0x5a) return 0;
    column = column * 26 + code - 0x40;
  }
  return 0;
}

function misplaced({ name }: Sheet, what: string): Fault {
  return new Fault(
    "workbook_invalid",
    `The sheet "${name}" is damaged at ${what}: open it in a spreadsheet and save it again`,
  );
}
