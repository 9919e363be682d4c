/**
 * A place for backups. What makes, keeps and restores them knows a place by these verbs alone: a folder (folder.ts) and a
 * bucket of an S3-compatible store (bucket.ts) have them.
 */
import type { BackupFacts } from "./format.ts";

export interface StoredBackup {
  readonly name: string;
  /** When it was made, by its name: milliseconds since 1970. */
  readonly at: number;
  readonly bytes: number;
}

export interface BackupPlace {
  /** The folder in which a backup is made before it is put; null: it is made beside the database. */
  readonly folder: string | null;
  /** The address of the place, or of a backup in it, as commands take it. */
  addressOf(name?: string): string;
  /** The name that a hub's backup of this time gets. */
  nameAt(hubId: string, ms: number): string;
  /** Backups with such names, of one hub or (null) of all; the oldest first. */
  list(hubId: string | null): Promise<StoredBackup[]>;
  has(name: string): Promise<boolean>;
  /**
   * Puts a file, under a name that is not taken yet: all of it, checked, or nothing. Fails with `conflict` if the name is
   * taken. The file may be gone afterwards. The signal ends it, with its reason.
   */
  put(file: string, name: string, signal: AbortSignal): Promise<void>;
  /** What the head says. Fails with `not_found`, or with `unprocessable` if it is no backup. */
  readFacts(name: string): Promise<BackupFacts>;
  /** The backup as a file of this machine: its own, or a copy in `folder` that `release` removes. */
  fetch(name: string, folder: string): Promise<{ readonly path: string; release(): Promise<void> }>;
  remove(name: string): Promise<void>;
}
