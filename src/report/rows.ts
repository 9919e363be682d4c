/**
 * Reads rows of a failure report that was sent again. No I/O.
 *
 * A line without a cell of its own is ignored. A row that had more cells than the header has them in `_extra`, and is
 * still an error unless that cell was emptied. Columns that a row did not have are named in `_absent`: their cells are
 * still absent, not empty, unless they were filled.
 */
import type { Cell, Fields, Row, RowBlock } from "../model/record.ts";

/** `fields`: the fields of the block's columns. */
export function reportRows(block: RowBlock, fields: Fields): RowBlock {
  const extra = block.columns.indexOf("_extra"), absent = block.columns.indexOf("_absent");
  const all = Array.from({ length: block.count }, (_, index) => index);
  const kept = block.rows(all).map((row, index) => ({ row: withExtra(withAbsent(row, absent), extra), index }))
    .filter(({ row }) =>
      row.broken !== undefined || row.cells.length !== row.columns.length ||
      row.cells.some((cell, i) => fields[i] && filled(cell))
    );
  return {
    columns: block.columns,
    count: kept.length,
    shapes: block.shapes,
    digest: (index, salt, out, at) => block.digest(kept[index]!.index, salt, out, at),
    rows: (indexes) => Array.from(indexes, (index) => kept[index]!.row),
    line: (index) => block.line(kept[index]!.index),
  };
}

function withExtra(row: Row, place: number): Row {
  const cell = row.cells[place];
  if (row.cells.length !== row.columns.length || !filled(cell)) return row;
  return { ...row, cells: [...row.cells, ...listIn(String(cell))] };
}

function withAbsent(row: Row, place: number): Row {
  const cell = row.cells[place];
  if (!filled(cell)) return row;
  const names = listIn(String(cell));
  return {
    ...row,
    cells: row.cells.map((cell, i) => !filled(cell) && names.includes(row.columns[i]!) ? undefined : cell),
  };
}

/** The texts of a JSON array, as the report writes it; any other text counts as one. */
function listIn(text: string): Cell[] {
  try {
    const cells = JSON.parse(text);
    if (Array.isArray(cells) && cells.length > 0) return cells;
  } catch {
    // The cell was edited.
  }
  return [text];
}

function filled(cell: Cell): boolean {
  return cell !== undefined && cell !== null && !(typeof cell === "string" && cell.trim() === "");
}
