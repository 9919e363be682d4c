/**
 * Keeps a child's process waiting, started before anybody knows for which connector: most of the time of a child's start
 * is that of Deno itself. Such a process has run nobody's code; it is given away once, and another one takes its place.
 */
import { type Child, type ChildOptions, type Host, startChild, startHost } from "./child.ts";
import { findDeno } from "./deno-program.ts";
import { LIMITS, type Limits } from "./protocol.ts";

export interface WarmHost {
  /** As startChild: from the process that waits, or by starting one. */
  readonly start: typeof startChild;
  /** From now on a process waits. */
  open(): void;
  /** Ends the process that waits. No other one will. */
  close(): Promise<void>;
}

interface Waiting {
  readonly host: Promise<Host>;
  /** Ends it as long as nobody has it. */
  readonly stop: AbortController;
  /** Resolves once it has ended, or could not be started. */
  readonly ended: Promise<void>;
}

/** After so many that died in a row while they waited, none waits until a child is needed: the machine has no room for it. */
const MAX_DEATHS = 3;

/** One of a thread is enough: it is back before the next one is needed, and takes some 10 MB of memory. */
export function createWarmHost({ startOne = startHost }: { readonly startOne?: typeof startHost } = {}): WarmHost {
  let deno: string | null = null, deaths = 0;
  let waiting: Waiting | null = null;

  function fill(): void {
    if (deno === null || waiting !== null) return;
    const stop = new AbortController(), host = startOne({ deno, signal: stop.signal });
    const one = { host, stop, ended: host.then(({ ended }) => ended).then(() => {}, () => {}) };
    waiting = one;
    void one.ended.then(() => {
      if (waiting !== one) return;
      waiting = null;
      if (++deaths < MAX_DEATHS) fill();
    });
  }

  /** Null: none waits, or none that fits; or it has died before it could do anything. */
  async function fromWaiting(options: ChildOptions): Promise<Child | null> {
    if (waiting === null || options.deno !== deno || !isUsual(options.limits)) return null;
    const taken = waiting;
    waiting = null;
    deaths = 0;
    const host = await taken.host.catch(() => null);
    if (host === null) return null;
    try {
      return await host.load(options);
    } catch (error) {
      if (await host.ended) return null;
      throw error;
    }
  }

  return {
    async start(options) {
      try {
        return await fromWaiting(options) ?? await (await startOne(options)).load(options);
      } finally {
        // Not before: the code that is loaded needs the processor more.
        fill();
      }
    },
    open() {
      deno = findDeno();
      fill();
    },
    async close() {
      deno = null;
      const last = waiting;
      waiting = null;
      last?.stop.abort(new Error("The hub stops"));
      await last?.ended;
    },
  };
}

/** Whether the limits are those that a waiting process was started with, some of which are flags of its command. */
function isUsual(limits: Partial<Limits> = {}): boolean {
  return Object.entries(limits).every(([name, value]) => LIMITS[name as keyof Limits] === value);
}
