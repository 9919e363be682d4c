/** A hosted server in a process of its own (test/bridge/hosted/child.ts), on the runtime that the tests run on. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LAUNCH, PATH, RUNTIME } from "./launch.ts";
import type { HostedLimits } from "../../src/bridge/hosted/limits.ts";

const CHILD = fileURLToPath(new URL("../bridge/hosted/child.ts", import.meta.url));

export interface HostedProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly gone: Promise<void>;
  /** What it has logged so far. */
  log(): string;
  /** What it prints in the end. */
  end(): Promise<string>;
}

/** `dir`: of the trees; `file`: for what it has taken. */
export async function startHostedChild(
  dir: string,
  file: string,
  how: "kill" | "measure",
  limits: Partial<HostedLimits> = {},
): Promise<HostedProcess> {
  const child = spawn(LAUNCH, [RUNTIME, CHILD, dir, file, how, JSON.stringify(limits)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, PATH },
  });
  let out = "", log = "";
  child.stderr!.on("data", (chunk) => log += chunk);
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`It ended with ${code}: ${log}`)));
    child.stdout!.on("data", (chunk) => {
      out += chunk;
      if (out.includes("\n")) resolve();
    });
  });
  return {
    child,
    port: Number(out.split("\n")[0]),
    gone,
    log: () => log,
    async end() {
      child.stdin!.end();
      await gone;
      return out.trim().split("\n").at(-1)!;
    },
  };
}

/** Bytes that the process has in memory, and that it had at most since `forget`; on Linux alone. */
export function memoryOf({ child: { pid } }: HostedProcess) {
  const bytes = (name: string) => {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)![1]) * 1024;
  };
  return {
    now: () => bytes("VmRSS"),
    most: () => bytes("VmHWM"),
    forget: () => writeFileSync(`/proc/${pid}/clear_refs`, "5"),
  };
}

/** How many sockets it has, of whatever kind; on Linux alone. */
export function socketsOf({ child: { pid } }: HostedProcess): number {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).filter((name) => {
    try {
      return readlinkSync(`${dir}/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
