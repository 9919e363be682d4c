/**
 * An error and what caused it. In comes whatever was thrown; out come the errors of its chain, the outermost first.
 * Ends at the first cause that is not an Error. Of a chain that runs in a circle each error comes once.
 */
export function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && !chain.includes(error); error = error.cause) chain.push(error);
  return chain;
}

/** The error's code where it has one as a text, such as `ENOSPC` or `SQLITE_BUSY`; else null. */
export function codeOf(error: Error): string | null {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : null;
}
