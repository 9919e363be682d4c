/** The command line: which command it is, and what becomes of a Fault. The doors give the terminal. */
import { readFile } from "node:fs/promises";
import { type Command, DONE, FAILED, type Terminal } from "./cli/command.ts";
import { HELP } from "./cli/help.ts";
import { Fault } from "./errors.ts";

/** Each is loaded when it is called for: one that imports a file should not hold a server in memory. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./cli/serve.ts")).serve,
  bridge: async () => (await import("./cli/bridge.ts")).bridge,
  import: async () => (await import("./cli/import.ts")).importFile,
  "token create": async () => (await import("./cli/token.ts")).createToken,
  "org create": async () => (await import("./cli/org.ts")).createOrg,
  "key rotate": async () => (await import("./cli/key.ts")).rotateKey,
  connectors: async () => (await import("./cli/connectors.ts")).listConnectors,
  "audit verify": async () => (await import("./cli/audit.ts")).verify,
};

/** Carries out the command; gives its exit code. Never throws. */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (argv.length === 0 || argv.includes("--help") || argv.includes("-h")) {
    terminal.out(HELP);
    return argv.length === 0 ? FAILED : DONE;
  }
  if (argv[0] === "--version" || argv[0] === "-v") {
    const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
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
