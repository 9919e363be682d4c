/** A folder for each child. One whose hub was killed stays, so those of dead processes are removed by the next hub. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isAlive, processNamespace } from "../owner.ts";

/** With the namespace that its process id is of: other containers may share the parent. */
const PREFIX = `muster-connector-${processNamespace()}.`;

let isSwept = false;

export async function makeFolder(): Promise<string> {
  // Beside the child's start, which need not wait for it.
  if (!isSwept) void removeLeft(tmpdir());
  isSwept = true;
  return await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the folders of processes that are over. Those of others, which may not be removed, stay. */
export async function removeLeft(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split("-")[0]) : process.pid;
    if (pid !== process.pid && !isAlive(pid)) await removeFolder(join(parent, name)).catch(() => {});
  }
}
