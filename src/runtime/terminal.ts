/** The terminal of a process on Deno or Node. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Terminal } from "./command.ts";
import { keepFilesPrivate } from "./private-files.ts";
import { onUncaught } from "./uncaught.ts";

export function createTerminal(): Terminal {
  keepFilesPrivate();
  // The process goes on when its output is closed. Logging that error would fail again and again.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (text) => process.stderr.write(text),
    isWatched: process.stdout.isTTY === true,
    drawsBars: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    ask: process.stdin.isTTY === true ? ask : undefined,
    env: process.env,
    base: pathToFileURL(`${process.cwd()}/`).href,
    // Loaded only where it is used: most commands serve nothing.
    listen: async (...server) => await (await import("./http-server.ts")).startHttpServer(...server),
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      process.on("SIGTERM", callback);
      return () => {
        process.off("SIGINT", callback);
        process.off("SIGTERM", callback);
      };
    },
    onUncaught,
  };
}

async function ask(question: string): Promise<string | null> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // A question stays open for ever where the input ends, or is interrupted.
  const closed = new Promise<null>((resolve) => lines.once("close", () => resolve(null)));
  try {
    return await Promise.race([lines.question(question), closed]);
  } catch {
    return null;
  } finally {
    lines.close();
  }
}
