/** Takes settings that its published schema refuses. */
import honest from "./honest.ts";

const schema = honest.settings as typeof honest.settings & { toJSONSchema(): object };
type Settings = { host: string };

export default {
  ...honest,
  name: "takes-anything",
  settings: { "~standard": { version: 1, vendor: "own", validate: (value: Settings) => ({ value }) } },
  settingsJsonSchema: schema.toJSONSchema(),
};
