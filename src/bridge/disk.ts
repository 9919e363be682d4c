/** The disk that the bridge keeps things on. */

/** Whether an error says that there is no room, or no more of what this user may have. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Whether an error says that this process, or the machine, has as many files open as it may. */
export function isOutOfFiles(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code;
  return code === "EMFILE" || code === "ENFILE";
}
