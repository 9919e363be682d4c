/** Tells a broken unique index from other failures of a write, on libSQL and on D1 alike. */

/** Whether `error`, or what caused it, is a unique index refusing a value; `about` is part of its name or columns. */
export function isUniqueViolation(error: unknown, about = ""): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes("UNIQUE constraint failed") && sqliteText(cause.message).includes(about)) return true;
  }
  return false;
}

/** drizzle puts the query before SQLite's own words; only these name the index. */
function sqliteText(message: string): string {
  return message.slice(message.lastIndexOf("UNIQUE constraint failed"));
}
