/**
 * A connector's child process: started without any permission, watched, and ended at its limits. Whatever the code in it
 * does, only its own calls fail.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Calls, createCalls } from "./calls.ts";
import { ConnectorFault } from "./faults.ts";
import { makeFolder, removeFolder } from "./folders.ts";
import { hostText } from "./host-text.ts";
import { linesOf } from "./lines.ts";
import { LIMITS, type Limits } from "./protocol.ts";
import { watchMemory } from "./watch-memory.ts";

export interface ChildOptions {
  /** Path of the Deno program. */
  readonly deno: string;
  /** The connector: one module, with nothing left to import but what Deno itself has. */
  readonly code: string;
  readonly limits?: Partial<Limits>;
  /** Takes what the connector logs; may contain whatever its author wrote. */
  readonly onLog?: (line: string) => void;
  /** Ends the process when it is aborted, also while it starts. */
  readonly signal?: AbortSignal;
}

export interface Child extends Pick<Calls, "call" | "pages"> {
  readonly pid: number;
  /** Ends the process at once, and removes what it may have left. Safe to repeat. */
  end(): Promise<void>;
}

/**
 * No permission is given, so all are refused. What is named here closes the ways past them: modules by URL, packages, a
 * configuration file nearby, and a question on the terminal.
 */
const CLOSED = ["--no-prompt", "--no-remote", "--no-npm", "--cached-only", "--deny-import", "--no-config", "--no-lock"];
/** What a child needs not, and would take time for at its start. */
const QUICK = ["--no-check", "--no-code-cache"];
/** A child in a loop whose hub was killed ends after so much processor time, in seconds. */
const MAX_CPU_S = 3_600;

/** Resolves once the code is loaded. Fails with a ConnectorFault. */
export async function startChild({ deno, code, onLog = () => {}, signal, ...options }: ChildOptions): Promise<Child> {
  const limits = { ...LIMITS, ...options.limits };
  signal?.throwIfAborted();
  // What Deno keeps for a program (localStorage, caches) lies in a folder that goes with the child.
  const folder = await makeFolder();
  const host = join(folder, "host.js");
  await writeFile(host, await hostText());
  const [program, ...args] = commandOf(deno, host, limits);
  const process = spawn(program!, args, {
    cwd: folder,
    env: { DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  });
  const kill = (reason: unknown) => {
    calls.fail(reason);
    process.kill("SIGKILL");
  };
  const calls = createCalls({
    limits,
    onLog,
    kill,
    write(message) {
      process.stdin.write(`${JSON.stringify(message)}\n`);
      if (process.stdin.writableLength > limits.unreadBytes) kill(new ConnectorFault("does not read what it asks for"));
    },
  });
  const stopWatch = watchMemory(process.pid ?? null, limits.residentMiB, () => {
    kill(new ConnectorFault(`took more than ${limits.residentMiB} MiB of memory`));
  });
  const stop = () => kill(signal!.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  const ended = endOf(process, limits).then(async (reason) => {
    stopWatch();
    signal?.removeEventListener("abort", stop);
    calls.fail(reason);
    await removeFolder(folder);
  });
  void hear(process, limits, calls, kill);
  const end = async () => {
    kill(new ConnectorFault("was ended by the hub"));
    await ended;
  };
  try {
    await calls.load(code);
  } catch (error) {
    await end();
    throw error;
  }
  return { pid: process.pid!, call: calls.call, pages: calls.pages, end };
}

/** Through the shell, which sets limits of the process itself. */
function commandOf(deno: string, host: string, { heapMiB }: Limits): string[] {
  const command = [deno, "run", `--v8-flags=--max-old-space-size=${heapMiB}`, ...QUICK, ...CLOSED, host];
  if (process.platform === "win32") return command;
  return ["/bin/sh", "-c", `ulimit -c 0; ulimit -t ${MAX_CPU_S}; exec "$@"`, "sh", ...command];
}

/** Passes each line of the child on. */
async function hear(
  process: ChildProcessWithoutNullStreams,
  { lineBytes }: Limits,
  calls: Calls,
  kill: (reason: unknown) => void,
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
function endOf(process: ChildProcessWithoutNullStreams, { stderrBytes }: Limits): Promise<ConnectorFault> {
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
