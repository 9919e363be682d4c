/**
 * Calls into a child, several at a time, over its lines: each is answered once, has a time limit that every sign of life
 * renews, and fails when the child is over.
 */
import { ConnectorFault, crashOf, errorOf, textOfFault } from "./faults.ts";
import type { Ask, Call, FromChild, Limits, ToChild } from "./protocol.ts";

/** Answers what the connector asks while a call lasts. What it throws, the connector gets as a fault. */
export type Answers = Partial<Record<Ask, (given: never) => unknown>>;

export interface CallOptions {
  readonly answers?: Answers;
  /** Ends the child when it is aborted: there is no other way to stop its code. */
  readonly signal?: AbortSignal;
}

export interface Calls {
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

interface Waiting {
  readonly what: Call | "load";
  readonly answers: Answers;
  readonly resolve: (given: Given) => void;
  readonly reject: (error: unknown) => void;
  timer?: ReturnType<typeof setTimeout>;
}

/** `done`: the call is over. Otherwise `value` is one of its pages. */
type Given = { readonly done: boolean; readonly value: unknown };

/** Calls are numbered from 1; loading is the call 0. */
const LOADING = 0;

export interface CallsOptions {
  readonly limits: Limits;
  readonly write: (message: ToChild) => void;
  readonly onLog: (line: string) => void;
  /** Ends the child's process, for this reason. */
  readonly kill: (reason: unknown) => void;
}

export function createCalls({ limits, write, onLog, kill }: CallsOptions): Calls {
  const waiting = new Map<number, Waiting>();
  let calls = LOADING;
  let over: { readonly reason: unknown } | null = null;

  /** Each call has its time anew with each page and each question. */
  function allow(each: Waiting): void {
    clearTimeout(each.timer);
    const ms = msFor(each.what, limits);
    each.timer = setTimeout(() => kill(new ConnectorFault(`did nothing for ${ms / 1000} s in "${each.what}"`)), ms);
  }

  function send(id: number, what: Waiting["what"], message: ToChild, options: CallOptions = {}): Promise<Given> {
    const { answers = {}, signal } = options;
    return new Promise<Given>((resolve, reject) => {
      if (over !== null) return reject(over.reason);
      signal?.throwIfAborted();
      const stop = () => kill(signal!.reason);
      signal?.addEventListener("abort", stop, { once: true });
      const settled = <V>(then: (value: V) => void) => (value: V) => {
        clearTimeout(each.timer);
        signal?.removeEventListener("abort", stop);
        then(value);
      };
      const each: Waiting = { what, answers, resolve: settled(resolve), reject: settled(reject) };
      waiting.set(id, each);
      allow(each);
      write(message);
    });
  }

  function settle(id: number): Waiting | undefined {
    const each = waiting.get(id);
    waiting.delete(id);
    return each;
  }

  async function answer(id: number, of: number, what: Ask, given: unknown): Promise<void> {
    const each = waiting.get(of);
    try {
      const make = each?.answers[what];
      if (each === undefined || make === undefined) throw new ConnectorFault(`asked for "${what}" out of turn`);
      // The hub has to act now, and the connector waits.
      clearTimeout(each.timer);
      const value = await make(given as never);
      if (waiting.get(of) === each) allow(each);
      write({ answer: id, value: value ?? null });
    } catch (error) {
      if (each !== undefined && waiting.get(of) === each) allow(each);
      write({ answer: id, fault: textOfFault(error) });
    }
  }

  return {
    async load(code) {
      await send(LOADING, "load", { load: code });
    },
    async call<T>(what: Exclude<Call, "fetch">, given: unknown, options?: CallOptions): Promise<T> {
      const id = ++calls;
      return (await send(id, what, { call: id, what, with: given }, options)).value as T;
    },
    async *pages<T, R>(given: unknown, options?: CallOptions): AsyncGenerator<T, R> {
      const id = ++calls;
      let next: ToChild = { call: id, what: "fetch", with: given };
      for (;;) {
        const { done, value } = await send(id, "fetch", next, options);
        if (done) return value as R;
        yield value as T;
        next = { next: id };
      }
    },
    take(line) {
      const message = parse(line);
      if (message === null) return false;
      if ("loaded" in message) settle(LOADING)?.resolve({ done: true, value: null });
      else if ("crash" in message) kill(crashOf(message.crash ?? {}, "did not catch"));
      else if ("log" in message) onLog(String(message.log));
      else if ("ask" in message) void answer(message.ask, message.of, message.what, message.with);
      else if ("fault" in message) settle(message.fault)?.reject(errorOf(message.is));
      else if ("page" in message) settle(message.page)?.resolve({ done: false, value: message.is });
      else settle(message.value)?.resolve({ done: true, value: message.is });
      return true;
    },
    fail(reason) {
      over ??= { reason };
      for (const each of waiting.values()) each.reject(over.reason);
      waiting.clear();
    },
  };
}

function msFor(what: Waiting["what"], { loadMs, callMs, idleMs }: Limits): number {
  if (what === "load") return loadMs;
  return what === "fetch" || what === "check" ? idleMs : callMs;
}

const WORDS = ["loaded", "crash", "log", "ask", "fault", "page", "value"];

/** Null: it is no message. A connector can write to its standard output, too. */
function parse(line: string): FromChild | null {
  try {
    const message = JSON.parse(line);
    const isMessage = typeof message === "object" && message !== null && WORDS.some((word) => word in message);
    return isMessage ? message : null;
  } catch {
    return null;
  }
}
