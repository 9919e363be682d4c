/** The door for Deno. */
import process from "node:process";
import { runCommand } from "./cli/cli.ts";
import { createTerminal } from "./runtime/terminal.ts";

/** The part of Deno's own API that this door needs. */
declare const Deno: { args: string[] };

process.exit(await runCommand(Deno.args, createTerminal()));
