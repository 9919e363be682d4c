/**
 * The public module for connectors: what a connector is, and what it may use.
 *
 * A connector knows one kind of source. It fetches rows and normalizes them; the hub does all else.
 * Ours import only this module, as a stranger's do.
 */
import type { z } from "zod";
import type {
  Cell,
  Coverage,
  CustomField,
  Entity,
  Fields,
  KeyField,
  Row,
  RowBlock,
  SourceRecord,
} from "./model/record.ts";

/** The input handed in for a run, as a stream of its bytes. May be opened more than once: planning may look twice. */
export interface DropSource {
  /** The name it was handed in under, such as `users.csv`. */
  readonly name: string;
  /** Media type without parameters, such as `text/csv`; `application/octet-stream` when nobody said. */
  readonly contentType: string;
  /** Received size in bytes. */
  readonly bytes: number;
  open(): ReadableStream<Uint8Array>;
}

/** How bytes become rows: a connection's reading settings with the hub's limits. Sizes in bytes. */
export interface ReadOptions {
  /** `auto`: UTF-8, or UTF-16 by its byte order mark; Windows-1252 only when declared. */
  readonly encoding: "auto" | "windows-1252";
  /** `auto`: told from the rows' shapes. */
  readonly delimiter: "auto" | "," | ";" | "\t" | "|";
  readonly maxRowBytes: number;
  readonly maxColumns: number;
  /** Decoded bytes of the whole input. */
  readonly maxBytes: number;
}

/** What reading the whole input showed; complete once the reader has returned. */
export interface ReadReport {
  /** The delimiter that the failure report will use too. */
  delimiter: "," | ";" | "\t" | "|" | null;
  /** False when the last line has no line end: nobody is missing from such a file. */
  endsWithLineEnd: boolean;
}

/** One person or department as the source says it, in its own names. An absent name leaves the field alone. */
export type FetchedRecord = Readonly<Record<string, Cell>>;

/** Rows of a source that is fetched: a page of them, and where it was read. */
export interface FetchedRows {
  /** For whoever looks for a row at its source: a path or a page, like `/v1/employees, page 3`. Never a secret. */
  readonly origin: string | null;
  readonly records: readonly FetchedRecord[];
}

/** Why a source could not be read, by who can do something about it. */
export type SourceFaultKind =
  /** It does not answer, or says that it cannot now: tried again by itself. */
  | "connection"
  /** It answers, and refuses the credentials or what they may see: tried again seldom, until they are changed. */
  | "credentials"
  /** What it answers is not what it should be. */
  | "answer"
  /** What the connection is told to do cannot be done there. */
  | "settings";

/**
 * Thrown by a connector that cannot go on. The message is shown to the organization: what is, and what to do; never a
 * secret, never what a person is called. Anything else that is thrown counts as `answer`.
 */
export class SourceFault extends Error {
  readonly kind: SourceFaultKind;

  constructor(kind: SourceFaultKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SourceFault";
    this.kind = kind;
  }
}

export interface SourceRequest {
  readonly method?: string;
  /** Without what authorizes it: that is the hub's to add. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For an answer that takes longer than usual: at most 600,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks the source, authorized as the connector's `auth` says. Only hosts that `hosts` names are asked, by https, past
 * the outbound gate; redirects are answers like others.
 *
 * 408, 429 and 5xx, and whatever the network does, are tried again a few times, after `Retry-After` where it is said; an
 * answer of up to 8 MiB also when it breaks off. Gives the source's answer whatever its status; fails with a SourceFault
 * when there is none.
 */
export type SourceFetch = (url: string | URL, request?: SourceRequest) => Promise<Response>;

/** The answer when its status is 2xx; else a SourceFault that says what was asked for, and `said`, the source's own words. */
export function expectOk(answer: Response, what: string, said: string | null = null): Response {
  if (answer.ok) return answer;
  const words = said === null || said.trim() === "" ? "" : `: ${said.trim().slice(0, 300)}`;
  if (answer.status === 401) {
    throw new SourceFault("credentials", `The source does not accept the credentials for ${what} (401)${words}`);
  }
  if (answer.status === 403) {
    throw new SourceFault("credentials", `The source does not let these credentials read ${what} (403)${words}`);
  }
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) {
    throw new SourceFault("connection", `The source cannot give ${what} now (${answer.status})${words}`);
  }
  throw new SourceFault("answer", `The source answered ${answer.status} for ${what}${words}`);
}

