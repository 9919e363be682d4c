/** Makes the hub of `muster serve`, with the threads that carry runs and run heavy reads. */
import type { Hub, Registry } from "../hub.ts";
import { createReadiness } from "../model/readiness.ts";
import { type BackupFigures, createMetrics } from "../model/metrics.ts";
import { erasedListFile, listingErased } from "../runtime/backups/erased-list.ts";
import type { Config } from "../runtime/config.ts";
import type { KeySource } from "../runtime/master-key.ts";
import { createChecks } from "../runtime/checks.ts";
import { createOutbound } from "../runtime/outbound.ts";
import { createOwner } from "../runtime/owner.ts";
import { sharedPacking } from "../runtime/packing.ts";
import type { ConnectorPart } from "../runtime/third-party.ts";
import { createScrypt } from "../runtime/scrypt.ts";
import { createDecrypt } from "../runtime/threads/decrypting.ts";
import type { MainGate } from "../runtime/threads/gate.ts";
import { readMemory } from "../runtime/threads/memory.ts";
import { createReader, DROP_READER_LIMITS, type OpenReader } from "../runtime/threads/reader.ts";
import { type Runner, startRunner } from "../runtime/threads/runner.ts";
import { shareReads } from "../runtime/threads/share-reads.ts";
import type { SchemaWatch } from "../runtime/watch-schema.ts";
import { openViewer } from "../runtime/viewer.ts";
import { createInFlight } from "../security/in-flight.ts";
import { createOpenId } from "../security/openid.ts";
import { asFetch, parseAllowHosts } from "../security/outbound.ts";
import type { Secrets } from "../security/secrets.ts";
import { createTokenText, hashToken } from "../security/token.ts";
import type { Holder } from "../store/lease.ts";
import type { Database } from "../store/database.ts";
import { TOGETHER } from "../store/waits.ts";
import { createWaits } from "../store/watched.ts";
import type { Door } from "./door.ts";

export interface HubParts {
  readonly config: Config;
  readonly connectors: readonly ConnectorPart[];
  readonly log: Hub["log"];
  readonly door: Door;
  readonly db: Database;
  readonly schema: SchemaWatch;
  /** The gate and its memory; null for a database on a server. */
  readonly memory: SharedArrayBuffer | null;
  readonly gate: MainGate | null;
  readonly keys: KeySource;
  readonly secrets: Secrets;
  readonly registry: Registry;
}

export interface ServedHub {
  readonly hub: Hub;
  /** Of the leases of all that this process does beside carrying runs. */
  readonly holder: Holder;
  readonly runner: Runner;
  readonly readers: readonly OpenReader[];
  /** The token of the hub's own bridge, which no other process ever sees; null: there is no SFTP server. */
  readonly bridgeToken: string | null;
  /** Absent: no backups are scheduled. */
  readonly backups: BackupFigures | undefined;
}

/** Starts the threads; `runner` and `readers` have to be stopped. */
export function openServedHub(parts: HubParts): ServedHub {
  const { config, connectors, log, door, registry, db, schema, memory, gate, keys, secrets } = parts;
  const publicUrl = config.publicUrl ?? door.address;
  // Mails are queued only if there is a server to send them.
  const mailFrom = config.smtpUrl === null ? null : config.mailFrom;
  const waits = createWaits(db, TOGETHER);
  const { moved } = waits.runs;
  const settings = { ...config, keys, connectors, publicUrl, mailFrom, gate: memory };
  const runner = startRunner(settings, { gate, log, moved });
  const { databaseUrl, databaseAuthToken: authToken } = config;
  // A server reads by itself, but drops are unpacked and searched here.
  const reader = memory === null ? undefined : createReader(databaseUrl, { log });
  const dropReader = createReader(databaseUrl, { log, authToken, limits: DROP_READER_LIMITS });
  const bridgeToken = config.sftpPort === 0 ? null : createTokenText();
  const outbound = createOutbound(parseAllowHosts(config.allowHosts).allow);
  const now = () => performance.now();
  const backups: BackupFigures | undefined = config.backup === null ? undefined : { lastAt: null, failures: 0 };
  const holder = createOwner(memory !== null);
  const hub: Hub = {
    db,
    reader,
    dropReader: shareReads(dropReader),
    registry,
    secrets,
    outbound,
    now: Date.now,
    publicUrl,
    isReachable: config.publicUrl !== null,
    packing: sharedPacking,
    decrypt: createDecrypt(),
    openViewer,
    ownBridge: bridgeToken === null ? undefined : { tokenHash: hashToken(bridgeToken) },
    openid: config.openid === null ? undefined : createOpenId(config.openid, asFetch(outbound), now),
    scrypt: createScrypt(),
    readiness: createReadiness(createChecks({ db, databaseUrl, schema, runner })),
    rates: door.rates,
    holder,
    inFlight: createInFlight(),
    metrics: createMetrics(Date.now(), readMemory, door.listening.figures, backups),
    retainDays: config.retainDays,
    backupsKept: config.backup?.keep,
    erased: memory === null ? undefined : listingErased(erasedListFile(config), db, log),
    mailFrom,
    wake: runner.wake,
    moved,
    waits,
    log,
  };
  return {
    hub,
    holder,
    runner,
    readers: reader === undefined ? [dropReader] : [reader, dropReader],
    bridgeToken,
    backups,
  };
}
