/** Tells a violated unique index from other errors of a write, on libSQL and on D1 alike. */
import { causesOf } from "../std/causes.ts";

/** Whether `error`, or its cause, is a violated unique index; `about` is part of its name or columns. */
export function isUniqueViolation(error: unknown, about = ""): boolean {
  return causesOf(error).some(({ message }) =>
    message.includes("UNIQUE constraint failed") && sqliteText(message).includes(about)
  );
}

/** drizzle puts the query before SQLite's own message, which names the index. */
function sqliteText(message: string): string {
  return message.slice(message.lastIndexOf("UNIQUE constraint failed"));
}