/** What a connector may use while it talks to its source. */
export interface SourceContext<Settings = unknown> {
  /** As `settings` made them: defaults filled in, forms unified. */
  readonly settings: Settings;
  /** What the connection's columns stand for: the connector's own mapping, and the connection's on top of it. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** Employment statuses that alone are imported; null: all. Rows are filtered by the hub, so all are to be fetched. */
  readonly onlyStatuses: readonly string[] | null;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly fetch: SourceFetch;
  readonly signal: AbortSignal;
  /** A line in the hub's log, without the connection's secrets. Never what a person is called. */
  log(message: string): void;
}

/** A warning about the whole input, for the run's report. */
export interface SourceWarning {
  readonly code: "field_restricted" | "status_not_in_source" | "source_changed";
  /** A field of the hub, or null. */
  readonly field: string | null;
  readonly message: string;
  readonly suggestion: string;
}

/** How far a fetch has come. States are JSON of at most 16 KiB, and never hold a person's data. */
export interface Checkpoint {
  /**
   * What this fetch saved last before its process ended; null at the beginning. Rows from before it are kept: go on
   * behind them.
   */
  readonly resume: unknown;
  /** What the last fetch that was read to its end and applied saved last, for sources that tell what has changed since. */
  readonly last: unknown;
  /** Keeps all rows that were yielded so far, and the state to go on from. */
  save(state: unknown): Promise<void>;
}

export interface FetchContext<Settings = unknown> extends SourceContext<Settings> {
  readonly entity: Entity;
  /** For connectors that are handed a file; null for those that fetch. */
  readonly drop: DropSource | null;
  /** The drop's rows, by its media type and the connection's reading settings. Only where there is a drop. */
  readDrop(): AsyncIterable<RowBlock>;
  readonly checkpoint: Checkpoint;
  /** Forgets all rows that were yielded so far, for a read that has to begin anew. */
  startOver(): Promise<void>;
  /** Says something in the run's report. At most 100 of them count. */
  warn(warning: SourceWarning): void;
}

/** What a look at the source showed. */
export interface CheckResult {
  /** Whether a run would have what it needs. */
  readonly ok: boolean;
  /** In one or two sentences, for an admin. */
  readonly detail: string;
  /** JSON of at most 64 KiB: what was seen, and what is missing. */
  readonly found: Readonly<Record<string, unknown>>;
}

/** Where a part of the credentials comes from. */
export type Credential = { readonly secret: string } | { readonly setting: string } | { readonly text: string };

/**
 * How requests are authorized. Data: the hub holds the secrets and puts them into each request.
 *
 * `oauth2` is the authorization code grant with PKCE (RFC 6749, RFC 7636): an admin allows it once in a browser, and the
 * hub keeps and renews the tokens.
 */
export type Auth<Settings = unknown> =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: Credential; readonly password: Credential }
  | { readonly kind: "bearer"; readonly token: Credential }
  | { readonly kind: "header"; readonly name: string; readonly value: Credential }
  | {
    readonly kind: "oauth2";
    readonly clientId: Credential;
    readonly clientSecret: Credential;
    /** How the client says who it is to the token endpoint; `post` (in the form) unless said. */
    readonly clientAuth?: "post" | "basic";
    readonly scopes: readonly string[];
    authorizationUrl(settings: Settings): string;
    tokenUrl(settings: Settings): string;
  };

/** A secret that a connection keeps: given once, sealed, never shown again. */
export interface SecretField {
  readonly title: string;
  readonly description?: string;
  /** Whether it has many lines, as a private key has. */
  readonly multiline?: boolean;
}

/**
 * How a source says by webhook that something has changed there. It is taken as a hint to fetch soon, and as nothing else:
 * what the body says is never looked at. Data: the hub holds the secret and verifies.
 */
