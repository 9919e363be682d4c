/** What helps with a code, whether it is one of an issue or of a fault. No I/O. */
import { CODES, type IssueCode } from "./codes.ts";
import type { Help } from "./codes/help.ts";
import { FAULT_HELP } from "./codes/requests.ts";
import { FAULTS } from "./errors.ts";

/** `status`: that of a request which is refused with the code; null: it is one of issues. */
export type CodeHelp = Omit<Help, "example"> & {
  readonly example: Help["example"] | null;
  readonly status: number | null;
};

/** Null: there is no such code. */
export function helpFor(code: string): CodeHelp | null {
  // Some codes are both. The text for the issue is more specific than the one for the fault, so it comes first.
  if (Object.hasOwn(CODES, code)) return { ...CODES[code as IssueCode], status: null };
  if (!Object.hasOwn(FAULT_HELP, code)) return null;
  const name = code as keyof typeof FAULT_HELP, { title, status } = FAULTS[name];
  return { when: title, ...FAULT_HELP[name], status };
}
