/** The command line: finds the command, runs it, and turns Faults into messages. Entry points bring the terminal. */
import { readFile } from "node:fs/promises";
import { DONE, FAILED, type Terminal } from "../runtime/command.ts";
import { Fault } from "../model/errors.ts";
import { COMMANDS } from "./commands.ts";
import { HELP } from "./help.ts";
import { describeTrouble, mayBeDone } from "../store/trouble.ts";

/** Runs the command and returns its exit code. Never throws. */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (argv.length === 0 || argv.includes("--help") || argv.includes("-h")) {
    terminal.out(HELP);
    return argv.length === 0 ? FAILED : DONE;
  }
  if (argv[0] === "--version" || argv[0] === "-v") {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    terminal.out(manifest.version);
    return DONE;
  }
  const words = argv.slice(0, 2).join(" ");
  const command = COMMANDS.find(({ name }) => name === words || name === argv[0]);
  if (command === undefined) {
    terminal.err(`There is no command "${words}"; see muster --help\n`);
    return FAILED;
  }
  try {
    return await command.run(argv.slice(command.name.split(" ").length), terminal);
  } catch (error) {
    terminal.err(describeFailure(error));
    return FAILED;
  }
}

function describeFailure(error: unknown): string {
  const trouble = error instanceof Fault ? null : describeTrouble(error);
  if (trouble !== null) {
    return `${trouble}${mayBeDone(error) ? ". What was asked may have been done: look first" : ""}\n`;
  }
  if (!(error instanceof Fault)) return `Muster failed: ${error instanceof Error ? error.stack : error}\n`;
  const cause = error.cause instanceof Error ? `Because: ${error.cause.message.split("\n")[0]}\n` : "";
  return `${error.message}\n${cause}`;
}
