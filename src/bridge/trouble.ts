/** What stands in the way of a connection's files, as an error that an admin can be shown. */
import type { Trouble } from "./contract.ts";

/** Its message is for admins: what is, and what to do. No secret. */
export class Troubled extends Error {
  readonly trouble: Trouble["code"];
  constructor(trouble: Trouble["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "Troubled";
    this.trouble = trouble;
  }
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Troubled) return { code: error.trouble, message: error.message };
  return { code: "failed", message: error instanceof Error ? error.message : "Something failed that says nothing" };
}
