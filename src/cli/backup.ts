/** `muster backup PLACE`: copies the database of a hub, which may be running, into one file or object. */
import { loadConfig } from "../runtime/config.ts";
import { makeBackup } from "../runtime/backups/make.ts";
import { findPlace } from "../runtime/backups/open-place.ts";
import { isEmbedded } from "../runtime/database.ts";
import { DONE, type Terminal } from "../runtime/command.ts";
import { Fault } from "../model/errors.ts";

export async function backup(
  { json }: { readonly json?: boolean },
  terminal: Terminal,
  address: string,
): Promise<number> {
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  requireFile(config.databaseUrl, "backup");
  const { place, name: givenName } = await findPlace(address, terminal.env);
  const { name, facts, bytes } = await makeBackup(config.databaseUrl, place, givenName);
  if (json) terminal.out(JSON.stringify({ ...facts, bytes, address: place.addressOf(name) }, null, 2));
  else terminal.out(`Backed up to ${place.addressOf(name)} (${megabytes(bytes)}), as of ${facts.created_at}`);
  if (facts.master_key !== null) {
    terminal.err(`Restoring it needs the master key "${facts.master_key}", which is not in it\n`);
  }
  return DONE;
}

/** A server's database is copied by the server. */
export function requireFile(databaseUrl: string, command: string): void {
  if (isEmbedded(databaseUrl)) return;
  throw new Fault(
    "unprocessable",
    `DATABASE_URL is a server, and "muster ${command}" is for a database that is a file: use the backups of the ` +
      "database's server or provider, and keep the master key beside them",
  );
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
