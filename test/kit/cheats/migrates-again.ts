/** Takes settings that it has migrated for those of an earlier version. */
import type { Stored } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "migrates-again",
  migrateSettings({ value }: Stored<unknown>) {
    const { server, host, ...others } = value as { server?: string; host?: string };
    return { settings: { ...others, host: server ?? `api.${host}` } };
  },
};
