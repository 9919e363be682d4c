/** Files that a person or a program uploads: CSV, JSON and NDJSON. */
import { z } from "zod";
import { defineConnector, recordFromCells, VALUE_SETTINGS } from "../src/connector.ts";

export default defineConnector({
  name: "csv-upload",
  version: "1.0.0",
  title: "File upload",
  coverage: "full",
  takesDrops: true,
  settings: z.strictObject({
    charset: z.string().trim().min(1).max(40).optional().meta({
      description:
        "Encoding of CSV and text files that are not UTF-8, such as windows-1252 or shift_jis. Set it when names " +
        "come out garbled, or when the hub says that a file is not UTF-8. A file with a byte order mark needs none.",
    }),
    delimiter: z.enum(["auto", ",", ";", "\t", "|"]).default("auto").meta({
      description:
        "What separates the cells of a row. By default it is found from the rows; a first line `sep=;` sets it",
    }),
    skip_lines: z.int().min(0).max(100).default(0).meta({
      description:
        "How many lines are above the row of column names, such as a report's title and date. They are left out",
    }),
    /** Of workbooks: which one is read; by default the first visible one with a usable header. */
    sheet: z.string().trim().min(1).max(31).optional(),
    ...VALUE_SETTINGS,
    /** True: a header counts only when it is spelled exactly like the field's name. */
    exact_names: z.boolean().default(false),
  }),
  fetch: (context) => context.readDrop(),
  normalize: (row, context) => recordFromCells(row, context.fields),
});
