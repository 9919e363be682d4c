/** A connector as others write them: takes the files that some system of its own drops, so nobody waits for the answer. */
import { z } from "zod";
import { defineConnector, recordFromCells } from "../../src/connector.ts";

export default defineConnector({
  name: "hr-feed",
  version: "1.0.0",
  title: "HR feed",
  coverage: "full",
  takesDrops: true,
  settings: z.strictObject({}),
  fetch: (context) => context.readDrop(),
  normalize: (row, context) => recordFromCells(row, context.fields),
});
