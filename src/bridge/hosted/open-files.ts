/**
 * Files that clients have open, by inode: one whose name is removed keeps its bytes on the disk until it is closed, and
 * so they count until then. Pure.
 */
export interface OpenFiles {
  opened(inode: number): void;
  closed(inode: number): void;
  /** Its name is gone: what it has counts as left behind as long as it is open. */
  removed(inode: number, bytes: number): void;
  /** Bytes of files without a name. */
  leftBehind(): number;
}

export function createOpenFiles(): OpenFiles {
  const files = new Map<number, { handles: number; left: number }>();
  let all = 0;
  return {
    opened(inode) {
      const file = files.get(inode) ?? { handles: 0, left: 0 };
      file.handles++;
      files.set(inode, file);
    },
    closed(inode) {
      const file = files.get(inode);
      if (file === undefined || --file.handles > 0) return;
      all -= file.left;
      files.delete(inode);
    },
    removed(inode, bytes) {
      const file = files.get(inode);
      if (file === undefined) return;
      file.left += bytes;
      all += bytes;
    },
    leftBehind: () => all,
  };
}
