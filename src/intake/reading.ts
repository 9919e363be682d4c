/** What readers of every format get and report. */

/** How bytes become rows: a connection's reading settings and the hub's limits. Sizes are in bytes. */
export interface ReadOptions {
  /** `auto`: UTF-8, or UTF-16 if there is a byte order mark. Windows-1252 is never detected. */
  readonly encoding: "auto" | "windows-1252";
  /** `auto`: detected from the rows. */
  readonly delimiter: "auto" | "," | ";" | "\t" | "|";
  readonly maxRowBytes: number;
  readonly maxColumns: number;
  /** Bytes of a workbook or an archive as it came: it is held in memory. */
  readonly maxPackedBytes: number;
  /** The sheet of a workbook; null: the first visible one with a usable header. */
  readonly sheet: string | null;
  /** Whether these columns can be the header of a sheet. */
  readonly isHeader: (columns: readonly string[]) => boolean;
  /** Decoded size of the whole input. */
  readonly maxBytes: number;
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
}
