/**
 * The public module for connectors: what a connector is, and what it may use. Muster's own connectors import nothing else
 * of Muster but connector-settings.ts. Third-party ones get both as the package `@muster-hub/connector`.
 *
 * A connector knows one kind of source. It fetches rows and normalizes them; the hub does everything else: it schedules,
 * authorizes, retries, compares, applies and reports.
 */
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
import type { StandardSchemaV1 } from "./model/standard-schema.ts";

/** A file or list that was sent to the hub, as a stream of bytes. */
export interface DropSource {
  /** The name given by the sender, such as `users.csv`. */
  readonly name: string;
  /**
   * Media type, such as `text/csv`; `application/octet-stream` if the sender gave none. It has a parameter if the sender
   * declared the encoding: `text/csv; charset=windows-1250`.
   */
  readonly contentType: string;
  /** Received size in bytes. */
  readonly bytes: number;
  /** May be called more than once, because a run may read its drop several times. */
  open(): ReadableStream<Uint8Array>;
}

/**
 * One person or department, by the source's own names of its fields, such as `{ id: "1", mail: "ana@acme.test" }`. Values are
 * JSON, at most 1 MiB in all. A field whose name is absent is not changed; null and "" are empty cells.
 */
export type FetchedRecord = Readonly<Record<string, Cell>>;

/** A page of rows from a source that is fetched, and where it was read. All pages of a read have at most 1 GiB. */
export interface FetchedRows {
  /**
   * Helps people find a row at its source: a path or a page, such as `/v1/employees, page 3`. Null: nothing would help.
   * Never a secret. Cut to 300 characters.
   */
  readonly origin: string | null;
  /** In the source's order. Empty pages are allowed. */
  readonly records: readonly FetchedRecord[];
}

/** What `fetch` returns when the source has nothing new; made by `unchanged`. */
export interface Unchanged {
  /** Why, as it is shown with the run. */
  readonly unchanged: string;
}

/**
 * To be returned by a `fetch` that has yielded nothing, when the source says that nothing has changed since
 * `checkpoint.last`: it answered 304, or the digest is the same. The hub plans the rows of that last fetch again, so that a
 * new mapping or policy counts. `because` is shown with the run, such as "it answered 304". Without a last fetch, or after
 * rows were yielded, it fails the run with `connector_failed`.
 *
 * ```ts
 * const answer = await fetch(url, { headers: { "if-none-match": String(checkpoint.last ?? "") } });
 * if (answer.status === 304) return unchanged("it answered 304");
 * ```
 */
export function unchanged(because: string): Unchanged {
  return { unchanged: because };
}

/** Why a source cannot be read. The kind shows who can correct it, and decides how the hub retries. */
export type SourceFaultKind =
  /** It does not respond, or reports a temporary problem. The hub retries by itself. */
  | "connection"
  /** It refuses the credentials, or lacks permissions for them. The hub retries rarely, until they are changed. */
  | "credentials"
  /** Its response is not as expected. */
  | "answer"
  /** The connection's settings do not fit the source. */
  | "settings";

/**
 * To be thrown by a connector that cannot go on. The message is shown to the organization, so it should name the problem
 * and what to do, and must not contain secrets or people's data. A SyntaxError, as from an answer that is no JSON, counts
 * as `answer`. Any other error counts as the connector's own: the run names its file and line, and its message is not shown.
 *
 * ```ts
 * throw new SourceFault("answer", "The source's list of people has no page 3; ask its support");
 * ```
 */
export class SourceFault extends Error {
  /** Who can correct it. */
  readonly kind: SourceFaultKind;

  /** `cause`: the error behind it, which is never shown. */
  constructor(kind: SourceFaultKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SourceFault";
    this.kind = kind;
  }
}

/** A request to the source. */
export interface SourceRequest {
  /** `GET` by default. */
  readonly method?: string;
  /** Without credentials, as the hub adds them: `authorization` and `host` are left out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** As it is sent; name its `content-type` among the headers. Sent again by a retry. */
  readonly body?: string | Uint8Array;
  /** Milliseconds until the response; 120,000 by default, at most 600,000. */
  readonly timeoutMs?: number;
}

