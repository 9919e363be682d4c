/**
 * The list of erased people, beside the database: `erased` in the data directory, a line for each with the id of the hub
 * and the id of the user, and nothing else. A restored backup may hold people who were erased after it was made; by this
 * list, they are erased again before a hub starts on it.
 */
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { errorName } from "../log.ts";
import type { Hub } from "../../hub.ts";
import type { Database } from "../../store/database.ts";
import { listErased, loadMarks } from "../../store/restore.ts";

export function erasedListFile({ dataDir }: Pick<Config, "dataDir">): string {
  return join(dataDir, "erased");
}

/** Ids of the hub's users on the list; empty: there is no list. Lines that were cut by a crash are passed over. */
export async function readErased(file: string, hubId: string): Promise<number[]> {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    const [hub, id = ""] = line.split(" ");
    const user = hub === hubId ? decodeId("usr", id) : null;
    return user === null ? [] : [user];
  });
}

/** Adds to the list, which is made if it does not exist; on the disk when this resolves. */
export async function addErased(file: string, hubId: string, userIds: readonly number[]): Promise<void> {
  const handle = await open(file, "a", 0o600);
  try {
    // A line that was cut by a crash must not swallow the next one.
    const lines = userIds.map((id) => `\n${hubId} ${encodeId("usr", id)}\n`).join("");
    if (lines !== "") await handle.write(lines);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Adds each erased user. A failure is logged: the next start of the hub adds who is missing. */
export function listingErased(file: string, db: Database, log: Hub["log"]): NonNullable<Hub["erased"]> {
  return async (userId) => {
    try {
      await addErased(file, (await loadMarks(db)).hubId, [userId]);
    } catch (error) {
      log("erased.not_listed", { error: errorName(error) });
    }
  };
}

/** Adds who is erased in the database and not on the list, as a process may have ended in between. */
export async function completeErased(file: string, db: Database): Promise<void> {
  const { hubId } = await loadMarks(db);
  const listed = new Set(await readErased(file, hubId));
  await addErased(file, hubId, (await listErased(db)).filter((id) => !listed.has(id)));
}
