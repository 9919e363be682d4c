/**
 * Loads the master key: from MUSTER_MASTER_KEY, or from a file in the data directory, which the first start makes. A start
 * whose key is not the one that the database's secrets are sealed with is refused.
 *
 * The file has one key per line, the current one first. It must not be part of a backup of the database.
 */
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { Fault } from "../model/errors.ts";
import {
  createMasterKeyText,
  createSecrets,
  isMasterKeyText,
  MASTER_KEY_FORM,
  type Secrets,
} from "../security/secrets.ts";
import { currentKeyId } from "../store/connections/sealed.ts";
import type { Database } from "../store/database.ts";
import { acceptKeys } from "./accept-keys.ts";
import { keepText } from "./keep-text.ts";

/** The keys and where they come from. Passed to threads, and held in memory only. */
export interface KeySource {
  /** The current key first. */
  readonly texts: readonly string[];
  /** The file with the keys; null: they come from the environment. */
  readonly file: string | null;
}

export function masterKeyFile(config: Config): string {
  return join(config.dataDir, "master-key");
}

/** Loads the keys, or makes one at the first start. Fails with `unprocessable` as acceptKeys does. */
export async function loadKeys(config: Config, db: Database, now: number): Promise<KeySource> {
  // Read before the file: another start writes the file first, and the database afterwards.
  const source = await findKeys(config, await currentKeyId(db));
  await acceptKeys(db, source.texts, source.file ?? "MUSTER_MASTER_KEY", now);
  return source;
}

export function openSecrets({ texts, file }: KeySource): Promise<Secrets> {
  return createSecrets(texts, file === null ? undefined : () => readKeys(file));
}

async function findKeys(config: Config, stored: string | null): Promise<KeySource> {
  if (config.masterKeys.length > 0) return { texts: config.masterKeys, file: null };
  const file = masterKeyFile(config);
  try {
    return { texts: await readKeys(file), file };
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  }
  if (stored !== null) {
    throw new Fault(
      "unprocessable",
      `The file ${file} is missing: it should contain the master key "${stored}", which the database's secrets are ` +
        "sealed with. Put it back, or give the key as MUSTER_MASTER_KEY",
    );
  }
  await keepText(file, createMasterKeyText());
  return { texts: await readKeys(file), file };
}

/** Fails with ENOENT if the file does not exist. */
export async function readKeys(file: string): Promise<string[]> {
  const texts = (await readFile(file, "utf8")).split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (texts.length > 0 && texts.every(isMasterKeyText)) return texts;
  throw new Fault(
    "unprocessable",
    `The file ${file} contains no master key: it should be ${MASTER_KEY_FORM}, one per line`,
  );
}

/** Replaces the file atomically: a start that reads it finds all old keys or all new ones. */
export async function replaceKeys(file: string, texts: readonly string[]): Promise<void> {
  const part = `${file}.${crypto.randomUUID()}`;
  const handle = await open(part, "wx", 0o600);
  try {
    await handle.writeFile(texts.map((text) => `${text}\n`).join(""));
    await handle.sync();
    await rename(part, file);
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}