/**
 * Sends a request to the source, with the credentials of the connector's `auth`. Only the connector's `hosts` can be
 * reached, and only through the hub's outbound gate. Redirects are returned and not followed.
 *
 * Network errors and the statuses 408, 429 and 5xx are retried up to five times, after `Retry-After` if there is one of at most
 * ten minutes. So is a response of up to 8 MiB that breaks off. A response has at most 512 MiB. Returns a response of any
 * status; fails with a SourceFault if there is none, or if the host is not one of `hosts`.
 */
export type SourceFetch = (url: string | URL, request?: SourceRequest) => Promise<Response>;

/**
 * Returns the response if its status is 2xx. Otherwise fails with a SourceFault that names `what` was requested, such as
 * "employees", and quotes the first 300 characters of `detail`, the source's own message. Its kind is `credentials` after 401
 * and 403, `connection` after 408, 429 and 5xx, and otherwise `answer`.
 *
 * ```ts
 * const { people } = await expectOk(await fetch(`https://${settings.host}/people`), "people").json();
 * ```
 */
export function expectOk(answer: Response, what: string, detail: string | null = null): Response {
  if (answer.ok) return answer;
  const words = detail === null || detail.trim() === "" ? "" : `: ${detail.trim().slice(0, 300)}`;
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

/** What a connector may use while it reads or checks its source. */
export interface SourceContext<Settings = unknown> {
  /** As parsed by the connector's `settings` schema, with its defaults. */
  readonly settings: Settings;
  /** The field of each column: the connector's own mapping, overridden by the connection's. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** Employment statuses that are imported; null: all. The hub filters rows, so a connector still fetches all of them. */
  readonly onlyStatuses: readonly string[] | null;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  /** The only way to the source. */
  readonly fetch: SourceFetch;
  /** Aborted when the read is to end, as when the hub stops: what waits by itself should end then. */
  readonly signal: AbortSignal;
  /** Writes a line to the hub's log; the connection's secrets are removed. Must not contain people's data. */
  log(message: string): void;
}

/** A warning about the whole input, which the run's report shows. */
export interface SourceWarning {
  /**
   * `field_restricted`: the credentials may not see a field; `status_not_in_source`: a chosen employment status is unknown
   * there; `source_changed`: it changed while it was read.
   */
  readonly code: "field_restricted" | "status_not_in_source" | "source_changed";
  /** The hub's name of the field that it is about, or null. */
  readonly field: string | null;
  /** What is wrong, in a sentence of at most 500 characters without people's data. */
  readonly message: string;
  /** What to do about it, in a few words, at most 500 characters. */
  readonly suggestion: string;
}

/**
 * Lets a fetch continue where it was interrupted. States are JSON of at most 16 KiB, without people's data.
 *
 * ```ts
 * for (let page = Number(checkpoint.resume ?? 1), last = page; page <= last; page++) {
 *   const answer = expectOk(await fetch(`https://${settings.host}/people?page=${page}`), "people");
 *   const { people, pages } = await answer.json();
 *   yield { origin: `page ${page}`, records: people };
 *   await checkpoint.save(page + 1);
 *   last = pages;
 * }
 * ```
 */
export interface Checkpoint {
  /** The state that this fetch saved last before it was interrupted: continue after it. Null: start at the beginning. */
  readonly resume: unknown;
  /**
   * The final state of the last fetch of this entity that was complete and applied, for sources that can list changes since
   * then, or say that there are none. Null as well when the hub no longer has the rows of that fetch.
   */
  readonly last: unknown;
  /**
   * Stores all rows that have been yielded so far, together with the state from which to continue. The last one that is saved
   * is the `last` of the next fetch. Fails the run with `connector_failed` for a state that is no JSON, or is too long.
   */
  save(state: unknown): Promise<void>;
}

/** What is known of a body that is read. */
export interface ReadAs {
  /** Media type, such as `text/csv; charset=windows-1250`; of a Response, its own by default. */
  readonly contentType?: string;
  /** Name of the file, which names the format where the type does not. Shown as the rows' origin. */
  readonly name?: string;
}

/** What `fetch` may use. */
export interface FetchContext<Settings = unknown> extends SourceContext<Settings> {
  /** What is asked for: departments are read before people, each by a run of its own. */
  readonly entity: Entity;
  /** The drop; null for connectors that fetch. */
  readonly drop: DropSource | null;
  /** Reads the drop by its media type and the connection's reading settings. Fails if there is no drop. */
  readDrop(): AsyncIterable<RowBlock>;
  /** Where to continue, and what the last fetch has left. */
  readonly checkpoint: Checkpoint;
  /**
   * Reads the body of an answer as the hub reads a file that is sent: CSV in all its dialects and encodings, JSON, NDJSON,
   * workbooks, gzip, PGP, by the connection's reading settings. Yields pages whose records have the body's own columns. A
   * row of another length than the header fails it, but for empty columns at its end.
   */
  read(body: Response | ReadableStream<Uint8Array>, as?: ReadAs): AsyncGenerator<FetchedRows, void>;
  /**
   * How many records there are, by the source's own account. With fewer or more at the end, the read is not complete; the
   * last number counts. Records that came again are counted once.
   */
  expectTotal(count: number): void;
  /** Discards all rows that have been yielded so far, for a read that has to start again. At most 20 times. */
  startOver(): Promise<void>;
  /** Adds a warning to the run's report. Only the first 100 count. */
  warn(warning: SourceWarning): void;
}

/** The result of a check, such as `{ ok: true, detail: "60 people can be read", found: { people: 60 } }`. */
export interface CheckResult {
  /** Whether a run could read the source. */
  readonly ok: boolean;
  /** One or two sentences for an admin. */
  readonly detail: string;
  /** What was found, and what is missing, as JSON of at most 64 KiB. */
  readonly found: Readonly<Record<string, unknown>>;
}

/**
 * One part of the credentials: a secret or a setting of the connection by its name, such as `{ secret: "api_key" }`, or a
 * constant text.
 */
export type Credential = { readonly secret: string } | { readonly setting: string } | { readonly text: string };

/** How the hub, as a client, gets tokens from a token endpoint. */
export interface TokenRequest<Settings> {
  /** Empty: no scope is sent. */
  readonly scopes: readonly string[];
  /** An address whose host is among the connector's `hosts`. Pure. */
  tokenUrl(settings: Settings): string;
}

/** What a client authenticates with at the token endpoint. */
export interface ClientSecret {
  /** Its public name. */
  readonly clientId: Credential;
  /** Its password. */
  readonly clientSecret: Credential;
  /** In the form (`post`, the default) or by header (`basic`). */
  readonly clientAuth?: "post" | "basic";
}

/**
 * How requests are authorized. The hub holds the secrets and adds them to each request; the connector never sees them.
 *
 * `oauth2` is the authorization code grant with PKCE (RFC 6749, RFC 7636): an admin authorizes the connection once in a
 * browser, and the hub stores and renews the tokens. `client_credentials` (RFC 6749, section 4.4) and `jwt_bearer` (RFC
 * 7523, section 2.1; service accounts) need no person: the hub asks for a token when it needs one, uses it until it
 * expires, and asks once more when the source refuses it.
 *
 * ```ts
 * auth: () => ({ kind: "header", name: "x-api-key", value: { secret: "api_key" } }),
 * ```
 */
export type Auth<Settings = unknown> =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: Credential; readonly password: Credential }
  | { readonly kind: "bearer"; readonly token: Credential }
  | { readonly kind: "header"; readonly name: string; readonly value: Credential }
  | { readonly kind: "oauth2" } & ClientSecret & TokenRequest<Settings> & {
    authorizationUrl(settings: Settings): string;
  }
  | { readonly kind: "client_credentials" } & ClientSecret & TokenRequest<Settings> & {
    /** Sent besides, such as `audience` or `resource`. */
    readonly parameters?: Readonly<Record<string, string>>;
  }
  | { readonly kind: "jwt_bearer" } & Partial<ClientSecret> & TokenRequest<Settings> & {
    /** `iss`, and `sub`, by default the same. */
    readonly issuer: Credential;
    readonly subject?: Credential;
    /** `aud`; by default, the token URL. */
    readonly audience?: string;
    /** Signs the assertion: PKCS#8 in PEM. */
    readonly privateKey: Credential;
    /** `RS256` by default. */
    readonly algorithm?: "RS256" | "RS384" | "RS512" | "PS256" | "ES256" | "ES384" | "EdDSA";
    /** `kid` of the assertion's header. */
    readonly keyId?: Credential;
    /** More claims, such as Box's `box_sub_type`. Scopes are sent both as a claim and in the form. */
    readonly claims?: Readonly<Record<string, string>>;
  };

