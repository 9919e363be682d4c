/** The hub's log: one JSON line per event, on the error stream. */
import type { Hub } from "../hub.ts";
import { redact } from "../security/redact.ts";
import { causesOf } from "../std/causes.ts";
import { describeTrouble } from "../store/trouble.ts";

/** `write` is called with complete lines. */
export function createLog(write: (line: string) => void): Hub["log"] {
  return (event, details) =>
    write(`${redact(JSON.stringify({ time: new Date().toISOString(), event, ...details }))}\n`);
}

/** An unknown error for the log: its class and code, but not its message, which may contain people's data. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return "a non-Error value";
  const { code } = error as { code?: unknown };
  return typeof code === "string" || typeof code === "number" ? `${error.name} ${code}` : error.name;
}

/** An error of the hub for the log: class and message, with those of its causes; one sentence for an error of the database. */
export function describeError(error: unknown): { error: string } {
  const trouble = describeTrouble(error);
  if (trouble !== null) return { error: trouble };
  const parts = causesOf(error).slice(0, 5).map(({ name, message }) =>
    `${name}: ${message.split("\n")[0]!.slice(0, 300)}`
  );
  return { error: parts.length > 0 ? parts.join(", caused by ") : "a non-Error value was thrown" };
}
