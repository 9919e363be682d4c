/** What readers of every format get and report. */

/** How bytes become rows: a connection's reading settings and the hub's limits. Sizes are in bytes. */
export interface ReadOptions {
  /** The declared encoding, by its own name. Null: UTF-8, or UTF-16 if there is a byte order mark, which always counts. */
  readonly charset: string | null;
  /** `auto`: detected from the rows. */
  readonly delimiter: "auto" | "," | ";" | "\t" | "|";
  /** Physical lines above the header that are left out. */
  readonly skipLines: number;
  readonly maxRowBytes: number;
  readonly maxColumns: number;
  /** Bytes of a workbook or an archive as it came: it is held in memory. */
  readonly maxPackedBytes: number;
  /** The sheet of a workbook; null: the first visible one with a usable header. */
  readonly sheet: string | null;
  /** Whether these columns can be the header of a table. */
  readonly isHeader: (columns: readonly string[]) => boolean;
  /** Decoded size of the whole input. */
  readonly maxBytes: number;
  /** Of records: one that cannot be read is a broken row, and not a fault of the whole input. */
  readonly apart?: boolean;
}

/** What a reader has found out about the whole input. Final once the reader has returned. */
export interface ReadReport {
  /** The failure report uses the same delimiter. Null: the input has none. */
  delimiter: "," | ";" | "\t" | "|" | null;
  /** False: the last line has no line end. Such a file may be cut off, so nobody is taken for missing. */
  endsWithLineEnd: boolean;
  /**
   * Of a workbook: the sheet that the connection names; null: it names none, and what others call a sheet may be a
   * person's name. Absent: the input is no workbook.
   */
  sheet?: string | null;
  /** Of a workbook: how many rows its sheet hides, which are read, and the first of their numbers. */
  hidden?: { count: number; lines: number[] };
}
