/** The hub as a value, which every request and every run gets. Entry points make it; nothing else depends on the runtime. */
import type { Connector, NormalizeContext, Stored } from "./connector.ts";
import type { InFlight } from "./security/in-flight.ts";
import type { Decrypt } from "./intake/decrypt-message.ts";
import type { Cell, SourceRecord } from "./model/record.ts";
import { Fault } from "./model/errors.ts";
import type { Metrics } from "./model/metrics.ts";
import type { Readiness } from "./model/readiness.ts";
import type { Rates } from "./security/rates.ts";
import type { Holder } from "./store/lease.ts";
import type { Secrets } from "./security/secrets.ts";
import type { Scrypt } from "./security/sftp-login.ts";
import type { OpenId } from "./security/openid.ts";
import type { Outbound } from "./security/outbound.ts";
import type { Connection } from "./store/connections/connections.ts";
import type { Database } from "./store/database.ts";
import type { Packing } from "./store/runs/drop-content.ts";
import type { Reader } from "./store/people/heavy-reads.ts";
import type { Waits } from "./store/waits.ts";
import { compareVersions } from "./std/semver.ts";

/** Rows of one set of columns, and what else a connector's `normalize` gets. */
export interface RowsToNormalize {
  readonly columns: readonly string[];
  /** `absent`: places of the cells that the row does not have; not there: it has all. */
  readonly rows: readonly (readonly [
    line: number | null,
    origin: string | null,
    cells: readonly Cell[],
    absent?: readonly number[],
  ])[];
  readonly context: NormalizeContext;
}

/** Where in the loaded code a connector threw, and what; never the text. */
export interface Threw {
  readonly name?: string;
  /** It threw nothing, but gave this instead of a record, such as `nothing`. */
  readonly gave?: string;
  readonly at?: readonly [line: number, column: number];
}

export type Normalized = { readonly record: SourceRecord } | { readonly threw: Threw };

/** Normalizes rows in another process. One call at a time. */
export interface ApartNormalizer {
  /** In the order of the rows. Fails with `connector_failed`. */
  normalize(rows: RowsToNormalize): Promise<readonly Normalized[]>;
  /** File and line of the connector's source; null: not known. */
  placeOf(threw: Threw): string | null;
}

/** What an earlier version of a connector has stored, and which function of a later one is given it. */
export interface MigrationAsk {
  readonly what: "migrateSettings" | "migrateState";
  readonly from: Stored<unknown>;
}

/** What a connector does that runs in processes of its own. */
export interface Isolated {
  /** SHA-256 of its code, in hexadecimal. */
  readonly digest: string;
  /** To be awaited before the connector's functions of settings are called with these. Never fails. */
  prepare(stored: readonly unknown[]): Promise<void>;
  /** `owner`: whose rows they are, as OWNER says it. */
  openNormalizer(owner: string): ApartNormalizer;
  /** What the connector makes of it; not checked. Fails with `connector_failed`. */
  migrate(asked: MigrationAsk): Promise<unknown>;
}

/** In the context of a connector's `check` and `fetch`: the organization, which shares the hub's processes with others. */
export const OWNER: unique symbol = Symbol("owner");

/**
 * A connector of this hub. `isolated`: it runs in processes of its own, and its `normalize` must not be called. `from`: the
 * package or file that it was made from, for operators; absent: Muster itself.
 */
export type Installed = Connector<never> & { readonly isolated?: Isolated; readonly from?: string };

/**
 * Connectors by name: of each, the version that new connections get. `added`: names of those that the operator added to
 * Muster's own; absent: none. `pinned`: every version that connections may be pinned to, by the digest of its code; absent:
 * there are none.
 */
export type Registry = ReadonlyMap<string, Installed> & {
  readonly added?: ReadonlySet<string>;
  readonly pinned?: ReadonlyMap<string, Installed>;
};

/** The connector of a connection, of the version that it is pinned to. Undefined: it is not installed here. */
export function connectorFor(
  registry: Registry,
  { connector, connectorDigest }: Pick<Connection, "connector" | "connectorDigest">,
): Installed | undefined {
  return connectorDigest === null ? registry.get(connector) : registry.pinned?.get(connectorDigest);
}

/** As connectorFor. Fails with `connector_missing`. */
export function connectorOf({ registry }: Pick<Hub, "registry">, connection: Connection): Installed {
  const connector = connectorFor(registry, connection);
  if (connector !== undefined) return connector;
  throw new Fault("connector_missing", missingConnector(connection));
}

export type Pin = Pick<Connection, "connectorVersion" | "connectorDigest">;

/** What a new connection of the connector is pinned to: its code, where the hub keeps versions of it. */
export function pinOf(registry: Registry, { version, isolated }: Installed): Pin {
  const isKept = isolated !== undefined && registry.pinned?.has(isolated.digest) === true;
  return { connectorVersion: isKept ? version : null, connectorDigest: isKept ? isolated.digest : null };
}

/** What decides, beside settings, what a row means: code that is not Muster's own may change under the same version. */
export function meaningOf({ version, isolated }: Installed): string {
  return isolated === undefined ? version : `${version}+${isolated.digest}`;
}

