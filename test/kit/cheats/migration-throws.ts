/** Takes for granted that each connection has a setting that some have not. */
import type { Stored } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "migration-throws",
  migrateSettings(from: Stored<unknown>) {
    const { department } = from.value as { department: string };
    return { settings: { ...honest.migrateSettings!(from).settings as object, department: department.trim() } };
  },
};
