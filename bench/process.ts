/** Runs one program to its end and says how long it took, what processor time, and how much memory it held at most. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Measured {
  /** From start to exit, start-up included. */
  readonly seconds: number;
  /** Processor time of all its threads, user and system; null where there is no /proc. */
  readonly cpuSeconds: number | null;
  /** The kernel's high-water mark of resident memory (VmHWM), in MB of 1,000,000 bytes; null where there is no /proc. */
  readonly peakMb: number | null;
  readonly stdout: string;
}

/** How often both are read. They only grow, so just what is taken in the last moments can be missed. */
const POLL_MS = 20;

/** Throws with what the program said when its exit code is not 0. `input` goes to its stdin. */
export async function measure(
  program: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Measured> {
  // What earlier programs left to be written must not be paid for by this one.
  spawnSync("sync");
  const started = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...options.env } });
  let peakMb: number | null = null, cpuSeconds: number | null = null;
  const poll = setInterval(() => {
    peakMb = peakMbOf(child.pid) ?? peakMb;
    cpuSeconds = cpuSecondsOf(child.pid) ?? cpuSeconds;
  }, POLL_MS);
  const out: string[] = [];
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  clearInterval(poll);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}\n${out.join("")}${said.join("")}`.slice(0, 4000));
  }
  return { seconds, cpuSeconds, peakMb, stdout: out.join("") };
}

/** Clock ticks a second in /proc; Linux shows this many on every machine. */
const TICKS = 100;

function cpuSecondsOf(pid: number | undefined): number | null {
  try {
    // Behind the name of the program, which may hold anything, bracketed.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return null;
  }
}

/** The process's highest resident memory so far in MB, or null when it is gone or the system does not say. */
export function peakMbOf(pid: number | undefined): number | null {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) * 1024 / 1e6);
  } catch {
    return null;
  }
}
