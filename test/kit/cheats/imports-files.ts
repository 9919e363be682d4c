/** Imports what reads files. */
import { existsSync } from "node:fs";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "imports-files",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    try {
      existsSync("/etc/hostname");
    } catch {
      // It goes on as if nothing had been.
    }
    yield* honest.fetch(context);
  },
};
