/** The entry point on Node. src/node.js imports it after it has checked the version. */
import process from "node:process";
import { runCommand } from "./cli.ts";
import { installInflate } from "../runtime/inflate.ts";
import { createTerminal } from "../runtime/terminal.ts";

installInflate();

process.exit(await runCommand(process.argv.slice(2), createTerminal()));
