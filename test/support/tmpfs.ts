/** A small disk of its own for a test, which can be filled to its last byte. Needs root. */
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";

export interface SmallDisk {
  readonly path: string;
  /** Takes all the room that is left, but for so many bytes. */
  fill(butFor?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** `options` as mount has them: `size=16m`, `nr_inodes=20`. */
export function mountSmallDisk(t: TestContext, options: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "muster-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  t.after(() => {
    execFileSync("umount", ["--lazy", path]);
    rmSync(path, { recursive: true, force: true });
  });
  const filler = join(path, "filler");
  return {
    path,
    fill(butFor = 0) {
      const file = openSync(filler, "a");
      try {
        for (let size = 1 << 20; size >= 1;) {
          try {
            // What was written of a part that did not fit stays, as with any other writer.
            writeSync(file, new Uint8Array(size));
          } catch (error) {
            if ((error as { code?: string }).code !== "ENOSPC") throw error;
            size >>= 1;
          }
        }
        ftruncateSync(file, Math.max(0, fstatSync(file).size - butFor));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}

/** Why there are none here; false: there are. */
export const noSmallDisk: string | false = (() => {
  if (process.getuid?.() !== 0) return "only root can mount a disk";
  const path = mkdtempSync(join(tmpdir(), "muster-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "ignore" });
    execFileSync("umount", [path]);
    return false;
  } catch {
    return "no disk can be mounted here";
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
})();
