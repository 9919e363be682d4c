/**
 * How many files of a tree wait to be taken, and how many bytes they have together. A file whose name was removed while a
 * client had it open keeps its bytes on disk until it is closed, so they count until then. Pure.
 */
import type { Stats } from "node:fs";
import type { HostedLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { sizeInWords } from "../../std/size.ts";

export function createQuota(limits: Pick<HostedLimits, "quotaBytes" | "files">) {
  let bytes = 0, files = 0, leftBehind = 0;
  /** Files that clients have open, by inode. */
  const open = new Map<number, { handles: number; left: number }>();
  return {
    /** Replaces the counts by what was found on disk. */
    reset(found: readonly { readonly stats: Stats }[]): void {
      bytes = found.reduce((sum, { stats }) => sum + stats.size, 0);
      files = found.length;
    },
    /** Refuses one more file when there may be none. */
    checkRoom(): void {
      if (files < limits.files) return;
      throw new Refusal(
        "failed",
        `${limits.files} files wait to be taken, and there may be no more; remove some`,
        "quota_exceeded",
      );
    },
    /** Counts bytes that a file is about to get, or to lose; refuses them when there is no room. */
    grow(more: number): void {
      if (more > 0 && bytes + leftBehind + more > limits.quotaBytes) {
        const most = sizeInWords(limits.quotaBytes);
        throw new Refusal(
          "failed",
          `Files that wait to be taken may have ${most} together, and no room is left for this one; remove some`,
          "quota_exceeded",
        );
      }
      bytes += more;
    },
    /** One more file, whose bytes are counted by `grow`. */
    added: () => void files++,
    removed(size: number): void {
      bytes -= size;
      files--;
    },
    opened(inode: number): void {
      const file = open.get(inode) ?? { handles: 0, left: 0 };
      file.handles++;
      open.set(inode, file);
    },
    closed(inode: number): void {
      const file = open.get(inode);
      if (file === undefined || --file.handles > 0) return;
      leftBehind -= file.left;
      open.delete(inode);
    },
    /** The file's name is gone: its bytes count as left behind while a client has it open. */
    unlinked(inode: number, size: number): void {
      const file = open.get(inode);
      if (file === undefined) return;
      file.left += size;
      leftBehind += size;
    },
  };
}
