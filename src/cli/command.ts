/** What a command of the command line is, and how its arguments are read. */
import { parseArgs } from "node:util";
import { Fault } from "../model/errors.ts";
import type { Terminal } from "../runtime/command.ts";

export interface Option {
  readonly type: "string" | "boolean";
  /** What help shows for the value of a string option, such as `SLUG`. */
  readonly value?: string;
  readonly help: string;
}

type Options = Readonly<Record<string, Option>>;

/** Values by option; those that were not given are absent. */
export type Values<O extends Options> = { readonly [K in keyof O]?: O[K]["type"] extends "boolean" ? boolean : string };

export interface Command {
  /** Its words after `muster`, such as `token create`. */
  readonly name: string;
  readonly summary: string;
  /** The positional argument, such as `FILE`; every command has at most one. */
  readonly argument?: string;
  readonly options: Options;
  /** Returns the exit code. `args`: what follows the name. Fails with `invalid_request` on arguments that do not fit. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** `run` is called with the parsed options, the terminal and, where there is one, the positional argument. */
export function defineCommand<O extends Options>(
  command: Omit<Command, "run" | "options"> & {
    readonly options: O;
    run(values: Values<O>, terminal: Terminal, argument: string): Promise<number>;
  },
): Command {
  return {
    ...command,
    async run(args, terminal) {
      const { values, argument } = readArgs(args, command.options, command.argument);
      return await command.run(values as Values<O>, terminal, argument);
    },
  };
}

function readArgs(args: readonly string[], options: Options, argument: string | undefined) {
  const refused = (message: string) => new Fault("invalid_request", `${message}; see muster --help`);
  let parsed;
  try {
    const types = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));
    parsed = parseArgs({ args: [...args], options: types, allowPositionals: true, strict: true });
  } catch (error) {
    throw refused((error as Error).message.split(". ")[0]!);
  }
  const { values, positionals } = parsed;
  const allowed = argument === undefined ? 0 : 1;
  if (positionals.length < allowed) throw refused(`${argument} is missing`);
  if (positionals.length > allowed) throw refused(`Unexpected argument "${positionals[allowed]}"`);
  return { values, argument: positionals[0] ?? "" };
}
