/** Watches how much memory a process holds, as limits of JavaScript's heap do not bound buffers. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

const EVERY_MS = 100, EVERY_MS_BY_PS = 1_000;
const PAGE_BYTES = 4096;

/** Calls `onMore` once when the process holds more than `maxMiB`. Returns a function that ends the watch. */
export function watchMemory(pid: number | null, maxMiB: number, onMore: () => void): () => void {
  if (pid === null || process.platform === "win32") return () => {};
  const isLinux = process.platform === "linux";
  const look = isLinux ? residentOnLinux : residentByPs;
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    const bytes = await look(pid);
    isLooking = false;
    if (bytes === null || bytes <= maxMiB * 2 ** 20) return;
    clearInterval(timer);
    onMore();
  }, isLinux ? EVERY_MS : EVERY_MS_BY_PS);
  timer.unref();
  return () => clearInterval(timer);
}

/** In bytes; null: there is no such process any more. */
async function residentOnLinux(pid: number): Promise<number | null> {
  const pages = (await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "")).split(" ")[1];
  return pages === undefined ? null : Number(pages) * PAGE_BYTES;
}

function residentByPs(pid: number): Promise<number | null> {
  return new Promise((resolve) => {
    execFile("ps", ["-o", "rss=", "-p", String(pid)], (error, out) => resolve(error ? null : Number(out) * 1024));
  });
}
