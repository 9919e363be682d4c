/** The hub's log: one JSON line per event, on the error stream. */
import type { Hub } from "../hub.ts";
import { redact } from "../security/redact.ts";
import { causesOf } from "../std/causes.ts";

/** `write` gets whole lines. */
export function createLog(write: (line: string) => void): Hub["log"] {
  return (event, details) =>
    write(`${redact(JSON.stringify({ time: new Date().toISOString(), event, ...details }))}\n`);
}

/** What a log may say of an error of which nothing is known: its class and code, and no word of its message. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no error";
  const { code } = error as { code?: unknown };
  return typeof code === "string" || typeof code === "number" ? `${error.name} ${code}` : error.name;
}

/** What a log may say of an error: its kind and message, and those of what it was caused by. */
export function describeError(error: unknown): { error: string } {
  // Query builders put the values of a statement, which are people's data, behind its text.
  const parts = causesOf(error).slice(0, 5).map(({ name, message }) =>
    `${name}: ${message.split("\n")[0]!.slice(0, 300)}`
  );
  return { error: parts.length > 0 ? parts.join(", caused by ") : "something that is no error was thrown" };
}
