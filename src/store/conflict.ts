/** Tells a broken unique index from other failures of a write, on libSQL and on D1 alike. */
import { causesOf } from "../std/causes.ts";

/** Whether `error`, or what caused it, is a unique index refusing a value; `about` is part of its name or columns. */
export function isUniqueViolation(error: unknown, about = ""): boolean {
  return causesOf(error).some(({ message }) =>
    message.includes("UNIQUE constraint failed") && sqliteText(message).includes(about)
  );
}

/** drizzle puts the query before SQLite's own words; only these name the index. */
function sqliteText(message: string): string {
  return message.slice(message.lastIndexOf("UNIQUE constraint failed"));
}
