/** How many files this process may have open, and how many of them its connections may take. */
import { readFileSync } from "node:fs";
import { Fault } from "../errors.ts";

/** Where the system does not say: what most allow a process by themselves. */
const USUAL_FILES = 1024;
/** More silent connections would cost memory, and help nobody. */
const MAX_BY_ITSELF = 8192;

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
 * is for the database, the SFTP server and outgoing calls.
 */
export function connectionCap(asked: number, maxFiles: number): number {
  const most = Math.max(8, Math.floor(maxFiles * 3 / 4));
  if (asked > most) {
    throw new Fault(
      "invalid_request",
      `MUSTER_MAX_CONNECTIONS is ${asked}, and this process may open ${maxFiles} files: it should be at most ${most}, ` +
        "or the limit should be raised (ulimit -n, LimitNOFILE=)",
    );
  }
  return asked > 0 ? asked : Math.min(MAX_BY_ITSELF, Math.max(8, Math.floor(maxFiles / 2)));
}
