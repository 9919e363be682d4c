/** Files that a person or a program uploads: CSV, JSON and NDJSON. */
import { z } from "zod";
import { defineConnector } from "../src/connector.ts";
import { FILE_SETTINGS } from "../src/connector-settings.ts";

export default defineConnector({
  api: 1,
  name: "csv-upload",
  version: "1.0.0",
  title: "File upload",
  coverage: { users: "full", departments: "full" },
  input: "drop",
  settings: z.strictObject({
    ...FILE_SETTINGS,
  }),
  fetch: (context) => context.readDrop(),
});
