/**
 * Rows of a failure report that was sent again: blocks as read go in, blocks of the rows that count come out. No I/O.
 *
 * A line about the whole input has no cells of its own, so it is passed over. A row that had more cells than the header
 * keeps them in `_extra`: unless somebody has emptied that, it is as broken as before.
 */
import type { Cell, Fields, Row, RowBlock } from "../model/record.ts";

/** `fields`: what the block's columns stand for. */
export function reportRows(block: RowBlock, fields: Fields): RowBlock {
  const extra = block.columns.indexOf("_extra");
  const all = Array.from({ length: block.count }, (_, index) => index);
  const kept = block.rows(all).map((row, index) => ({ row: withExtra(row, extra), index }))
    .filter(({ row }) =>
      row.cells.length !== row.columns.length || row.cells.some((cell, i) => fields[i] && filled(cell))
    );
  return {
    columns: block.columns,
    count: kept.length,
    digest: (index, salt, out, at) => block.digest(kept[index]!.index, salt, out, at),
    rows: (indexes) => Array.from(indexes, (index) => kept[index]!.row),
    line: (index) => block.line(kept[index]!.index),
  };
}

function withExtra(row: Row, place: number): Row {
  const cell = row.cells[place];
  if (row.cells.length !== row.columns.length || !filled(cell)) return row;
  return { ...row, cells: [...row.cells, ...extraCells(String(cell))] };
}

/** A JSON array, as the report writes it; anything else that somebody made of it is one cell. */
function extraCells(text: string): Cell[] {
  try {
    const cells = JSON.parse(text);
    if (Array.isArray(cells) && cells.length > 0) return cells;
  } catch {
    // Not JSON any more.
  }
  return [text];
}

function filled(cell: Cell): boolean {
  return cell !== undefined && cell !== null && cell !== "";
}