export interface Hints {
  /** The secret that signs: HMAC-SHA256 over the body with the time behind it, in hex. */
  readonly secret: string;
  readonly signatureHeader: string;
  /** Where the time is said, in seconds since 1970. */
  readonly timestampHeader: string;
}

/** When a connection fetches by itself. */
export type ScheduleInput =
  /** Five fields, in an IANA time zone; the organization's unless said. */
  | { readonly cron: string; readonly timezone?: string }
  | { readonly every_minutes: number };

export interface NormalizeContext {
  /** The field that each column stands for, by the connection's dictionary. */
  readonly fields: Fields;
  readonly customFields: readonly CustomField[];
  /** ISO date in the organization's time zone. A record that it decides about needs a date of its own that is still to come. */
  readonly today: string;
}

export interface Connector<Settings = unknown> {
  /** Lower-case words joined by `-`; unique in the registry. */
  readonly name: string;
  /** SemVer. A new version makes the hub look at every row anew. */
  readonly version: string;
  readonly title: string;
  /** What a finished fetch means when nobody says otherwise. */
  readonly coverage: Coverage;
  /** Published as JSON Schema in the catalogue. */
  readonly settings: z.ZodType<Settings>;
  /** True: runs start when a drop is handed in. False: on a schedule or by hand. */
  readonly takesDrops: boolean;
  /** True: a bridge speaks with the source, and hands in what it finds. */
  readonly bridged?: boolean;
  /** Columns of the source and the fields that they stand for; null: a column that is not wanted. A connection's own mapping goes before it. */
  readonly mapping?: Readonly<Record<string, string | null>>;
  /** The field that a connection's records are told apart by, where it does not say; null or absent: the first input fixes it. */
  readonly key?: KeyField;
  /** When a connection fetches that does not say; absent: only when somebody asks. */
  readonly schedule?: ScheduleInput;
  /** The secrets that a connection may have, by name: lower-case words joined by `_`. */
  readonly secrets?: Readonly<Record<string, SecretField>>;
  /** Names of those without which nothing works, with these settings. Unless said, the ones that `auth` names. */
  requiredSecrets?(settings: Settings): readonly string[];
  /** How `fetch` is authorized, with these settings; absent: not at all. */
  auth?(settings: Settings): Auth<Settings>;
  /** The ways that `auth` may choose between, for whoever lists connectors. */
  readonly authKinds?: readonly Auth["kind"][];
  /**
   * All hosts that its `fetch` may ask, each with its port where that is none of https. Wherever else secrets go belongs
   * here too: when a change of the settings changes what this gives, the connection's secrets are cleared.
   */
  hosts?(settings: Settings): readonly string[];
  /** True: its fetch says itself which of the chosen employment statuses the source does not have. */
  readonly knowsStatuses?: boolean;
  /** How the source says that something has changed; absent: it cannot. */
  readonly hints?: Hints;
  /** Looks whether the source can be read, and at what is there. Fails like `fetch`, or says so in its answer. */
  check?(context: SourceContext<Settings>): Promise<CheckResult>;
  /**
   * Yields the source's rows: those of a drop as they are read, those of a source that is fetched as records. Returning
   * means that the read is complete; throwing, or stopping early, means that it is not.
   *
   * A drop may be read again within one run, and gives the same rows then. A source is read once for each run: what it
   * gave is kept as the run's drop, and planned from there.
   */
  fetch(context: FetchContext<Settings>): AsyncIterable<RowBlock | FetchedRows>;
  /** One row to one record. Pure; never throws: values that cannot be used are for the hub to report. */
  normalize(row: Row, context: NormalizeContext): SourceRecord;
}

/** Checks a connector's types; returns it as it is. */
export function defineConnector<Settings>(connector: Connector<Settings>): Connector<Settings> {
  return connector;
}

/** The record that says what the row's cells say, for sources whose columns are resolved by the connection's dictionary. */
export function recordFromCells(row: Row, fields: Fields): SourceRecord {
  const record: Record<string, Cell> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    const cell = row.cells[i];
    if (field != null && cell !== undefined) record[field] = cell;
  }
  return record;
}
