/** Files that a person or a program uploads: CSV, JSON and NDJSON. */
import { z } from "zod";
import { defineConnector, FILE_SETTINGS, recordFromCells } from "../src/connector.ts";

export default defineConnector({
  name: "csv-upload",
  version: "1.0.0",
  title: "File upload",
  coverage: "full",
  takesDrops: true,
  settings: z.strictObject({
    ...FILE_SETTINGS,
  }),
  fetch: (context) => context.readDrop(),
  normalize: (row, context) => recordFromCells(row, context.fields),
});
