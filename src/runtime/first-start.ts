/**
 * Prepares a hub on a machine: its data directory, its tables, and a first token. Idempotent, also when two processes start
 * at the same time.
 */
import { mkdir } from "node:fs/promises";
import type { Config } from "./config.ts";
import { Fault } from "../model/errors.ts";
import type { Database } from "../store/database.ts";
import { listTokens } from "../store/tokens.ts";
import { createTokenText, isTokenText } from "../security/token.ts";
import { installAdminToken } from "./install.ts";
import { keepText } from "./keep-text.ts";
import { isEmbedded, migrateDatabase, type OpenOptions } from "./database.ts";
import { describeTrouble, troubleOf } from "../store/trouble.ts";

export interface Preparing {
  /** Called with a sentence where this has to wait for another process. */
  readonly say?: (line: string) => void;
  /** As openDatabase has it. */
  readonly onRetry?: OpenOptions["onRetry"];
}

/** Makes the data directory, readable by its owner only, and brings the tables up to date. */
export async function prepareStorage(config: Config, { say = () => {}, onRetry }: Preparing = {}): Promise<void> {
  try {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault("unavailable", `The data directory ${config.dataDir} cannot be made`, { cause: error });
  }
  try {
    await migrateDatabase(config.databaseUrl, config.databaseAuthToken, {
      onRetry,
      waiting: (seconds) => say(waitingLine(seconds)),
    });
  } catch (error) {
    if (error instanceof Fault) throw error;
    const trouble = describeTrouble(error);
    if (troubleOf(error) !== null) throw new Fault("unavailable", trouble!);
    const where = isEmbedded(config.databaseUrl) ? `in ${config.databaseUrl}` : "at DATABASE_URL";
    throw new Fault("unavailable", `The database ${where} cannot be opened or brought up to date`, {
      cause: trouble === null ? error : new Error(trouble),
    });
  }
}

function waitingLine(seconds: number): string {
  return `Waiting for ${seconds} s: another process brings the database up to date, or writes to it; this start goes on ` +
    "once that has ended";
}

/** Makes a first token if the organization has none, writes it to `file` and returns it. Null: there is a token. */
export async function ensureFirstToken(
  db: Database,
  organizationId: number,
  file: string,
  now: number,
): Promise<string | null> {
  const stored = await listTokens(db, organizationId, { after: 0, limit: 1 });
  if (stored.length > 0) return null;
  // The file is written first, so that a start that is killed here, or another one, uses the same token.
  const text = await keepText(file, createTokenText());
  if (!isTokenText(text)) {
    throw new Fault(
      "unprocessable",
      `The file ${file} should contain a token, but does not: remove it and start again`,
    );
  }
  await installAdminToken(db, organizationId, text, now);
  return text;
}
