/**
 * Names this process as an owner of leases. Other processes on this machine can check whether the owner has died, and then
 * take its runs over at once, before their leases end.
 */
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

export interface Owner {
  readonly name: string;
  /** Whether the process of that name has certainly died. Only for a database that no other machine writes. */
  isGone(name: string): boolean;
}

export function createOwner(): Owner {
  const machine = `${hostname()} ${processNamespace()}`;
  const name = [machine, process.pid, crypto.randomUUID()].join("/");
  return {
    name,
    isGone(other) {
      const [where, pid] = other.split("/");
      if (other === name || where !== machine || !/^\d+$/.test(pid ?? "")) return false;
      // A process carries runs in one thread only: another owner with this pid is an earlier thread or process.
      return Number(pid) === process.pid || !isAlive(Number(pid));
    },
  };
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
function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "";
  }
}
