/**
 * Calls into a child, several at a time, over its lines: each is answered once, has a time limit that every sign of life
 * renews, and fails when the child is over.
 */
import { ConnectorFault, crashOf, errorOf, textOf, textOfFault } from "./faults.ts";
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
  let asked = 0;
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
    const shows = SIGNS_OF_LIFE.has(what);
    try {
      if (++asked > limits.asks) return kill(new ConnectorFault(`asked for more than ${limits.asks} things at once`));
      const make = each !== undefined && Object.hasOwn(each.answers, what) ? each.answers[what] : undefined;
      if (each === undefined || make === undefined) throw new ConnectorFault("asked for something out of turn");
      // The hub has to act now, and the connector waits.
      if (shows) clearTimeout(each.timer);
      const value = await make(given as never);
      if (shows && waiting.get(of) === each) allow(each);
      write({ answer: id, value: value ?? null });
    } catch (error) {
      if (shows && each !== undefined && waiting.get(of) === each) allow(each);
      write({ answer: id, fault: textOfFault(error) });
    } finally {
      asked--;
    }
  }

  /** Takes what a child wrote, which may be anything that is JSON. */
  function hear(message: FromChild): void {
    if (has(message, "loaded")) settle(LOADING)?.resolve({ done: true, value: null });
    else if (has(message, "crash")) kill(crashOf(message.crash ?? {}, "did not catch"));
    else if (has(message, "log")) onLog(textOf(message.log) ?? "");
    else if (has(message, "ask")) void answer(message.ask, message.of, message.what, message.with);
    else if (has(message, "fault")) settle(message.fault)?.reject(errorOf(message.is));
    else if (has(message, "page")) settle(message.page)?.resolve({ done: false, value: message.is });
    else settle(message.value)?.resolve({ done: true, value: message.is });
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
      if (message !== null && over === null) hear(message);
      return message !== null;
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

/** Asks that renew the time of their call: by these a read goes on. The others could be asked for ever. */
const SIGNS_OF_LIFE: ReadonlySet<Ask> = new Set(["http", "chunk", "read", "feed", "page"]);

const WORDS = ["loaded", "crash", "log", "ask", "fault", "page", "value"];

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
