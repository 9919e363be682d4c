/** `muster connectors`: lists the connectors of this hub. */
import { loadConfig } from "../runtime/config.ts";
import { loadRegistry } from "../runtime/third-party.ts";
import { DONE } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { coverageText } from "./connector/text.ts";

export const listConnectors = defineCommand({
  name: "connectors",
  summary: "Lists the connectors of this hub",
  options: { json: { type: "boolean", help: "prints them as JSON" } },
  run: async (values, terminal) => {
    const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
    const rows = [...(await loadRegistry(config.connectors, terminal.base, config)).values()].map((connector) => ({
      name: connector.name,
      version: connector.version,
      title: connector.title,
      coverage: connector.coverage,
    }));
    if (values.json) {
      terminal.out(JSON.stringify(rows, null, 2));
      return DONE;
    }
    const width = Math.max(...rows.map((row) => row.name.length));
    for (const row of rows) {
      terminal.out(
        `${row.name.padEnd(width)}  ${row.version.padEnd(8)}  ${coverageText(row.coverage).padEnd(30)}  ${row.title}`,
      );
    }
    return DONE;
  },
});
