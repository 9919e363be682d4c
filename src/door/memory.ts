/** What memory this process has. */
import process from "node:process";

export function readMemory(): { resident: number; heap: number } {
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}
