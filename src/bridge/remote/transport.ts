/** What the core does on a remote server: writes reports, moves files to `failed`, removes old copies. */
import type { Transport } from "../contract.ts";
import { folderOf, join, makeFolders } from "./folders.ts";
import { Refused, type Session } from "./session.ts";

/** The most that every server takes in one request. */
const CHUNK_BYTES = 32 * 1024;

export function createTransport(session: Session, onClose: () => void): Transport {
  return {
    async list(folder) {
      try {
        return (await session.list(folder, () => true)).files;
      } catch (error) {
        if (error instanceof Refused && error.code === "ENOENT") return [];
        throw error;
      }
    },
    async write(path, content) {
      await makeFolders(session, folderOf(path));
      // A draft cannot be mistaken for the finished file. It has the same name each time, so one that a kill left is
      // overwritten.
      const draft = join(folderOf(path), `.${session.connection.id}.part`);
      try {
        await writeAll(session, draft, content);
        await replace(session, draft, path);
      } catch (error) {
        await session.remove(draft).catch(() => {});
        throw error;
      }
    },
    async rename(from, to) {
      await makeFolders(session, folderOf(to));
      await session.rename(from, to);
    },
    remove: (path) => session.remove(path),
    close() {
      session.close();
      onClose();
      return Promise.resolve();
    },
  };
}

async function writeAll(session: Session, path: string, content: ReadableStream<Uint8Array>): Promise<void> {
  const handle = await session.open(path, "w");
  let position = 0;
  for await (const chunk of content) {
    for (let from = 0; from < chunk.length; from += CHUNK_BYTES) {
      const some = chunk.subarray(from, from + CHUNK_BYTES);
      await handle.write(position, some);
      position += some.length;
    }
  }
  await handle.close();
  // A server whose disk is full may report it late, or not at all.
  const written = await session.find(path);
  if (written?.bytes !== position) {
    throw new Refused(
      `${position} bytes were written and ${written?.bytes ?? 0} are there: its disk may be full`,
      "EIO",
    );
  }
}

/** Servers without OpenSSH's extension cannot rename over an existing file. */
async function replace(session: Session, from: string, to: string): Promise<void> {
  try {
    await session.replace(from, to);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (await session.find(to) !== null) await session.remove(to);
    await session.rename(from, to);
  }
}