/** The kinds of Auth. */
export const AUTH_KINDS = [
  "none",
  "basic",
  "bearer",
  "header",
  "oauth2",
  "client_credentials",
  "jwt_bearer",
] as const satisfies readonly Auth["kind"][];

/** A secret of a connection: a text of at most 16,384 characters. It is stored sealed, and never shown again. */
export interface SecretField {
  /** For the form in which an admin sets it, such as `API key`. */
  readonly title: string;
  /** Where an admin finds it at the source. */
  readonly description?: string;
  /** Whether it has several lines, like a private key. */
  readonly multiline?: boolean;
}

/**
 * How a source notifies the hub by webhook that something has changed. The hub verifies the signature and then fetches
 * soon; it does not use the body.
 */
export interface Hints {
  /** Name of the secret that signs: HMAC-SHA256 over the body followed by the timestamp, in hexadecimal. */
  readonly secret: string;
  /** The header with the signature. */
  readonly signatureHeader: string;
  /** The header with the time, in seconds since 1970. */
  readonly timestampHeader: string;
}

/** When a connection fetches automatically, such as `{ cron: "0 3 * * *" }` or `{ every_minutes: 60 }`. */
export type ScheduleInput =
  /** Five fields, in an IANA time zone; the organization's by default. */
  | { readonly cron: string; readonly timezone?: string }
  /** From 1, a whole number. */
  | { readonly every_minutes: number };

