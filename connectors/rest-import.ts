/** Records that a program posts as JSON: only those that changed, so people who are not in it are not missing. */
import { z } from "zod";
import { defineConnector } from "../src/connector.ts";
import { VALUE_SETTINGS } from "../src/connector-settings.ts";

export default defineConnector({
  api: 1,
  name: "rest-import",
  version: "1.0.0",
  title: "REST import",
  coverage: { users: "diff", departments: "diff" },
  input: "drop",
  settings: z.strictObject({
    ...VALUE_SETTINGS,
    /** True: a key of a record counts only when it is spelled exactly like the field's name. */
    exact_names: z.boolean().default(false),
  }),
  fetch: (context) => context.readDrop(),
});
