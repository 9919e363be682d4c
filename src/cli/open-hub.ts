/** The hub for a command that does its work itself and ends, without runner thread, gate and HTTP. */
import { type Config, loadConfig } from "../runtime/config.ts";
import { createBeside } from "../runtime/threads/beside.ts";
import { createDecrypt } from "../runtime/threads/decrypting.ts";
import { prepareStorage } from "../runtime/first-start.ts";
import { ensureDefaultOrganization } from "../runtime/install.ts";
import { isEmbedded, openDatabase } from "../runtime/database.ts";
import { loadKeys, openSecrets } from "../runtime/master-key.ts";
import { createOutbound } from "../runtime/outbound.ts";
import { packing } from "../runtime/packing.ts";
import { createStaging } from "../runtime/threads/staging.ts";
import { loadRegistry } from "../runtime/third-party.ts";
import { Fault } from "../model/errors.ts";
import type { Hub, Registry } from "../hub.ts";
import { parseAllowHosts } from "../security/outbound.ts";
import { listUnsealed, sealAudit } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import { findOrganizationNamed, type Organization } from "../store/organizations.ts";
import type { Staging } from "../store/runs/staging.ts";
import type { Terminal } from "../runtime/command.ts";
import type { DatabaseTrouble } from "../store/trouble.ts";

export interface CommandHub extends Hub {
  /** Whether the database is a file of this machine. */
  readonly isEmbedded: boolean;
  /** Absent for a database on a server. */
  readonly staging?: Staging;
}

/** Runs `work` with a hub on the data directory, which is made if it does not exist. Closes the hub in any case. */
export async function withHub<T>(terminal: Terminal, work: (hub: CommandHub) => Promise<T>): Promise<T> {
  return await withHubOf(loadConfig(terminal.env, (line) => terminal.err(`${line}\n`)), terminal, work);
}

/** As withHub, with these settings. `given`: the connectors; absent: all that the hub has, whose code is made ready first. */
export async function withHubOf<T>(
  config: Config,
  terminal: Terminal,
  work: (hub: CommandHub) => Promise<T>,
  given?: Registry,
): Promise<T> {
  const registry = given ?? await loadRegistry(config.connectors, terminal.base, config);
  const onRetry = createWaiting(terminal);
  await prepareStorage(config, { onRetry, say: (line) => terminal.err(`${line}\n`) });
  const beside = isEmbedded(config.databaseUrl) ? createBeside(config.databaseUrl) : null;
  const { db, attach } = await openDatabase({
    url: config.databaseUrl,
    authToken: config.databaseAuthToken,
    role: "alone",
    wrote: beside?.wrote,
    onRetry,
  });
  try {
    await ensureDefaultOrganization(db, Date.now());
    const result = await work({
      isEmbedded: isEmbedded(config.databaseUrl),
      staging: isEmbedded(config.databaseUrl) ? createStaging(config.dataDir, config.databaseUrl, attach) : undefined,
      db,
      registry,
      secrets: await openSecrets(await loadKeys(config, db, Date.now())),
      outbound: createOutbound(parseAllowHosts(config.allowHosts).allow),
      now: Date.now,
      publicUrl: config.publicUrl ?? `http://${config.host}:${config.port}`,
      packing: beside?.packing ?? packing,
      decrypt: createDecrypt(),
      retainDays: config.retainDays,
      wake: () => {},
      // A command prints its result; only the server has a log.
      log: () => {},
    });
    // A server seals the audit later, but there may never be one on this directory.
    for (const organizationId of await listUnsealed(db)) await sealAudit(db, organizationId);
    return result;
  } finally {
    await beside?.end();
    await leaveNoLog(db);
  }
}

/**
 * Closes the database with everything in its file, so that a copy of that file alone has it all. Closing moves the log only
 * if no other process has the file open. A process that works on the file just now does so later.
 */
export async function leaveNoLog(db: Database): Promise<void> {
  try {
    await db.file?.truncateLog();
  } finally {
    db.close();
  }
}

/** Says why a command waits: once for each trouble, however often the server is asked. */
export function createWaiting({ err }: Pick<Terminal, "err">): (trouble: DatabaseTrouble) => void {
  let last = "";
  return ({ message }) => {
    if (message !== last) err(`${message}; trying again for a while\n`);
    last = message;
  };
}

/** The organization by its slug or id. */
export async function loadOrganization(hub: Hub, name = "default"): Promise<Organization> {
  const organization = await findOrganizationNamed(hub.db, name);
  if (organization === null) throw new Fault("not_found", `There is no organization "${name}"`);
  return organization;
}
