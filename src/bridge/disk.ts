/** The disk that the bridge keeps things on. */
import { open } from "node:fs/promises";

/** The system's code of an error, such as "ENOENT". */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

/** For `.catch`: `instead` where a file or folder is missing; any other error is thrown. */
export function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === "ENOENT") return instead;
    throw error;
  };
}

/** Whether an error means that the disk is full, or that this user's quota is. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");
}

/** Whether an error means that this process, or the machine, has as many files open as it may. */
export function isOutOfFiles(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(codeOf(error) ?? "");
}

/** Writes a file that only this user can read; resolves when its bytes are on disk. `flags`: "wx" for a new file only. */
export async function writeSynced(path: string, text: string, flags: "w" | "wx"): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
