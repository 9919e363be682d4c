/**
 * An error and its causes, the outermost first. Ends at the first cause that is not an Error; in a circular chain, each
 * error comes once.
 */
export function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && !chain.includes(error); error = error.cause) chain.push(error);
  return chain;
}

/** The error's code if it is a string, such as `ENOSPC` or `SQLITE_BUSY`; else null. */
export function codeOf(error: Error): string | null {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : null;
}
