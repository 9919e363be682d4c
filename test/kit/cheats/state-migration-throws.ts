/** Takes a state of an earlier version for one that has another form. */
import type { Stored } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "state-migration-throws",
  migrateState: ({ value }: Stored<unknown>) => ({ after: (value as { page: { after: number } }).page.after }),
};
