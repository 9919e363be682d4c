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
    /** Windows-1252 cannot be detected, so it has to be declared. */
    encoding: z.enum(["auto", "windows-1252"]).default("auto"),
    delimiter: z.enum(["auto", ",", ";", "\t", "|"]).default("auto"),
    /** Of workbooks: which one is read; by default the first visible one with a usable header. */
    sheet: z.string().trim().min(1).max(31).optional(),
    ...VALUE_SETTINGS,
    /** True: a header counts only when it is spelled exactly like the field's name. */
    exact_names: z.boolean().default(false),
  }),
  fetch: (context) => context.readDrop(),
  normalize: (row, context) => recordFromCells(row, context.fields),
});
