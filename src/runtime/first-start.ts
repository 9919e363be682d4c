/**
 * What a hub on a machine needs before it can be used: its directory, its tables, a first token.
 *
 * All of it may be done again, and by two starts at once: what is there is left as it is.
 */
import { mkdir } from "node:fs/promises";
import type { Config } from "./config.ts";
import { Fault } from "../model/errors.ts";
import type { Database } from "../store/database.ts";
import { listTokens } from "../store/tokens.ts";
import { createTokenText, isTokenText } from "../security/token.ts";
import { installAdminToken } from "./install.ts";
import { keepText } from "./keep-text.ts";
import { isEmbedded, migrateDatabase } from "./database.ts";

/** Makes the data directory, for its owner alone, and brings the tables up to date. */
export async function prepareStorage(config: Config): Promise<void> {
  try {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault("unavailable", `The data directory ${config.dataDir} cannot be made`, { cause: error });
  }
  try {
    await migrateDatabase(config.databaseUrl, config.databaseAuthToken);
  } catch (error) {
    const where = isEmbedded(config.databaseUrl) ? `in ${config.databaseUrl}` : "at DATABASE_URL";
    throw new Fault("unavailable", `The database ${where} cannot be opened or brought up to date`, { cause: error });
  }
}

/** Makes a first token when the organization has none, and keeps its text at `file`; gives it when it was made. */
export async function ensureFirstToken(
  db: Database,
  organizationId: number,
  file: string,
  now: number,
): Promise<string | null> {
  const stored = await listTokens(db, organizationId, { after: 0, limit: 1 });
  if (stored.length > 0) return null;
  // The file comes first: a start that dies in between, or another at the same time, ends up with the same token.
  const text = await keepText(file, createTokenText());
  if (!isTokenText(text)) {
    throw new Fault("unprocessable", `The file ${file} holds no token, but should: remove it and start again`);
  }
  await installAdminToken(db, organizationId, text, now);
  return text;
}
