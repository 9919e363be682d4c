/** What a command is given: its terminal, which can also serve HTTP. And its exit codes. */
import type { Config, Environment } from "./config.ts";
import type { Hub } from "../hub.ts";
import type { ConnectionFigures } from "../model/metrics.ts";

/** Exit codes: done; done with rows in error; refused or failed; held by a guard. */
export const DONE = 0, ROW_ERRORS = 1, FAILED = 2, HELD = 3;

/** An HTTP server that is listening. */
export interface Listening {
  /** The port in use, also if the configured one is 0. */
  readonly port: number;
  /** Accepts no more requests, and gives those that have begun a few seconds to end. */
  close(): Promise<void>;
  figures(): ConnectionFigures;
}

/** Where to listen, and for how many connections. */
export interface ListenAt extends Pick<Config, "host" | "port" | "maxConnections" | "addressHeader"> {
  /** The owner of earlier accepted requests with this `authorization` header; undefined: it is not known. */
  readonly whose?: (authorization: string | undefined) => string | undefined;
}

/** `address`: the client's own, also behind a proxy; null: it is not known. */
export type Handler = (request: Request, address: string | null) => Response | Promise<Response>;

export interface Terminal {
  /** Writes one line to the standard output. */
  out(line: string): void;
  /** Writes the text to the error stream, without a line end. */
  err(text: string): void;
  /** Whether the standard output is a terminal, and not a log that is stored and that others may read. */
  readonly isWatched: boolean;
  /** Whether the error stream is a terminal that can show a progress bar. */
  readonly drawsBars: boolean;
  /** Asks a person, and resolves with the line that they typed; null: they ended it. Absent: nobody is at the terminal. */
  readonly ask?: (question: string) => Promise<string | null>;
  readonly env: Environment;
  /** URL of the working directory, with a trailing slash. */
  readonly base: string;
  listen(handler: Handler, at: ListenAt, log: Hub["log"]): Promise<Listening>;
  /**
   * Calls back for each uncaught error instead of ending the process, except when memory has run out. The result removes
   * the callback.
   */
  onUncaught(callback: (error: unknown) => void): () => void;
  /** Calls back on SIGINT and SIGTERM. The result removes the callback. */
  onInterrupt(callback: () => void): () => void;
}
