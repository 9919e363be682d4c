/**
 * `muster serve`: runs the hub on this machine.
 *
 * The main thread answers requests; other threads carry runs, run heavy reads and speak SFTP. On SIGINT and SIGTERM the
 * hub stops in order: first requests, then the batch that is being written, then the database.
 */
import { join } from "node:path";
import { createApp } from "../http/app.ts";
import { connectorFor, type Hub, type Registry } from "../hub.ts";
import { completeErased, erasedListFile } from "../runtime/backups/erased-list.ts";
import { DONE, type Terminal } from "../runtime/command.ts";
import { type Config, loadConfig } from "../runtime/config.ts";
import { isEmbedded, openDatabase } from "../runtime/database.ts";
import { ensureFirstToken, prepareStorage } from "../runtime/first-start.ts";
import { ensureDefaultOrganization, installAdminToken } from "../runtime/install.ts";
import { createLog, errorName } from "../runtime/log.ts";
import { loadKeys, openSecrets } from "../runtime/master-key.ts";
import { readableByOthers } from "../runtime/private-files.ts";
import { loadConnectors } from "../runtime/third-party.ts";
import { createWarmHost } from "../runtime/sandbox/warm.ts";
import { watchSchema } from "../runtime/watch-schema.ts";
import { requireFreePort } from "../runtime/threads/bridge.ts";
import { createGateMemory, createMainGate } from "../runtime/threads/gate.ts";
import { createStartLink } from "../runtime/console-link.ts";
import { countUses, describeUse } from "../store/connections/connector-uses.ts";
import { followConnectors } from "../sources/follow.ts";
import { resealAll } from "../store/connections/sealed.ts";
import type { Database } from "../store/database.ts";
import { sleep } from "../std/sleep.ts";
import { openDoor } from "./door.ts";
import { openServedHub } from "./served-hub.ts";
import { startWork } from "./work.ts";

/** How often to look whether a later version has brought the tables up to date. A file refuses writes of this one at once. */
const LOOK_AT_FILE_MS = 2_000, LOOK_AT_SERVER_MS = 15_000;
/** How long requests are still answered afterwards. */
const LEAVE_AFTER_MS = 10_000;

export async function serve(terminal: Terminal): Promise<number> {
  const log = createLog((line) => terminal.err(line));
  const config = loadConfig(terminal.env, (warning) => log("settings.warning", { warning }));
  const warm = createWarmHost();
  const { registry, parts, broken } = await loadConnectors(config.connectors, terminal.base, {
    dataDir: config.dataDir,
    start: warm.start,
  });
  for (const each of broken) log("connector.unusable", { ...each });
  // The ports come first: a start that cannot have them should change nothing and show no token.
  const door = await openDoor(config, terminal, log);
  if (config.sftpPort !== 0) await requireFreePort({ host: config.host, port: config.sftpPort });
  await prepareStorage(config, {
    say: (waiting) => log("database.waiting", { waiting }),
    onRetry: ({ message }) => log("database.away", { why: message }),
  });
  await warnOfReadableFiles(config, log);
  const memory = isEmbedded(config.databaseUrl) ? createGateMemory() : null;
  const gate = memory === null ? null : createMainGate(memory);
  const { databaseUrl: url, databaseAuthToken: authToken } = config;
  const { db, newer } = await openDatabase({ url, authToken, role: "main", gate: gate ?? undefined });
  const schema = watchSchema(newer, isEmbedded(url) ? LOOK_AT_FILE_MS : LOOK_AT_SERVER_MS);
  try {
    const keys = await loadKeys(config, db, Date.now());
    const secrets = await openSecrets(keys);
    if (keys.texts.length > 1) await resealAll(db, secrets);
    if (isEmbedded(url)) await completeErased(erasedListFile(config), db);
    const firstToken = await installTokens(config, db);
    await warnOfMissing(db, registry, log);
    await followConnectors({ db, registry, secrets, now: Date.now, log });
    const served = openServedHub({
      config,
      connectors: parts,
      log,
      door,
      registry,
      db,
      schema,
      memory,
      gate,
      keys,
      secrets,
    });
    const { hub } = served;
    const app = createApp(hub);
    door.open((request, address) => app.fetch(request, { address }));
    const work = startWork(config, door, served);
    const hosted = await work.hosted;

    // An error before this line ends the process with a message.
    const endUncaught = terminal.onUncaught((error) => {
      hub.metrics?.countUncaught();
      log("process.uncaught", { error: errorName(error) });
    });
    const interrupted = new Promise<void>((resolve) => terminal.onInterrupt(resolve));
    if (parts.length > 0) warm.open();
    const link = terminal.isWatched ? await createStartLink(db, firstTokenFile(config), Date.now()) : null;
    const lines = [
      `Muster is at ${hub.publicUrl}` + (hub.publicUrl === door.address ? "" : ` (listening at ${door.address})`),
      ...(firstToken === null ? [] : [firstTokenLine(firstToken, terminal)]),
      ...(link === null
        ? []
        : [`Open it in a browser with this link, once, within 15 minutes: ${hub.publicUrl}${link}`]),
      ...(hosted === null ? [] : [`SFTP is at ${config.host}:${hosted.port}, with the host key ${hosted.fingerprint}`]),
    ];
    // In one piece: a program that waits for the first line can read the others, too.
    terminal.out(lines.join("\n"));
    const outdated = await Promise.race([interrupted.then(() => null), schema.whenFound]);
    if (outdated !== null) {
      log("database.newer", { error: outdated.message });
      await work.rest();
      // Until then, `/readyz` shows load balancers that this hub goes.
      await Promise.race([interrupted, sleep(LEAVE_AFTER_MS)]);
    }
    log("hub.stopping");
    await work.stop();
    // The log holds rows that have been deleted, and should not outlive the process.
    await db.file?.truncateLog();
    endUncaught();
    if (outdated !== null) throw outdated;
  } finally {
    await warm.close();
    await schema.stop();
    db.close();
  }
  log("hub.stopped");
  return DONE;
}

async function warnOfReadableFiles(config: Config, log: Hub["log"]): Promise<void> {
  const dirs = config.sftpPort === 0 ? [config.dataDir] : [config.dataDir, config.sftpDir];
  for (const { path, command } of await readableByOthers(dirs)) {
    log("files.readable_by_others", { path, fix: command });
  }
}

/** One line: which connectors the connections of this database need, and this hub does not have. */
async function warnOfMissing(db: Database, registry: Registry, log: Hub["log"]): Promise<void> {
  const missing = (await countUses(db)).filter((use) => connectorFor(registry, use) === undefined);
  if (missing.length === 0) return;
  const connections = missing.reduce((all, use) => all + use.connections, 0);
  log("connectors.missing", { connections, connectors: missing.map(describeUse).join("; ") });
}

interface FirstToken {
  readonly text: string;
  readonly file: string;
}

/** Makes the default organization and its tokens, where they do not exist. Null: there was a token already. */
async function installTokens(config: Config, db: Database): Promise<FirstToken | null> {
  const organization = await ensureDefaultOrganization(db, Date.now());
  if (config.adminToken !== null) await installAdminToken(db, organization.id, config.adminToken, Date.now());
  const file = firstTokenFile(config);
  const text = await ensureFirstToken(db, organization.id, file, Date.now());
  return text === null ? null : { text, file };
}

function firstTokenFile({ dataDir }: Config): string {
  return join(dataDir, "first-token");
}

function firstTokenLine({ text, file }: FirstToken, { isWatched }: Terminal): string {
  return isWatched ? `The first token, shown this once and kept in ${file}: ${text}` : `The first token is in ${file}`;
}
