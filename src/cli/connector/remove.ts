/** `muster connector remove`: takes versions of a connector out of the data directory. */
import { Fault } from "../../model/errors.ts";
import { DONE, type Terminal } from "../../runtime/command.ts";
import { loadConfig } from "../../runtime/config.ts";
import { readKept, removeKept } from "../../runtime/installed/kept.ts";
import { createRegistry } from "../../runtime/registry.ts";
import { countUses, listUsers } from "../../store/connections/connector-uses.ts";
import type { Database } from "../../store/database.ts";
import { withHubOf } from "../open-hub.ts";

interface Version {
  readonly name: string;
  readonly version: string;
  /** Null: its folder cannot be read. */
  readonly digest: string | null;
}

export async function removeConnector(values: { force?: boolean }, terminal: Terminal, given: string): Promise<number> {
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  const [name, version] = given.split("@", 2);
  const { kept, broken } = await readKept(config.dataDir);
  const all: Version[] = [...kept.map(({ manifest }) => manifest), ...broken.map((each) => ({ ...each, digest: null }))]
    .filter((each) => each.name === name);
  const going = all.filter((each) => version === undefined || each.version === version);
  if (going.length === 0) throw new Fault("not_found", `No connector "${given}" has been added; see connector list`);
  const users = await withHubOf(config, terminal, ({ db }) => usersOf(db, going, all), createRegistry());
  if (users.length > 0) {
    const some = users.length > 20 ? `${users.slice(0, 20).join(", ")} and more` : users.join(", ");
    if (values.force !== true) {
      throw new Fault("conflict", `"${given}" is used by ${some}. With --force these are in error until it is back`);
    }
    terminal.err(`In error from the hub's next start on: ${some}\n`);
  }
  for (const each of going) {
    await removeKept(config.dataDir, each.name, each.version);
    terminal.out(`Removed "${each.name}" ${each.version}. A hub that runs has it until a restart`);
  }
  return DONE;
}

/** Connections that have no connector any more, by slug: those that are pinned to it, and with its last version all others. */
async function usersOf(db: Database, going: readonly Version[], all: readonly Version[]): Promise<string[]> {
  const isLast = going.length === all.length;
  const uses = (await countUses(db)).filter((use) =>
    use.connector === going[0]!.name &&
    (use.connectorDigest === null
      ? isLast
      : going.some(({ digest, version }) =>
        digest === null ? version === use.connectorVersion : digest === use.connectorDigest
      ))
  );
  return (await Promise.all(uses.map((use) => listUsers(db, use)))).flat();
}
