/** The door for Node, which src/node.js opens once it knows that this Node can. */
import process from "node:process";
import { runCommand } from "./cli.ts";
import { installInflate } from "../runtime/inflate.ts";
import { createTerminal } from "../runtime/terminal.ts";

installInflate();

process.exit(await runCommand(process.argv.slice(2), createTerminal()));
