/** What stands in the way of a connection's files, as an error that an admin can be shown. */
import type { Trouble } from "./contract.ts";

/** What the hub takes of a message, which may have long names in it. */
const MAX_LENGTH = 1000;

/** The message is for admins: what is, and what to do. No secret. */
export class Troubled extends Error {
  readonly trouble: Trouble;
  constructor(code: Trouble["code"], message: string, cause?: unknown) {
    const some = message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH - 1)}…` : message;
    super(some, { cause });
    this.name = "Troubled";
    this.trouble = { code, message: some };
  }
}

/** That an error of any kind brings with it; null: it has none. */
export function knownTrouble(error: unknown): Trouble | null {
  const trouble = (error as { trouble?: Trouble | null } | null)?.trouble;
  return trouble != null && typeof trouble.code === "string" ? trouble : null;
}

export function troubleOf(error: unknown): Trouble {
  return knownTrouble(error) ??
    { code: "failed", message: error instanceof Error ? error.message : "Something failed that says nothing" };
}
