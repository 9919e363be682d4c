/** The command line: which command it is, and what becomes of a Fault. The doors give the terminal. */
import { readFile } from "node:fs/promises";
import { type Command, DONE, FAILED, type Terminal } from "../runtime/command.ts";
import { verify } from "./audit.ts";
import { listConnectors } from "./connectors.ts";
import { HELP } from "./help.ts";
import { importFile } from "./import.ts";
import { rotateKey } from "./key.ts";
import { createOrg } from "./org.ts";
import { createToken } from "./token.ts";
import { Fault } from "../model/errors.ts";

/** Servers are loaded when they are called for: what imports a file should not hold one in memory. */
const COMMANDS: Readonly<Record<string, () => Command | Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serve,
  bridge: async () => (await import("./bridge.ts")).bridge,
  import: () => importFile,
  "token create": () => createToken,
  "org create": () => createOrg,
  "key rotate": () => rotateKey,
  connectors: () => listConnectors,
  "audit verify": () => verify,
};

/** Carries out the command; gives its exit code. Never throws. */
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
  const name = [argv.slice(0, 2).join(" "), argv[0]!].find((name) => Object.hasOwn(COMMANDS, name));
  if (name === undefined) {
    terminal.err(`There is no command "${argv.slice(0, 2).join(" ")}"; "--help" shows what there is\n`);
    return FAILED;
  }
  try {
    const command = await COMMANDS[name]!();
    return await command(argv.slice(name.split(" ").length), terminal);
  } catch (error) {
    if (!(error instanceof Fault)) {
      terminal.err(`Muster failed: ${error instanceof Error ? error.stack : error}\n`);
      return FAILED;
    }
    terminal.err(`${error.message}\n`);
    const cause = error.cause instanceof Error ? error.cause.message.split("\n")[0] : null;
    if (cause !== null) terminal.err(`Because: ${cause}\n`);
    return FAILED;
  }
}
