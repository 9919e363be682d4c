/**
 * Who carries a run, as a name that others on this machine can check: a run whose carrier is certainly dead is taken
 * over at once, not only when its lease has ended.
 */
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

export interface Owner {
  readonly name: string;
  /** Whether the one of that name is certainly dead. Only for a database that no other machine writes. */
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
      // A process carries runs in one thread only: another of this number is an earlier thread, or an earlier process.
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

/** Containers count their processes apart even where they share a name; empty where there is no such thing. */
function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "";
  }
}
