/**
 * Calls into a child, several at a time, over its lines: each is answered once, has a time limit that every sign of life
 * renews, and fails when the child is over.
 */
import { type CallClock, createCallClock, type Meanwhile } from "./call-clock.ts";
import { ConnectorFault, crashOf, errorOf, textOf, textOfFault } from "./faults.ts";
import type { Ask, Call, FromChild, Limits, ToChild } from "./protocol.ts";

/**
 * Answers what the connector asks while a call lasts. What it throws, the connector gets as a fault. The call's time does
 * not run in `meanwhile`.
 */
export type Answers = Partial<Record<Ask, (given: never, meanwhile: Meanwhile) => unknown>>;

export interface CallOptions {
  readonly answers?: Answers;
  /** Ends the child when it is aborted: there is no other way to stop its code. */
  readonly signal?: AbortSignal;
}

export interface Calls {
  /** Resolves when the process waits for code. */
  ready(): Promise<void>;
  /** Resolves when the code is loaded. */
  load(code: string): Promise<void>;
  /** Fails with a ConnectorFault, or a SourceFault that the connector threw. */
  call<T>(what: Exclude<Call, "fetch">, given: unknown, options?: CallOptions): Promise<T>;
  /** The pages of `fetch`, each made when it is asked for, and what `fetch` returned. */
  pages<T, R>(given: unknown, options?: CallOptions): AsyncGenerator<T, R>;
  /** Takes one line of the child. False: it is no message. */
  take(line: string): boolean;
  /** Fails all calls that last and that come. The first reason counts. */
  fail(reason: unknown): void;
}

/** A call from its beginning to its end: that of a fetch lasts, too, while its pages are stored. */
interface Lasting {
  readonly answers: Answers;
  readonly clock: CallClock;
}

interface Waiting {
  readonly resolve: (given: Given) => void;
  readonly reject: (error: unknown) => void;
}

/** `done`: the call is over. Otherwise `value` is one of its pages. */
type Given = { readonly done: boolean; readonly value: unknown };

/** Of a line of the log, in characters. */
const MAX_LOGGED = 2_000;
/** Calls are numbered from 1; what comes before them has numbers, too. */
const STARTING = -1, LOADING = 0;

export interface CallsOptions {
  readonly limits: Limits;
  readonly write: (message: ToChild) => void;
  readonly onLog: (line: string) => void;
  /** Ends the child's process, for this reason. */
  readonly kill: (reason: unknown) => void;
}

