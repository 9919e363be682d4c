/**
 * Names this process as an owner of leases. Other processes on this machine can check whether the owner has died, and then
 * take its runs over at once, before their leases end.
 *
 * Only one machine writes a file, so its host name is enough. Many write to a server, and may have one name: there the name
 * holds the id that Linux gives each start of a machine, and without one nobody is known to have died.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

export interface Owner {
  readonly name: string;
  /** Whether the process of that name has certainly died. */
  isGone(name: string): boolean;
}

/** `isEmbedded`: the database is a file of this machine. `boot`: the id of its start; empty: not known. */
export function createOwner(isEmbedded = true, boot = bootId()): Owner {
  const machine = [hostname(), processNamespace(), ...(isEmbedded ? [] : [boot])].join(" ");
  const name = [machine, process.pid, crypto.randomUUID()].join("/");
  return {
    name,
    isGone(other) {
      if (!isEmbedded && boot === "") return false;
      const [where, pid] = other.split("/");
      if (other === name || where !== machine || !/^\d+$/.test(pid ?? "")) return false;
      // A process carries runs in one thread only: another owner with this pid is an earlier thread or process.
      return Number(pid) === process.pid || !isAlive(Number(pid));
    },
  };
}

/** Differs between machines, and after each start of one. Empty on systems without it. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** Distinguishes containers with the same host name, whose pids are independent. Empty on systems without namespaces. */
export function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "";
  }
}
