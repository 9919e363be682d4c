/**
 * What becomes of a file that the hub has: moved to `.bak`, deleted, or left.
 *
 * A file of the same name that came in the meantime is not the one that was taken, and is never put away in its place.
 */
import type { BridgeConnection, SeenFile } from "../contract.ts";
import { placeOf } from "../places.ts";
import { Troubled } from "../trouble.ts";
import { join, makeFolders } from "./folders.ts";
import { isSame } from "./read.ts";
import { Refused, type Session } from "./session.ts";
import type { Candidate } from "./whole.ts";

/** How many names are tried for one file in `.bak`: with more there is something else in the way. */
const NAMES_TRIED = 5;

/** `keptAs`: its name in `.bak`. Safe to repeat. Fails with Troubled when the server does not allow it. */
export async function putAway(session: Session, file: Candidate, keptAs: string): Promise<void> {
  const { settings } = session.connection;
  if (settings.after === "leave") return;
  // Companions first: one that stayed behind alone could speak for the next file of that name.
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
    // Looked at first: some servers rename in place of what is there.
    if (await session.find(target) !== null) {
      if (n < NAMES_TRIED) continue;
      throw new Refused(`"${target}" and others like it are there already`, "EIO");
    }
    await session.rename(path, target);
    const moved = await session.find(target);
    // Replaced between the look and the rename: what was moved is a new file, and goes back to be taken.
    if (moved !== null && !isSame(file, moved)) await session.rename(target, path);
    return;
  }
}

function notAllowed({ settings, ...connection }: BridgeConnection, file: SeenFile, cause: Refused): Troubled {
  const where = settings.after === "delete" ? "deleted" : `moved to "${placeOf({ ...connection, settings }, ".bak")}"`;
  return new Troubled(
    "not_permitted",
    `"${file.name}" was taken, and cannot be ${where}: ${cause.message}. It is not taken again; ` +
      `let the user write there, make room on its disk, or set "after" to "leave"`,
    cause,
  );
}
