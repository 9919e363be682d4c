/** The entry point on Deno. */
import process from "node:process";
import { runCommand } from "./cli/cli.ts";
import { createTerminal } from "./runtime/terminal.ts";

/** The part of Deno's own API that is used here. */
declare const Deno: { args: string[] };

process.exit(await runCommand(Deno.args, createTerminal()));
