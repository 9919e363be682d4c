/**
 * What the hub and a connector's child process write to each other: one JSON text a line. The first line to the child is
 * the connector's code.
 *
 * The hub calls the child, and while a call lasts the child asks the hub. The pages of a fetch are called for one by one,
 * so that a connector never runs ahead of what has been stored.
 */
import type { SourceFaultKind } from "../../connector.ts";
import type { NoRecord } from "../../runs/no-record.ts";

/** What can be called in a child. */
export type Call = "describe" | "configure" | "check" | "fetch" | "normalize" | "migrate";

/** What a connector asks of the hub while `check` or `fetch` lasts. */
export type Ask =
  | "http"
  | "chunk"
  | "read"
  | "feed"
  | "page"
  | "save"
  | "startOver"
  | "expectTotal"
  | "warn";

export type ToChild =
  | { readonly load: string }
  | { readonly call: number; readonly what: Call; readonly with: unknown }
  /** The next page of a fetch. */
  | { readonly next: number }
  | { readonly answer: number; readonly value?: unknown; readonly fault?: FaultText };

export type FromChild =
  /** The process has started, and waits for the code. */
  | { readonly ready: true }
  | { readonly loaded: true }
  | { readonly value: number; readonly is?: unknown }
  | { readonly page: number; readonly is: unknown }
  | { readonly fault: number; readonly is: FaultText }
  | { readonly ask: number; readonly of: number; readonly what: Ask; readonly with: unknown }
  | { readonly log: string; readonly of: number | null }
  /** An error that nobody caught, or code that cannot be loaded: the child ends. */
  | { readonly crash: FaultText };

/** An error as a text: only a SourceFault's message is given, as others may quote a person. */
export interface FaultText {
  readonly kind: SourceFaultKind | "connector";
  readonly message: string;
  /** The class of the error, such as `TypeError`. */
  readonly name?: string;
  /** The connector's function that threw it, where that is not the call's own. */
  readonly within?: string;
  /** It threw nothing, but gave what it may not. */
  readonly wrong?: Wrong;
  /** Line and column within the loaded code, both from 1. */
  readonly at?: readonly [line: number, column: number];
}

/** What a connector gave that it may not: of `fetch` and `check`, and what `normalize` gave for a record. */
export type Wrong = "generator" | "page" | "json" | "check" | NoRecord;

/** A page in place of all rows of the drop, as the hub's own readers read them: they need not go here and back. */
export interface AllOfDrop {
  readonly allOfDrop: true;
}

/** The request of the ask `http`. */
export interface HttpAsk {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly base64?: string;
  readonly timeoutMs?: number;
}

/** The answer to `http`. Its body is asked for chunk by chunk, with `chunk`; null: it has none. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: number | null;
}

/** The next piece of a body, in base64; null: its end. `cancel`: it is not read any further. */
export interface ChunkAsk {
  readonly body: number;
  readonly cancel?: boolean;
}

/** A body that the hub reads by its own readers: one of a response, or null for one that the child feeds. */
export interface ReadAsk {
  readonly body: number | null;
  readonly contentType?: string;
  readonly name?: string;
}

/** A piece of a body that is fed; null: its end. */
export interface FeedAsk {
  readonly reader: number;
  readonly base64: string | null;
}

/** What a child may take. */
export interface Limits {
  /** Of JavaScript's own heap. */
  readonly heapMiB: number;
  /** Of the whole process. */
  readonly residentMiB: number;
  /** Until the process has started. How long that takes is the machine's doing, not the connector's. */
  readonly startMs: number;
  /** Until the code is loaded. */
  readonly loadMs: number;
  /** Of one call, but for `check` and `fetch`. */
  readonly callMs: number;
  /** How long `check` may give nothing, and get no answer of its source: a person waits for it. */
  readonly checkMs: number;
  /** How long `fetch` may give no page, and get no answer of its source. */
  readonly idleMs: number;
  /** How many answers it may wait for at a time. */
  readonly asks: number;
  /** Of answers that it does not read, and of questions that wait for their answers, in bytes. */
  readonly unreadBytes: number;
  /** Of lines that it logs from one page, or one answer, to the next. */
  readonly logLines: number;
  /** Of one line from the child. */
  readonly lineBytes: number;
  /** Of all that it writes to standard error. More is not read. */
  readonly stderrBytes: number;
}

export const LIMITS: Limits = {
  heapMiB: 192,
  residentMiB: 512,
  startMs: 60_000,
  loadMs: 10_000,
  callMs: 10_000,
  checkMs: 30_000,
  idleMs: 300_000,
  asks: 1_000,
  unreadBytes: 64 * 1024 * 1024,
  logLines: 10_000,
  lineBytes: 16 * 1024 * 1024,
  stderrBytes: 64 * 1024,
};
