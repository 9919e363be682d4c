/** What stands in the way of a connection's files, as an error that an admin can be shown. */
import type { Trouble } from "./contract.ts";

/** The message is for admins: what is, and what to do. No secret. */
export class Troubled extends Error {
  readonly trouble: Trouble;
  constructor(code: Trouble["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "Troubled";
    this.trouble = { code, message };
  }
}

/** Of any error: others may have a trouble too. */
export function troubleOf(error: unknown): Trouble {
  const said = (error as { trouble?: Trouble } | null)?.trouble;
  if (said !== undefined) return said;
  return { code: "failed", message: error instanceof Error ? error.message : "Something failed that says nothing" };
}
