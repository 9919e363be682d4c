/**
 * A connector's child process: started without any permission, watched, and ended at its limits. Whatever the code in it
 * does, only its own calls fail.
 */
import { type Calls, createCalls } from "./calls.ts";
import { ConnectorFault } from "./faults.ts";
import { removeFolder } from "./folders.ts";
import { endOf, hear, spawnHost, writerTo } from "./host-process.ts";
import { LIMITS, type Limits } from "./protocol.ts";
import { watchMemory } from "./watch-memory.ts";

export interface HostOptions {
  /** Path of the Deno program. */
  readonly deno: string;
  readonly limits?: Partial<Limits>;
  /** Ends the process when it is aborted, also while it starts. */
  readonly signal?: AbortSignal;
}

export interface ChildOptions extends HostOptions, LoadOptions {}

export interface LoadOptions {
  /** The connector: one module, with nothing left to import but what Deno itself has. */
  readonly code: string;
  /** Takes what the connector logs; may contain whatever its author wrote. */
  readonly onLog?: (line: string) => void;
  /** Ends the process when it is aborted. */
  readonly signal?: AbortSignal;
}

export interface Child extends Pick<Calls, "call" | "pages"> {
  readonly pid: number;
  /** Ends the process at once, and removes what it may have left. Safe to repeat. */
  end(): Promise<void>;
}

/** The process of a child that waits for a connector's code, and has run nobody's. */
export interface Host extends Pick<Child, "pid" | "end"> {
  /** Resolves once the process has ended and what it left is removed; true: it was not the hub that ended it. */
  readonly ended: Promise<boolean>;
  /** Makes it the child of this connector, for good: to be called once. Fails with a ConnectorFault. */
  load(options: LoadOptions): Promise<Child>;
}

/** Resolves once the code is loaded. Fails with a ConnectorFault. */
export async function startChild(options: ChildOptions): Promise<Child> {
  return await (await startHost(options)).load(options);
}

/** Resolves once the process waits for code. Fails with a ConnectorFault. */
export async function startHost({ deno, signal, ...options }: HostOptions): Promise<Host> {
  const limits = { ...LIMITS, ...options.limits };
  signal?.throwIfAborted();
  const { process, folder } = await spawnHost(deno, limits);
  let isKilled = false, onLog = (_: string) => {};
  const kill = (reason: unknown) => {
    isKilled = true;
    calls.fail(reason);
    process.kill("SIGKILL");
  };
  const write = writerTo(process, limits, kill);
  const calls = createCalls({ limits, kill, write, onLog: (line) => onLog(line) });
  const over = new AbortController();
  const endWith = (asked: AbortSignal | undefined) => {
    asked?.addEventListener("abort", () => kill(asked.reason), { once: true, signal: over.signal });
    if (asked?.aborted) kill(asked.reason);
  };
  endWith(signal);
  const ended = endOf(process, limits).then(async (reason) => {
    const byItself = !isKilled;
    over.abort();
    calls.fail(reason);
    await removeFolder(folder);
    return byItself;
  });
  void hear(process, limits, calls, kill);
  const end = async () => {
    kill(new ConnectorFault("was ended by the hub"));
    await ended;
  };
  const endAfter = async (error: unknown) => {
    await end();
    throw error;
  };
  await calls.ready().catch(endAfter);
  const pid = process.pid!;
  return {
    pid,
    ended,
    end,
    async load(given) {
      onLog = given.onLog ?? onLog;
      if (given.signal !== signal) endWith(given.signal);
      const stopWatch = watchMemory(pid, limits.residentMiB, () => {
        kill(new ConnectorFault(`took more than ${limits.residentMiB} MiB of memory`));
      });
      void ended.then(stopWatch);
      await calls.load(given.code).catch(endAfter);
      return { pid, call: calls.call, pages: calls.pages, end };
    },
  };
}
