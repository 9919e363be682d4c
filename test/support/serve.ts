/** A hub served by a process of its own, through the door of the runtime that the tests run on. */
import { type ChildProcess, spawn } from "node:child_process";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ENTRY, LAUNCH, PATH, RUNTIME } from "./launch.ts";
import { within } from "./within.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STARTS_WITHIN_MS = 60_000, ENDS_WITHIN_MS = 60_000;

/**
 * Runs the command line as a process; `env` beside what a runtime needs. It may open `maxFiles` files. `root`: of another
 * version's files. `entry`: a module that ends with the entry point.
 */
export function startCommand(
  args: readonly string[],
  env: Record<string, string>,
  maxFiles?: number,
  root: string = ROOT,
  entry: string = join(root, relative(ROOT, ENTRY)),
): ChildProcess {
  const { HOME = "", TMPDIR = "/tmp", DENO_DIR = "" } = process.env;
  const command = [join(root, relative(ROOT, LAUNCH)), RUNTIME, entry, ...args];
  const [program, ...rest] = maxFiles === undefined
    ? command
    : ["/bin/sh", "-c", `ulimit -n ${maxFiles}; exec "$@"`, "sh", ...command];
  return spawn(program!, rest, {
    cwd: root,
    // Without the SFTP server, whose usual port may be taken, unless a test says one.
    env: { PATH, HOME, TMPDIR, NO_COLOR: "1", MUSTER_SFTP_PORT: "0", ...(DENO_DIR === "" ? {} : { DENO_DIR }), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export interface Served {
  readonly url: string;
  readonly process: ChildProcess;
  /** Its exit code, once it has ended by itself or was asked to. */
  readonly ended: Promise<number | null>;
  /** All that it has said so far. */
  readonly said: () => { out: string; err: string };
  /** Asks it to end, if it has not, and gives its exit code. Kills it and fails where it goes on living. */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | null>;
}

export async function startServing(
  env: Record<string, string>,
  maxFiles?: number,
  root?: string,
  entry?: string,
): Promise<Served> {
  const child = startCommand(["serve"], { PORT: "0", ...env }, maxFiles, root, entry);
  let out = "", err = "";
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  child.stderr!.on("data", (data) => err += data);
  // Not child.kill, after which Deno gives the signal for the exit code, whatever the process made of it.
  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, signal);
  };
  const orKilled = <T>(ms: number, work: Promise<T>, late: string): Promise<T> =>
    within(ms, work, () => {
      send("SIGKILL");
      return new Error(`The hub (${child.pid}) ${late} within ${ms / 1000} s: ${out}${err}`);
    });
  const started = new Promise<string>((resolve, reject) => {
    child.stdout!.on("data", (data) => {
      out += data;
      const found = /^Muster is at (http:\/\/\S+)$/m.exec(out)?.[1];
      if (found !== undefined) resolve(found);
    });
    ended.then((code) => reject(new Error(`The hub ended with ${code}: ${out}${err}`)));
  });
  const url = await orKilled(STARTS_WITHIN_MS, started, "did not start");
  return {
    url,
    process: child,
    ended,
    said: () => ({ out, err }),
    stop(signal = "SIGTERM") {
      send(signal);
      return orKilled(ENDS_WITHIN_MS, ended, "did not end");
    },
  };
}
