/** What a command is: its arguments and the terminal in, an exit code out. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Config, Environment } from "./config.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import type { ConnectionFigures } from "../model/metrics.ts";

/** Exit codes: all done; done with rows in error; refused or failed; held by a guard. */
export const DONE = 0, ROW_ERRORS = 1, FAILED = 2, HELD = 3;

/** Serves HTTP until it is closed; each runtime has its own way. */
export interface Listening {
  /** The one that was chosen, where 0 was asked for. */
  readonly port: number;
  /** Takes no more requests, and lets those at hand end for a little while. */
  close(): Promise<void>;
  figures(): ConnectionFigures;
}

/** Where to listen, and for how many. */
export interface ListenAt extends Pick<Config, "host" | "port" | "maxConnections" | "addressHeader"> {
  /** Whose requests came with this header before, and were let in; undefined: nobody's that is known. */
  readonly whose?: (authorization: string | undefined) => string | undefined;
}

/** `address`: of the client, also where a proxy stands before the hub; null: not known. */
export type Handler = (request: Request, address: string | null) => Response | Promise<Response>;

export interface Terminal {
  /** One line to the standard output. */
  out(line: string): void;
  /** Text to the error stream, as it is. */
  err(text: string): void;
  /** Whether the standard output goes to a terminal, and not to a log that is kept and that others read. */
  readonly isWatched: boolean;
  /** Whether the error stream is a terminal that a bar can be drawn on. */
  readonly drawsBars: boolean;
  readonly env: Environment;
  /** URL of the working directory, with a slash at its end. */
  readonly base: string;
  listen(handler: Handler, at: ListenAt, log: Hub["log"]): Promise<Listening>;
  /**
   * From now on an error that nobody caught is told and survived, until this is taken back. A process that has no memory
   * left ends all the same.
   */
  onUncaught(callback: (error: unknown) => void): () => void;
  /** Calls back when the process is asked to end; gives what takes the call back. */
  onInterrupt(callback: () => void): () => void;
}

export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

/** parseArgs with Muster's own words for what is wrong, and `--help` understood by every command. */
export function readArgs<Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: Options,
  positionals: readonly string[] = [],
) {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new Fault("invalid_request", `${(error as Error).message.split(". ")[0]}; "--help" shows what there is`);
  }
  const missing = positionals[parsed.positionals.length];
  if (missing !== undefined) throw new Fault("invalid_request", `${missing} is missing; "--help" shows what there is`);
  if (parsed.positionals.length > positionals.length) {
    throw new Fault("invalid_request", `"${parsed.positionals[positionals.length]}" is one argument too many`);
  }
  return parsed;
}
