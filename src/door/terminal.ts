/** The terminal of a process on Deno or Node, all but its way of serving HTTP. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Terminal } from "../cli/command.ts";

export function createTerminal(listen: Terminal["listen"]): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (text) => process.stderr.write(text),
    drawsBars: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    env: process.env,
    base: pathToFileURL(`${process.cwd()}/`).href,
    listen,
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      process.on("SIGTERM", callback);
      return () => {
        process.off("SIGINT", callback);
        process.off("SIGTERM", callback);
      };
    },
  };
}

/** How long requests at hand may take once the server is to close. */
export const CLOSE_MS = 5_000;

/** The Fault's message for an address that cannot be listened at. */
export function cannotListen(at: { readonly host: string; readonly port: number }, error: unknown): string {
  const taken = error instanceof Error && /EADDRINUSE|AddrInUse|in use/.test(`${error.name} ${error.message}`);
  return `Cannot listen at ${at.host}:${at.port}: ` +
    (taken
      ? "something else does already; set PORT to another port"
      : "PORT and HOST should be free and this machine's");
}
