/** `muster connector add`, `list` and `remove`: the connectors of others in the data directory. */
import { type Command, defineCommand } from "../command.ts";

/** What they need is loaded only when they are used. */
const add = defineCommand({
  name: "connector add",
  summary: "Adds a connector of others to the data directory; fetches nothing, runs no install scripts",
  argument: "SOURCE",
  options: {
    yes: { type: "boolean", help: "does not ask (SOURCE: FILE, FOLDER, FILE.tgz or PACKAGE@VERSION installed here)" },
  },
  run: async (values, terminal, given) => await (await import("./add.ts")).addConnector(values, terminal, given),
});

const list = defineCommand({
  name: "connector list",
  summary: "Lists the connectors that were added, and who uses each version",
  options: { json: { type: "boolean", help: "prints them as JSON" } },
  run: async (values, terminal) => await (await import("./list.ts")).listInstalled(values, terminal),
});

const remove = defineCommand({
  name: "connector remove",
  summary: "Removes an added connector, or one version: NAME@VERSION",
  argument: "NAME",
  options: { force: { type: "boolean", help: "also while connections use it: they are in error until it is back" } },
  run: async (values, terminal, given) => await (await import("./remove.ts")).removeConnector(values, terminal, given),
});

export const INSTALLED_COMMANDS: readonly Command[] = [add, list, remove];
