/** `muster connector list`: what is kept in the data directory, and which connections use it. */
import { DONE, type Terminal } from "../../runtime/command.ts";
import { loadConfig } from "../../runtime/config.ts";
import { readKept } from "../../runtime/installed/kept.ts";
import { createRegistry } from "../../runtime/registry.ts";
import { type ConnectorUse, countUses } from "../../store/connections/connector-uses.ts";
import { withHubOf } from "../open-hub.ts";

export async function listInstalled(values: { json?: boolean }, terminal: Terminal): Promise<number> {
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  const { kept, broken } = await readKept(config.dataDir);
  const uses = await withHubOf(config, terminal, ({ db }) => countUses(db), createRegistry());
  const rows = [
    ...kept.map(({ manifest: { name, version, title, digest, from, hosts, added_at } }) => ({
      name,
      version,
      title,
      digest,
      from,
      hosts,
      added_at,
      ...sumOf(uses.filter((use) => use.connectorDigest === digest)),
      problem: null,
    })),
    ...broken.map(({ name, version, why }) => ({
      name,
      version,
      title: null,
      digest: null,
      from: null,
      hosts: null,
      added_at: null,
      ...sumOf(uses.filter((use) => use.connector === name && use.connectorVersion === version)),
      problem: why,
    })),
  ];
  if (values.json) terminal.out(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) terminal.out("No connectors have been added");
  for (const row of values.json ? [] : rows) {
    const used = `${row.connections} connections of ${row.organizations} organizations`;
    const what = row.problem === null
      ? `${row.digest.slice(0, 12)}  from ${row.from}`
      : `cannot be used: ${row.problem}`;
    terminal.out(`${row.name}  ${row.version}  ${used}  ${what}`);
  }
  return DONE;
}

function sumOf(uses: readonly ConnectorUse[]): { connections: number; organizations: number } {
  const sum = (of: "connections" | "organizations") => uses.reduce((all, use) => all + use[of], 0);
  return { connections: sum("connections"), organizations: sum("organizations") };
}