/** Why a connection without its connector does nothing, and who can help. */
export function missingConnector({ connector, connectorVersion }: Pick<Connection, "connector" | "connectorVersion">) {
  const version = connectorVersion === null ? "" : `, version ${connectorVersion},`;
  return `The connector "${connector}"${version} is not installed in this hub; its operator can add it again`;
}

/** A version of a connector that connections can be pinned to. */
export interface PinnedVersion {
  readonly digest: string;
  readonly installed: Installed;
}

/** The installed version of the connector; null: it is not installed. Of several with one version, the last one. */
export function findPinned(registry: Registry, name: string, version: string): PinnedVersion | null {
  const found = pinnedOf(registry, name).filter(({ installed }) => installed.version === version);
  return found.at(-1) ?? null;
}

/** The newest installed version that is newer than the connection's. Null: there is none, or the connection is not pinned. */
export function newerFor(
  registry: Registry,
  { connector, connectorVersion, connectorDigest }: Pin & Pick<Connection, "connector">,
): string | null {
  if (connectorDigest === null || connectorVersion === null) return null;
  const versions = pinnedOf(registry, connector).map(({ installed }) => installed.version).sort(compareVersions);
  const newest = versions.at(-1);
  return newest !== undefined && compareVersions(newest, connectorVersion) > 0 ? newest : null;
}

function pinnedOf(registry: Registry, name: string): PinnedVersion[] {
  return [...registry.pinned ?? []].filter(([, installed]) => installed.name === name)
    .map(([digest, installed]) => ({ digest, installed }));
}

/** Files of the viewer `swagger-ui-dist` that are served. */
export type ViewerFile = "swagger-ui.css" | "swagger-ui-bundle.js";

/** A bridge that needs no approval by an operator, because it was started with the hub. */
export interface OwnBridge {
  /** SHA-256 of its token in hexadecimal. The token is new at each start. */
  readonly tokenHash: string;
}

export interface Hub {
  readonly db: Database;
  /** Runs heavy reads in another thread; absent: they run in this one. */
  readonly reader?: Reader;
  /** Reads drops again in another thread; absent: they are read in this one, and only small ones. */
  readonly dropReader?: Reader;
  readonly registry: Registry;
  /** Seals stored passwords and keys, and derives the keys that sign links and cursors. */
  readonly secrets: Secrets;
  /** Sends requests to addresses that users have configured; nothing else does. */
  readonly outbound: Outbound;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Base of the links in problems and reports, without a trailing slash, such as `http://127.0.0.1:8787`. */
  readonly publicUrl: string;
  /** False: nobody has set that address, so links begin with one that this machine alone can open. */
  readonly isReachable?: boolean;
  /** Compresses drops with the runtime's own functions; absent: with Web standards, which are slower. */
  readonly packing?: Packing;
  /** Bytes of a workbook or an archive, which is held in memory as it came; absent: 32 MiB. */
  readonly maxPackedBytes?: number;
  /** Decrypts drops in other threads; absent: in this one. */
  readonly decrypt?: Decrypt;
  /** Reads a file of the API viewer; absent: there is no viewer. */
  readonly openViewer?: (file: ViewerFile) => Promise<BodyInit>;
  /** Verifies tokens of the configured OpenID issuer; absent: none is configured. */
  readonly openid?: OpenId;
  /** The bridge inside this process; absent: there is none. */
  readonly ownBridge?: OwnBridge;
  /** Rate limits of requests; absent: there are none. */
  readonly rates?: Rates;
  /** This process, as a holder of leases; absent: it has no name. */
  readonly holder?: Holder;
  /** Limits of concurrent requests; absent: there are none. */
  readonly inFlight?: InFlight;
  /** The runtime's own scrypt; absent: a JavaScript implementation blocks this thread. */
  readonly scrypt?: Scrypt;
  /** What `/readyz` asks beside whether the database can be read; absent: nothing. */
  readonly readiness?: Readiness;
  /** Counters of this process; absent: it answers no requests. */
  readonly metrics?: Metrics;
  /** Id of the request that is being handled; absent: none. Stored with the runs that it queues. */
  readonly requestId?: string;
  /** Days for which drops and reports are retained. */
  readonly retainDays: number;
  /** Lists an erased user beside the database, for older backups of it; absent: it is on a server. Never fails. */
  readonly erased?: (userId: number) => Promise<void>;
  /** How many scheduled backups are kept; absent: there are none. */
  readonly backupsKept?: number;
  /** Sender of mails, such as `Muster <muster@example.com>`; absent or null: no mails are queued. */
  readonly mailFrom?: string | null;
  /** Signals that a run may be waiting. Returns at once. */
  readonly wake: () => void;
  /** Signals to requests of this process that a run has changed. Returns at once. */
  readonly moved?: (runId: number) => void;
  /** Serves requests that wait for a change together; absent: each request polls by itself. */
  readonly waits?: Waits;
  /** Logs one structured line. It must never contain a person's data or a secret. */
  readonly log: (event: string, details?: Record<string, string | number | boolean | null>) => void;
}
