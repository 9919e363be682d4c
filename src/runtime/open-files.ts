/** How many files this process may have open, and how many of them its connections may take. */
import { readFileSync } from "node:fs";
import { HOSTED_LIMITS } from "../bridge/hosted/limits.ts";
import { Fault } from "../model/errors.ts";

/** Where the system does not say: what most allow a process by themselves. */
const USUAL_FILES = 1024;
/** More silent connections would cost memory, and help nobody. */
const MAX_BY_ITSELF = 2048;
/** What the process itself has open at most, with some to spare: threads that start read their modules. */
const OWN_FILES = 128;
/** Deno accepts as many connections at once before those that give way to them are closed. */
const ACCEPTED_AT_ONCE = 128;
/** Even where there is room for none: somebody has to be answered. */
const FEWEST = 8;

/** The soft limit of this process, as Linux says it; elsewhere what is usual. */
export function readOpenFileLimit(file = "/proc/self/limits"): number {
  let text = "";
  try {
    text = readFileSync(file, "latin1");
  } catch {
    // Only Linux has it.
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  return soft === undefined ? USUAL_FILES : soft === "unlimited" ? Infinity : Number(soft);
}

/**
 * How many connections the HTTP server takes at once: as the operator says, or half of what may be open. The other half
 * is for the SFTP server (sftpShare), the database and outgoing calls. A process that has no file left for a thread of
 * its own ends: Deno gives up altogether then. So some are left whatever the operator says.
 */
export function connectionCap(asked: number, maxFiles: number): number {
  const spare = Math.min(OWN_FILES, Math.floor(maxFiles / 4)) + ACCEPTED_AT_ONCE;
  const most = Math.max(FEWEST, Math.min(Math.floor(maxFiles * 5 / 8), maxFiles - spare));
  if (asked > most) {
    throw new Fault(
      "invalid_request",
      `MUSTER_MAX_CONNECTIONS is ${asked}, and this process may open ${maxFiles} files: it should be at most ${most}, ` +
        "or the limit should be raised (ulimit -n, LimitNOFILE=)",
    );
  }
  return asked > 0 ? asked : Math.min(MAX_BY_ITSELF, most, Math.max(FEWEST, Math.floor(maxFiles / 2)));
}

/**
 * What the SFTP server takes of the files that may be open: an eighth for connections and an eighth for what is open in
 * them, which leaves its half to HTTP and a quarter to the rest.
 */
export function sftpShare(maxFiles: number) {
  const eighth = Math.max(FEWEST, Math.floor(maxFiles / 8));
  const connections = Math.min(HOSTED_LIMITS.connections, eighth);
  return {
    connections,
    strangers: Math.min(HOSTED_LIMITS.strangers, Math.max(FEWEST / 2, connections >> 1)),
    handlesInAll: Math.min(HOSTED_LIMITS.handlesInAll, eighth),
    // Nobody alone takes all of them.
    handlesOfLogIn: Math.min(HOSTED_LIMITS.handlesOfLogIn, Math.max(FEWEST / 2, Math.floor(eighth / 2))),
  };
}
