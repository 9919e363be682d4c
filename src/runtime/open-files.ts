/** How many files this process may have open, and how many of them its connections may use. */
import { readFileSync } from "node:fs";
import { HOSTED_LIMITS } from "../bridge/hosted/limits.ts";
import { Fault } from "../model/errors.ts";

/** The usual default limit, for systems that do not report it. */
const USUAL_FILES = 1024;
/** More connections by default would only cost memory. */
const MAX_BY_ITSELF = 2048;
/** The most that the process itself has open, with some to spare: starting threads read their modules. */
const OWN_FILES = 128;
/** Deno accepts this many connections before those that they displace are closed. */
const ACCEPTED_AT_ONCE = 128;
/** The least number of connections, even under a very low limit. */
const FEWEST = 8;

/** The soft limit of this process, as Linux reports it; on other systems, the usual one. */
export function readOpenFileLimit(file = "/proc/self/limits"): number {
  let text = "";
  try {
    text = readFileSync(file, "latin1");
  } catch {
    // Only Linux has this file.
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  return soft === undefined ? USUAL_FILES : soft === "unlimited" ? Infinity : Number(soft);
}

/**
 * The most connections of the HTTP server: as configured, or half of the files that may be open. The other half is for the
 * SFTP server (sftpShare), the database and outgoing requests. Some files are always left, because Deno aborts when it
 * cannot open one for a new thread. Fails with `invalid_request` if too many are configured.
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
 * The SFTP server's share of the files that may be open: an eighth for connections and an eighth for their open files. That
 * leaves half to HTTP and a quarter to everything else.
 */
export function sftpShare(maxFiles: number) {
  const eighth = Math.max(FEWEST, Math.floor(maxFiles / 8));
  const connections = Math.min(HOSTED_LIMITS.connections, eighth);
  return {
    connections,
    strangers: Math.min(HOSTED_LIMITS.strangers, Math.max(FEWEST / 2, connections >> 1)),
    handlesInAll: Math.min(HOSTED_LIMITS.handlesInAll, eighth),
    // No single log-in may take all of them.
    handlesOfLogIn: Math.min(HOSTED_LIMITS.handlesOfLogIn, Math.max(FEWEST / 2, Math.floor(eighth / 2))),
  };
}