export function createCalls({ limits, write, onLog, kill }: CallsOptions): Calls {
  const lasting = new Map<number, Lasting>(), waiting = new Map<number, Waiting>();
  let calls = LOADING;
  /** Questions that are not answered yet, the bytes of their lines, and lines of log since the last answer. */
  let asked = 0, askedBytes = 0, logged = 0;
  let over: { readonly reason: unknown } | null = null;

  function begin(id: number, what: What, { answers = {} }: CallOptions = {}): void {
    const ms = msFor(what, limits);
    lasting.set(id, { answers, clock: createCallClock(ms, () => kill(tooLate(what, ms / 1000))) });
  }

  /** `message`: null where the child begins by itself. */
  function send(id: number, message: ToChild | null, { signal }: CallOptions = {}): Promise<Given> {
    return new Promise<Given>((resolve, reject) => {
      if (over !== null) return reject(over.reason);
      signal?.throwIfAborted();
      const stop = () => kill(signal!.reason);
      signal?.addEventListener("abort", stop, { once: true });
      const { clock } = lasting.get(id)!;
      const settled = <V>(then: (value: V) => void) => (value: V) => {
        clock.rest();
        signal?.removeEventListener("abort", stop);
        then(value);
      };
      waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      clock.begin();
      if (message !== null) write(message);
    });
  }

  async function call<T>(id: number, what: What, message: ToChild | null, options?: CallOptions): Promise<T> {
    begin(id, what, options);
    try {
      return (await send(id, message, options)).value as T;
    } finally {
      lasting.delete(id);
    }
  }

  /** The call that this answers. A child that answers anything else keeps to no order, and is ended. */
  function answered(id: number): Waiting | undefined {
    const each = waiting.get(id);
    waiting.delete(id);
    logged = 0;
    if (each === undefined) kill(new ConnectorFault("answered what it was not asked"));
    return each;
  }

  async function answer(id: number, of: number, what: Ask, given: unknown, bytes: number): Promise<void> {
    asked++;
    askedBytes += bytes;
    try {
      if (asked > limits.asks) return kill(new ConnectorFault(`asked for more than ${limits.asks} things at once`));
      if (askedBytes > limits.unreadBytes) {
        return kill(new ConnectorFault(`asked for more than ${limits.unreadBytes / 2 ** 20} MiB of things at once`));
      }
      const each = lasting.get(of);
      const make = each !== undefined && Object.hasOwn(each.answers, what) ? each.answers[what] : undefined;
      if (each === undefined || make === undefined) throw new Error("It asked for something out of turn");
      const value = await make(given as never, each.clock.meanwhile);
      if (SIGNS_OF_LIFE.has(what)) each.clock.renew();
      write({ answer: id, value: value ?? null });
    } catch (error) {
      if (error instanceof ConnectorFault) kill(error);
      else write({ answer: id, fault: textOfFault(error) });
    } finally {
      asked--;
      askedBytes -= bytes;
    }
  }

  function log(given: unknown): void {
    if (++logged > limits.logLines) {
      return kill(new ConnectorFault(`logged more than ${limits.logLines} lines at once`));
    }
    onLog((textOf(given) ?? "").slice(0, MAX_LOGGED));
  }

  /** Takes what a child wrote, which may be anything that is JSON. `bytes`: of its line. */
  function hear(message: FromChild, bytes: number): void {
    if (has(message, "ready")) answered(STARTING)?.resolve({ done: true, value: null });
    else if (has(message, "loaded")) answered(LOADING)?.resolve({ done: true, value: null });
    else if (has(message, "crash")) kill(crashOf(message.crash ?? {}, "did not catch"));
    else if (has(message, "log")) log(message.log);
    else if (has(message, "ask")) void answer(message.ask, message.of, message.what, message.with, bytes);
    else if (has(message, "fault")) answered(message.fault)?.reject(errorOf(message.is));
    else if (has(message, "page")) answered(message.page)?.resolve({ done: false, value: message.is });
    else answered(message.value)?.resolve({ done: true, value: message.is });
  }

  return {
    ready: () => call(STARTING, "start", null),
    load: (code) => call(LOADING, "load", { load: code }),
    call<T>(what: Exclude<Call, "fetch">, given: unknown, options?: CallOptions): Promise<T> {
      const id = ++calls;
      return call<T>(id, what, { call: id, what, with: given }, options);
    },
    async *pages<T, R>(given: unknown, options?: CallOptions): AsyncGenerator<T, R> {
      const id = ++calls;
      let next: ToChild = { call: id, what: "fetch", with: given };
      begin(id, "fetch", options);
      try {
        for (;;) {
          const { done, value } = await send(id, next, options);
          if (done) return value as R;
          yield value as T;
          next = { next: id };
        }
      } finally {
        lasting.delete(id);
      }
    },
    take(line) {
      const message = parse(line);
      if (message !== null && over === null) hear(message, line.length);
      return message !== null;
    },
    fail(reason) {
      over ??= { reason };
      for (const each of waiting.values()) each.reject(over.reason);
      waiting.clear();
    },
  };
}

type What = Call | "start" | "load";

function msFor(what: What, { startMs, loadMs, callMs, checkMs, idleMs }: Limits): number {
  if (what === "start") return startMs;
  if (what === "load") return loadMs;
  if (what === "check") return checkMs;
  return what === "fetch" ? idleMs : callMs;
}

function tooLate(what: What, seconds: number): ConnectorFault {
  if (what === "start") return new ConnectorFault(`had no process within ${seconds} s: the machine is too busy`);
  if (what === "load") return new ConnectorFault(`did not load within ${seconds} s`);
  const where = what === "configure" ? '"settings", "auth" or "hosts"' : `"${what}"`;
  return new ConnectorFault(`did nothing for ${seconds} s in ${where}`);
}

/** Asks that renew the time of their call, beside answers of the source. The others could be asked for ever. */
const SIGNS_OF_LIFE: ReadonlySet<Ask> = new Set(["feed", "page"]);

const WORDS = ["ready", "loaded", "crash", "log", "ask", "fault", "page", "value"];

function has<M extends object, K extends PropertyKey>(message: M, word: K): message is Extract<M, Record<K, unknown>> {
  return Object.hasOwn(message, word);
}

/** Null: it is no message. A connector can write to its standard output, too. */
function parse(line: string): FromChild | null {
  try {
    const message = JSON.parse(line);
    const isMessage = typeof message === "object" && message !== null &&
      WORDS.some((word) => Object.hasOwn(message, word));
    return isMessage ? message : null;
  } catch {
    return null;
  }
}
