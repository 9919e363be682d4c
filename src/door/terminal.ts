/** The terminal of a process on Deno or Node, all but its way of serving HTTP. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { FAILED, type Terminal } from "../cli/command.ts";
import { startHttpServer } from "./http-server.ts";
import { keepFilesPrivate } from "./private-files.ts";

export function createTerminal(): Terminal {
  keepFilesPrivate();
  // Where nobody reads any more what is said, all else goes on. Saying that in the log would fail again, without end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (text) => process.stderr.write(text),
    isWatched: process.stdout.isTTY === true,
    drawsBars: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    env: process.env,
    base: pathToFileURL(`${process.cwd()}/`).href,
    listen: startHttpServer,
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      process.on("SIGTERM", callback);
      return () => {
        process.off("SIGINT", callback);
        process.off("SIGTERM", callback);
      };
    },
    onUncaught(callback) {
      const caught = (error: unknown) => {
        callback(error);
        if (isOutOfMemory(error)) process.exit(FAILED);
      };
      process.on("uncaughtException", caught);
      process.on("unhandledRejection", caught);
      return () => {
        process.off("uncaughtException", caught);
        process.off("unhandledRejection", caught);
      };
    },
  };
}

/** After which nothing can be relied on. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return code === "ENOMEM" || code === "ERR_MEMORY_ALLOCATION_FAILED" ||
    /out of memory|allocation failed/i.test(error.message);
}
