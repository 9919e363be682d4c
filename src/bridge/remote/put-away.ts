/**
 * Puts away a file that the hub has taken: it is moved to `.bak`, deleted, or left.
 *
 * A newer file of the same name is not the one that was taken, and is never put away in its place.
 */
import type { BridgeConnection, SeenFile } from "../contract.ts";
import { placeOf } from "../places.ts";
import { ConnectionError } from "../trouble.ts";
import { join, makeFolders } from "./folders.ts";
import { isSame } from "./read.ts";
import { Refused, type Session } from "./session.ts";
import type { Candidate } from "./whole.ts";

/** How many names are tried for a file in `.bak`. If all are in use, something else is wrong. */
const NAMES_TRIED = 5;

/** `keptAs`: its name in `.bak`. Safe to repeat. Fails with ConnectionError when the server does not allow it. */
export async function putAway(session: Session, file: Candidate, keptAs: string): Promise<void> {
  const { settings } = session.connection;
  if (settings.after === "leave") return;
  // Companions first: one that is left alone could mark the next file of that name as whole.
  for (const companion of file.companions) {
    const suffix = companion.name.slice(file.name.length);
    await putOneAway(session, companion, `${keptAs}${suffix}`);
  }
  await putOneAway(session, file, keptAs);
}

async function putOneAway(session: Session, file: SeenFile, keptAs: string): Promise<void> {
  const { connection } = session;
  const path = join(connection.settings.folder, file.name);
  const found = await session.find(path);
  if (found === null || !isSame(file, found)) return;
  try {
    if (connection.settings.after === "delete") await session.remove(path);
    else await move(session, path, file, keptAs);
  } catch (error) {
    throw error instanceof Refused ? notAllowed(connection, file, error) : error;
  }
}

async function move(session: Session, path: string, file: SeenFile, keptAs: string): Promise<void> {
  const bak = placeOf(session.connection, ".bak");
  await makeFolders(session, bak);
  for (let n = 1;; n++) {
    const target = join(bak, n === 1 ? keptAs : `${keptAs}.${n}`);
    // Looked for first: some servers rename over an existing file.
    if (await session.find(target) !== null) {
      if (n < NAMES_TRIED) continue;
      throw new Refused(`"${target}" and others like it are there already`, "EIO");
    }
    await session.rename(path, target);
    const moved = await session.find(target);
    // The file was replaced between the look and the rename: the new one is moved back, and is taken later.
    if (moved !== null && !isSame(file, moved)) await session.rename(target, path);
    return;
  }
}

function notAllowed({ settings, ...connection }: BridgeConnection, file: SeenFile, cause: Refused): ConnectionError {
  const where = settings.after === "delete" ? "deleted" : `moved to "${placeOf({ ...connection, settings }, ".bak")}"`;
  return new ConnectionError(
    "not_permitted",
    `"${file.name}" was taken, and cannot be ${where}: ${cause.message}. It is not taken again; ` +
      `let the user write there, make room on its disk, or set "after" to "leave"`,
    cause,
  );
}
