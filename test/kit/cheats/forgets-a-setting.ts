/** Loses a setting on the way to its new version. */
import type { Stored } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "forgets-a-setting",
  migrateSettings(from: Stored<unknown>) {
    const { department: _, ...settings } = honest.migrateSettings!(from).settings as { department?: string };
    return { settings };
  },
};
