/** What an error says about itself that never quotes data: its name, and the place in the code. */

/** The error's name; for what is no Error, its type. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name.slice(0, 100) : typeof error;
}

/** File, line and column that threw the error; null: not known. Not its message, which may quote a source. */
export function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? error.stack?.slice(`${error.name}: ${error.message}`.length) ?? "" : "";
  return /[\w.-]+\.[cm]?[jt]s:\d+:\d+/.exec(stack)?.[0] ?? null;
}
