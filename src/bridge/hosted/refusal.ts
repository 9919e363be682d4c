/** Why a client's request is refused: an SFTP status, and a sentence for the person behind it. */
import type { Trouble } from "../contract.ts";
import { isDiskFull, isOutOfFiles } from "../disk.ts";

export type RefusalStatus = "missing" | "denied" | "failed" | "unsupported";

export class Refusal extends Error {
  readonly status: RefusalStatus;
  /** A code like those of the disk's errors. */
  readonly code: "ENOENT" | "REFUSED";
  /** What is reported to an admin as well; null: nothing. */
  readonly trouble: Trouble | null;

  constructor(status: RefusalStatus, message: string, trouble: Trouble["code"] | null = null, cause?: unknown) {
    super(message, { cause });
    this.name = "Refusal";
    this.status = status;
    this.code = status === "missing" ? "ENOENT" : "REFUSED";
    this.trouble = trouble === null ? null : { code: trouble, message };
  }
}

/** An error of the disk as a refusal. An unexpected error becomes a failure without details. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const code = (error as { code?: string } | null)?.code;
  if (code === "ENOENT") return new Refusal("missing", "There is no such file");
  if (isDiskFull(error)) {
    return new Refusal("failed", "The server's disk is full: what was being uploaded is not whole", "disk_full", error);
  }
  if (isOutOfFiles(error)) {
    return new Refusal("failed", "The server has as many files open as it may: try again in a moment", null, error);
  }
  // ELOOP: O_NOFOLLOW met a link, which this server never makes.
  if (code === "ELOOP" || code === "EACCES" || code === "EPERM") return new Refusal("denied", "This is not permitted");
  return new Refusal("failed", "The server could not do this", null, error);
}
