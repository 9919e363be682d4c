/** Leaves a state as its earlier version had it, which its fetch cannot read. */
import type { Stored } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "keeps-an-old-state",
  fetch(context: Parameters<typeof honest.fetch>[0]) {
    const last = context.checkpoint.last as { after: number } | null;
    if (last !== null) context.log(`${last.after.toFixed()} people last time`);
    return honest.fetch(context);
  },
  migrateState: ({ value }: Stored<unknown>) => value,
};
