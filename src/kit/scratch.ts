/** A database with all tables and nobody in it, in a temporary file, which is gone once it is closed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateDatabase, openDatabase } from "../runtime/database.ts";
import type { Database } from "../store/database.ts";
import { createLeaseWatch } from "../store/lease-watch.ts";

/** The file of a database with all tables and no rows. Migrating takes long, so it is done once per process. */
let migrated: Promise<Uint8Array> | null = null;

async function createMigrated(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "muster-scratch-"));
  try {
    const path = join(folder, "migrated.db");
    await migrateDatabase(`file:${path}`, null);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A new file in a new folder. `remove` deletes both. */
export async function createScratchFile(): Promise<{ readonly path: string; remove(): void }> {
  const content = await (migrated ??= createMigrated());
  const folder = mkdtempSync(join(tmpdir(), "muster-scratch-"));
  const path = join(folder, "scratch.db");
  writeFileSync(path, content);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** `now`: the clock that its leases are watched by. Its `close` removes the file. */
export async function openScratch(now: () => number): Promise<Database> {
  const { path, remove } = await createScratchFile();
  try {
    const { db } = await openDatabase({
      url: `file:${path}`,
      authToken: null,
      role: "alone",
      watch: createLeaseWatch(now),
    });
    return {
      ...db,
      close() {
        db.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