/** What `normalize` may use. */
export interface NormalizeContext<Settings = unknown> {
  /** As in SourceContext. */
  readonly settings: Settings;
  /** The field of each column of the row, by the connection's dictionary and mapping. */
  readonly fields: Fields;
  /** What the organization has beside the hub's own fields; a record may have them by their keys. */
  readonly customFields: readonly CustomField[];
  /**
   * ISO date in the organization's time zone. Unchanged rows are not normalized every day, so `today` must not decide about
   * a record unless it has a date in the future.
   */
  readonly today: string;
}

/** What a version of the connector has stored with a connection. */
export interface Stored<T> {
  /** The version that stored it. */
  readonly version: string;
  /** As it was stored. */
  readonly value: T;
}

/** What an upgrade makes of a connection's settings. */
export interface MigratedSettings {
  /** An object that this version's schema accepts. */
  readonly settings: unknown;
  /** Secrets that have another name in this version: old name → new name. All others keep theirs. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * A connector: the default export of its module. Everything but `fetch` and `check` is data or a pure function.
 *
 * ```ts
 * export default defineConnector({
 *   api: 1,
 *   name: "acme-hr",
 *   version: "1.0.0",
 *   title: "Acme HR",
 *   coverage: { users: "full" },
 *   input: "fetch",
 *   settings: z.strictObject({ host: z.string() }),
 *   mapping: { id: "employee_id", mail: "email" },
 *   key: "employee_id",
 *   secrets: { token: { title: "API token" } },
 *   auth: () => ({ kind: "bearer", token: { secret: "token" } }),
 *   hosts: ({ host }) => [host],
 *   async *fetch({ fetch, settings }) {
 *     const answer = expectOk(await fetch(`https://${settings.host}/people`), "people");
 *     yield { origin: "/people", records: await answer.json() };
 *   },
 * });
 * ```
 */
export interface Connector<Settings = unknown> {
  /** Version of this interface. */
  readonly api: 1;
  /** Lower-case words joined by `-`; unique in the registry. */
  readonly name: string;
  /** SemVer. After a new version, the hub reads every row again, also unchanged ones. */
  readonly version: string;
  /** What people call it, such as `Acme payroll`. */
  readonly title: string;
  /** Where people read about it: an `http:` or `https:` address. */
  readonly homepage?: string;
  /** What admins should know before they connect, such as what the source leaves out; of a field, or of all. At most 20. */
  readonly notes?: readonly { readonly field?: string; readonly text: string }[];
  /**
   * The entities that it brings, each with what a complete read contains by default: `full`, all of them; `diff`, only
   * those that changed. A connector that fetches both gets a run of each, departments first.
   */
  readonly coverage: Readonly<Partial<Record<Entity, Coverage>>>;
  /**
   * Schema of a connection's settings, of any library that implements Standard Schema (zod, valibot, arktype). It
   * describes an object, and validates at once, without a promise. The hub itself uses those of how drops are read, where
   * a schema has them: `charset`, `delimiter`, `skip_lines`, `sheet`, `date_format` and `exact_names`. It refuses a
   * `charset` that it cannot decode.
   */
  readonly settings: StandardSchemaV1<unknown, Settings>;
  /** The settings as JSON Schema, for the catalogue. Needed where the library does not implement Standard JSON Schema. */
  readonly settingsJsonSchema?: Readonly<Record<string, unknown>>;
  /** `drop`: a run starts when a drop is sent. `fetch`: a run fetches, on a schedule or on request. */
  readonly input: "drop" | "fetch";
  /** True: a bridge reads the source, and sends its files as drops. */
  readonly bridged?: boolean;
  /** The fields of the source's columns; null: the column is ignored. A connection's own mapping overrides it. */
  readonly mapping?: Readonly<Record<string, string | null>>;
  /** The default key, which distinguishes records; absent: the first input decides. */
  readonly key?: KeyField;
  /** The default schedule; absent: only on request. */
  readonly schedule?: ScheduleInput;
  /** Secrets that a connection may have, by name: lower-case words joined by `_`. */
  readonly secrets?: Readonly<Record<string, SecretField>>;
  /** Names of the secrets that are needed with these settings; by default, those in `auth`. Pure. */
  requiredSecrets?(settings: Settings): readonly string[];
  /** How `fetch` is authorized with these settings; absent: not at all. Pure. */
  auth?(settings: Settings): Auth<Settings>;
  /** The kinds that `auth` may return, for lists of connectors. */
  readonly authKinds?: readonly Auth["kind"][];
  /**
   * All hosts that `fetch` may reach, each with its port unless that is 443, and all others that secrets are sent to. When a
   * change of the settings changes this list, the connection's secrets are cleared. Absent: none. Pure.
   */
  hosts?(settings: Settings): readonly string[];
  /** True: `fetch` itself warns of chosen employment statuses that the source does not have. */
  readonly knowsStatuses?: boolean;
  /** How the source announces changes; absent: it does not. */
  readonly hints?: Hints;
  /**
   * Checks whether the source can be read, when an admin asks for it; absent: it cannot be asked. It should send few requests.
   * A failure is thrown as by `fetch`, or returned. Ends with `connector_failed` after five minutes without a request.
   */
  check?(context: SourceContext<Settings>): Promise<CheckResult>;
  /**
   * Yields all rows: blocks of a drop, or records of a source. Returning means that the read is complete, and people who
   * were not yielded may be taken for missing; so never return early, but throw.
   *
   * A drop may be read several times in one run, and must yield the same rows each time. A source is read once for each
   * run: its records are stored as the run's drop, which is planned. Records that come again with the same content, as on
   * pages of a list that moves, count once.
   */
  fetch(context: FetchContext<Settings>): AsyncIterable<RowBlock | FetchedRows, Unchanged | void>;
  /**
   * Turns one row into one record; absent: the mapping says it all. Pure, and leaves values that cannot be used to the hub,
   * which reports them. A row for which it throws, or gives something else than a record, is rejected as an issue of that
   * row.
   */
  normalize?(row: Row, context: NormalizeContext<Settings>): SourceRecord;
  /**
   * Turns the settings of an earlier version into those of this one, as they are before defaults are filled in; absent:
   * they stay as they are. Pure, and made for settings of every earlier version: what it throws refuses the upgrade.
   */
  migrateSettings?(from: Stored<unknown>): MigratedSettings;
  /**
   * Turns the `checkpoint` state of an earlier version into one of this version; null: the source is read anew, and so it
   * is where this function is absent, or throws. Pure. A state of a later version is never given to an earlier one.
   */
  migrateState?(from: Stored<unknown>): unknown;
}

/**
 * Returns the connector unchanged. Infers the type of its settings. The hub checks all of it when it is loaded, and names all
 * that is wrong.
 */
export function defineConnector<Settings>(connector: Connector<Settings>): Connector<Settings> {
  return connector;
}

/** The row's cells by field, for connectors whose columns need nothing but the connection's dictionary. */
export function recordFromCells(row: Row, fields: Fields): SourceRecord {
  const record: Record<string, Cell> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    const cell = row.cells[i];
    if (field != null && cell !== undefined) record[field] = cell;
  }
  return record;
}
