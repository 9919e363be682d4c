/** A connector as others write them: takes the files that some system of its own drops, so nobody waits for the answer. */
import { z } from "zod";
import { defineConnector } from "../../src/connector.ts";

export default defineConnector({
  api: 1,
  name: "hr-feed",
  version: "1.0.0",
  title: "HR feed",
  coverage: { users: "full" },
  input: "drop",
  settings: z.strictObject({}),
  fetch: (context) => context.readDrop(),
});
