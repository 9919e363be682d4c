/** The operating system's side of a child: how its process is started, written to, heard, and seen to its end. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Calls } from "./calls.ts";
import { ConnectorFault } from "./faults.ts";
import { makeFolder } from "./folders.ts";
import { hostText } from "./host-text.ts";
import { linesOf } from "./lines.ts";
import type { Limits, ToChild } from "./protocol.ts";

/**
 * No permission is given, so all are refused. What is named here closes the ways past them: modules by URL, packages, a
 * configuration file nearby, and a question on the terminal.
 */
const CLOSED = ["--no-prompt", "--no-remote", "--no-npm", "--cached-only", "--deny-import", "--no-config", "--no-lock"];
/** What a child needs not, and would take time for at its start. */
const QUICK = ["--no-check", "--no-code-cache"];
/** A child in a loop whose hub was killed ends after so much processor time, in seconds. */
const MAX_CPU_S = 3_600;

type Kill = (reason: unknown) => void;

/** Starts the host's program, which knows no connector yet, in a folder of its own. */
export async function spawnHost(
  deno: string,
  limits: Limits,
): Promise<{ readonly process: ChildProcessWithoutNullStreams; readonly folder: string }> {
  // What Deno keeps for a program (localStorage, caches) lies in a folder that goes with the child.
  const folder = await makeFolder();
  const file = join(folder, "host.js");
  await writeFile(file, await hostText());
  const [program, ...args] = commandOf(deno, file, limits);
  const env = { DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  return { process: spawn(program!, args, { cwd: folder, env }), folder };
}

/** Writes messages to the process, and ends one that does not read them. */
export function writerTo(
  { stdin }: ChildProcessWithoutNullStreams,
  { unreadBytes }: Limits,
  kill: Kill,
): (message: ToChild) => void {
  return (message) => {
    stdin.write(`${JSON.stringify(message)}\n`);
    if (stdin.writableLength > unreadBytes) kill(new ConnectorFault("does not read what it asks for"));
  };
}

/** Through the shell, which sets limits of the process itself. */
function commandOf(deno: string, host: string, { heapMiB }: Limits): string[] {
  const command = [deno, "run", `--v8-flags=--max-old-space-size=${heapMiB}`, ...QUICK, ...CLOSED, host];
  if (process.platform === "win32") return command;
  return ["/bin/sh", "-c", `ulimit -c 0; ulimit -t ${MAX_CPU_S}; exec "$@"`, "sh", ...command];
}

/** Passes each line of the child on. */
export async function hear(
  process: ChildProcessWithoutNullStreams,
  { lineBytes }: Limits,
  calls: Pick<Calls, "take">,
  kill: Kill,
): Promise<void> {
  // endOf reports a child that has ended.
  process.stdin.on("error", () => {});
  try {
    for await (const line of linesOf(process.stdout, lineBytes)) {
      if (!calls.take(line)) kill(new ConnectorFault("wrote to standard output, which is the hub's"));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) return;
    kill(new ConnectorFault(`gave more than ${lineBytes / 2 ** 20} MiB at once: it should yield smaller pages`));
  }
}

/** Resolves when the process has ended, with why. */
export function endOf(process: ChildProcessWithoutNullStreams, { stderrBytes }: Limits): Promise<ConnectorFault> {
  let stderr = "";
  process.stderr.setEncoding("latin1");
  process.stderr.on("data", (text: string) => {
    stderr += text;
    if (stderr.length > stderrBytes) process.stderr.destroy();
  });
  return new Promise((resolve) => {
    process.once("error", (error) => resolve(new ConnectorFault(`could not be started: ${error.message}`)));
    process.once("close", (code, signal) => resolve(whyEnded(code, signal, stderr)));
  });
}

function whyEnded(code: number | null, signal: string | null, stderr: string): ConnectorFault {
  if (/out of memory/i.test(stderr)) return new ConnectorFault("took more memory than it may");
  if (signal === "SIGXCPU") return new ConnectorFault("took more processor time than it may");
  return new ConnectorFault(`ended by itself (${signal ?? `exit code ${code}`})`);
}
