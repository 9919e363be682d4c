/** Paths on a remote server, and making folders that are missing. */
import { Refused, type Session } from "./session.ts";

/** Makes each missing folder of the path. Fails with Refused where that is not allowed. */
export async function makeFolders(session: Session, path: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== "");
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = `/${parts.slice(0, depth).join("/")}`;
    try {
      await session.makeFolder(folder);
    } catch (error) {
      // Servers answer an existing folder with many kinds of errors, so it is looked for.
      if (!(error instanceof Refused) || (await session.find(folder)) === null) throw error;
    }
  }
}

export function join(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
