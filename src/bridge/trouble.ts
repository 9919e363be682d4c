/** Why a connection's files cannot be taken, as an error that an admin can be shown. */
import type { Trouble } from "./contract.ts";

/** The longest message that the hub takes. Names in it may be long. */
const MAX_LENGTH = 1000;

/** The message is for admins: what is wrong, and what to do. Without secrets. */
export class ConnectionError extends Error {
  readonly trouble: Trouble;
  constructor(code: Trouble["code"], message: string, cause?: unknown) {
    const some = message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH - 1)}…` : message;
    super(some, { cause });
    this.name = "ConnectionError";
    this.trouble = { code, message: some };
  }
}

/** The trouble that an error carries; null: none. */
export function knownTrouble(error: unknown): Trouble | null {
  const trouble = (error as { trouble?: Trouble | null } | null)?.trouble;
  return trouble != null && typeof trouble.code === "string" ? trouble : null;
}

export function troubleOf(error: unknown): Trouble {
  return knownTrouble(error) ??
    { code: "failed", message: error instanceof Error ? error.message : "Unknown error" };
}

/** Whether the server does not permit what was tried, such as one that can only be read. */
export function isRefusal(error: unknown): boolean {
  return knownTrouble(error)?.code === "not_permitted";
}
