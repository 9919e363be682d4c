/** What `--help` shows. */
import { SETTINGS } from "../runtime/config.ts";

export const HELP = `Muster keeps an organization's people in step with the systems that know them

  muster serve                     Starts the hub: the HTTP API, the runner that carries runs, and the SFTP bridge
  muster bridge --hub URL          Starts an SFTP bridge alone, for a hub that runs elsewhere
      --token TEXT                   a token with the scope "bridge", or in MUSTER_BRIDGE_TOKEN
      --name TEXT                    what the operator knows it by (the machine's name)
  muster import FILE               Imports one file straight into the data directory
      --dry-run                      plans only: nothing is applied
      --connection SLUG              the connection it is for (csv)
      --preset NAME                  headers and defaults of betterworks, connecteam, ops-com or custom
      --entity users|departments     what the file holds, where its columns do not tell
      --coverage full|diff           everybody, or only who changed
      --organization SLUG            the organization it is for (default)
      --json                         prints the run as JSON
  muster token create --scopes A,B Makes a token and prints it, once
      --name TEXT                    what it is for
      --organization SLUG            the organization it belongs to (default)
      --expires-in-days N            1 to 3650, or never (90)
      --json                         prints all there is to know of it as JSON
  muster org create                Makes an organization with its connections csv and api
      --slug SLUG --name TEXT        what it is called in URLs, and by people
      --timezone ZONE                IANA time zone (UTC)
      --json                         prints it as JSON
  muster key rotate                Makes another master key, and seals every stored secret with it
  muster audit verify              Verifies the chain of hashes over the audit, of every organization
      --organization SLUG            of this one alone
      --known SEQ:HASH               an entry's hash as it was written down before (with --organization)
      --json                         prints what was found as JSON
  muster connectors                Lists the connectors of this hub
      --json                         prints them as JSON
  muster --version, --help

Exit codes: 0 done, 1 done with rows in error, 2 refused or failed, 3 held by a guard

Settings come from the environment:
${linesOf(SETTINGS)}`;

function linesOf(names: readonly string[]): string {
  const lines: string[] = [];
  let line = " ";
  for (const [place, name] of names.entries()) {
    if (line.length + name.length > 100) {
      lines.push(line);
      line = " ";
    }
    line += ` ${name}${place === names.length - 1 ? "" : ","}`;
  }
  return [...lines, line].join("\n");
}
