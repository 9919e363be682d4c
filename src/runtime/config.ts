/** Parses the environment into checked settings, or returns all problems at once. No I/O, no clock. */

import { Fault } from "../model/errors.ts";
import { type AllowHosts, judgeUrl, OutboundRefused, parseAllowHosts } from "../security/outbound.ts";
import { isMasterKeyText, MASTER_KEY_FORM } from "../security/secrets.ts";
import type { OpenIdSettings } from "../security/openid.ts";
import { isTokenText, TOKEN_FORM } from "../security/token.ts";
import { KEY_NAMES, parsePlace, type PlaceSettings } from "./backups/settings.ts";
import { isLoopback } from "./loopback.ts";
import { unknownNames } from "./setting-names.ts";

export interface Config {
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
  /** Folder of the database, the first token and the hub's other files. */
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly databaseAuthToken: string | null;
  /** Token text to install as the first one, its checksum verified. */
  readonly adminToken: string | null;
  /** The current master key and then earlier ones; empty: they are in the data directory. */
  readonly masterKeys: readonly string[];
  /** Without a trailing slash; null: the address at which the hub listens. */
  readonly publicUrl: string | null;
  /** Module specifiers of third-party connectors. */
  readonly connectors: readonly string[];
  readonly retainDays: number;
  /** The place of scheduled backups, and how many are kept; null: none are made. */
  readonly backup: { readonly place: PlaceSettings; readonly keep: number } | null;
  /** Port of the hosted SFTP server, at `host`; 0: there is no server. */
  readonly sftpPort: number;
  /** Folder of hosted trees and of the bridge's keys. */
  readonly sftpDir: string;
  /** The hosted server's address for customers, if it differs from the one at which it listens. */
  readonly sftpAddress: SftpAddress | null;
  /** Limits of one connection's uploads that wait in the hosted server. */
  readonly sftpQuota: { readonly bytes: number; readonly files: number };
  /** Checked exceptions from the outbound gate. They stay text (outbound.ts), so that threads can be given them. */
  readonly allowHosts: string;
  /** `smtp:` or `smtps:`, with user name and password if the server needs them; null: no mail is sent. */
  readonly smtpUrl: string | null;
  /** Sender of mails, with or without a name before the address; null only without smtpUrl. */
  readonly mailFrom: string | null;
  /** Null: only the hub's own tokens are accepted. */
  readonly openid: OpenIdSettings | null;
  /** Requests per minute of each token; 0: any number. */
  readonly rateLimit: number;
  /** Failed log-ins per minute of each network address; 0: any number. */
  readonly loginLimit: number;
  /** Connections of the HTTP server at a time; 0: as many as the process's limit of open files allows. */
  readonly maxConnections: number;
  /** The header in which a proxy sends the client's address; null: there is no proxy. */
  readonly addressHeader: string | null;
}

export interface SftpAddress {
  readonly host: string;
  /** Null: the port at which the server listens. */
  readonly port: number | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ParsedConfig {
  /** Null when there are problems. */
  readonly config: Config | null;
  /** Each names a variable, its value and what it should be. */
  readonly problems: readonly string[];
  /** Probable mistakes that do not prevent a start. */
  readonly warnings: readonly string[];
}

/** Names with the prefix of Muster; others with that prefix are probably mistyped. */
const NAMES = [
  "MUSTER_DATA_DIR",
  "MUSTER_ADMIN_TOKEN",
  "MUSTER_MASTER_KEY",
  "MUSTER_MASTER_KEY_PREVIOUS",
  "MUSTER_PUBLIC_URL",
  "MUSTER_CONNECTORS",
  "MUSTER_RETAIN_DAYS",
  "MUSTER_BACKUP",
  "MUSTER_BACKUP_KEEP",
  "MUSTER_SFTP_PORT",
  "MUSTER_SFTP_DIR",
  "MUSTER_SFTP_ADDRESS",
  "MUSTER_SFTP_QUOTA_MIB",
  "MUSTER_SFTP_QUOTA_FILES",
  "MUSTER_BRIDGE_TOKEN",
  "MUSTER_RATE_LIMIT",
  "MUSTER_LOGIN_LIMIT",
  "MUSTER_MAX_CONNECTIONS",
  "MUSTER_ADDRESS_HEADER",
  "MUSTER_ALLOW_HOSTS",
];

/** All variables that are read, as help lists them. */
export const SETTINGS: readonly string[] = [
  "PORT",
  "HOST",
  "DATABASE_URL",
  "DATABASE_AUTH_TOKEN",
  ...NAMES,
  "OIDC_ISSUER",
  "OIDC_AUDIENCE",
  "OIDC_ORGANIZATION_CLAIM",
  "OIDC_OPERATORS",
  "SMTP_URL",
  "MAIL_FROM",
  ...KEY_NAMES,
];

/** `warn` is called with probable mistakes. Fails with `unprocessable`, with all problems in one message. */
export function loadConfig(env: Environment, warn: (line: string) => void): Config {
  const { config, problems, warnings } = parseConfig(env);
  for (const warning of warnings) warn(warning);
  if (config === null) throw new Fault("unprocessable", problems.join("\n"));
  return config;
}

export function parseConfig(env: Environment): ParsedConfig {
  const read = createReader(env);
  const { text, wholeNumber, problems } = read;
  const dataDir = text("MUSTER_DATA_DIR") ?? "./data";
  const isDatabase = (url: string) => /^(file|libsql|https?|wss?):/.test(url);
  const database = "the address of a database: it should begin with file:, libsql: or https:";
  const databaseUrl = read.secret("DATABASE_URL", isDatabase, database) ?? `file:${dataDir}/muster.db`;
  const config: Config = {
    host: text("HOST") ?? "127.0.0.1",
    port: wholeNumber("PORT", 8787, 0, 65535),
    dataDir,
    databaseUrl,
    databaseAuthToken: text("DATABASE_AUTH_TOKEN"),
    adminToken: read.secret("MUSTER_ADMIN_TOKEN", isTokenText, `a token: it should be ${TOKEN_FORM}`),
    masterKeys: masterKeys(read),
    publicUrl: publicUrl(read),
    connectors: read.list("MUSTER_CONNECTORS"),
    retainDays: wholeNumber("MUSTER_RETAIN_DAYS", 30, 1, 3650),
    backup: backup(read, databaseUrl),
    sftpPort: wholeNumber("MUSTER_SFTP_PORT", 2222, 0, 65535),
    sftpDir: text("MUSTER_SFTP_DIR") ?? `${dataDir}/sftp`,
    sftpAddress: sftpAddress(read),
    sftpQuota: {
      bytes: wholeNumber("MUSTER_SFTP_QUOTA_MIB", 4096, 1, 1_048_576) * 1024 ** 2,
      files: wholeNumber("MUSTER_SFTP_QUOTA_FILES", 10_000, 1, 100_000),
    },
    allowHosts: text("MUSTER_ALLOW_HOSTS") ?? "",
    smtpUrl: read.secret("SMTP_URL", isSmtpUrl, `the address of a mail server: it should be like ${SMTP_EXAMPLE}`),
    mailFrom: mailFrom(read),
    openid: openIdSettings(read),
    rateLimit: wholeNumber("MUSTER_RATE_LIMIT", 6000, 0, 10_000_000),
    loginLimit: wholeNumber("MUSTER_LOGIN_LIMIT", 60, 0, 10_000_000),
    maxConnections: wholeNumber("MUSTER_MAX_CONNECTIONS", 0, 0, 1_000_000),
    addressHeader: read.checked("MUSTER_ADDRESS_HEADER", isHeaderName, "the name of a header, like X-Forwarded-For"),
  };
  const { allow, problems: badHosts } = parseAllowHosts(config.allowHosts);
  problems.push(...badHosts.map((problem) => `MUSTER_ALLOW_HOSTS has ${problem}`));
  const issuer = config.openid?.issuer;
  if (issuer !== undefined && isRefused(issuer, allow)) {
    problems.push(`OIDC_ISSUER is "${issuer}", which is not called: MUSTER_ALLOW_HOSTS should name its host`);
  }
  const links = linksNobodyOpens(config);
  if (links !== null && !isLoopback(config.host)) problems.push(links);
  const warnings = [...unknownNames(env, NAMES), ...(links !== null && isLoopback(config.host) ? [links] : [])];
  return { config: problems.length === 0 ? config : null, problems, warnings };
}

type Reader = ReturnType<typeof createReader>;

/** Reads variables, and collects the problems. */
function createReader(env: Environment) {
  const problems: string[] = [];

  /** An empty variable counts as absent, because compose files and systemd units write it so. */
  function text(name: string): string | null {
    const value = env[name]?.trim();
    return value === undefined || value === "" ? null : value;
  }

  return {
    problems,
    text,
    list: (name: string) => (text(name) ?? "").split(/[\s,]+/).filter((part) => part !== ""),
    checked(name: string, isGood: (value: string) => boolean, shouldBe: string): string | null {
      const value = text(name);
      if (value !== null && !isGood(value)) problems.push(`${name} is "${value}": it should be ${shouldBe}`);
      return value;
    },
    /** Problems do not repeat the value: a mistyped secret is still nearly the secret. */
    secret(name: string, isGood: (value: string) => boolean, what: string): string | null {
      const value = text(name);
      if (value !== null && !isGood(value)) problems.push(`${name} is not ${what}`);
      return value;
    },
    wholeNumber(name: string, usual: number, min: number, max: number): number {
      const value = text(name);
      if (value === null) return usual;
      const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
      if (number >= min && number <= max) return number;
      problems.push(`${name} is "${value}": it should be a whole number from ${min} to ${max}`);
      return usual;
    },
  };
}

function masterKeys({ secret, problems }: Reader): string[] {
  const [current, previous] = ["MUSTER_MASTER_KEY", "MUSTER_MASTER_KEY_PREVIOUS"].map((name) =>
    secret(name, isMasterKeyText, `a key: it should be ${MASTER_KEY_FORM}`)
  );
  if (current === null && previous !== null) {
    problems.push("MUSTER_MASTER_KEY_PREVIOUS is set and MUSTER_MASTER_KEY is not: it should be the new key");
  }
  return [current, previous].filter((key) => key != null);
}

function publicUrl({ checked }: Reader): string | null {
  const url = checked("MUSTER_PUBLIC_URL", isWebAddress, "an address like https://muster.example.com");
  return url?.replace(/\/+$/, "") ?? null;
}

function backup({ text, wholeNumber, problems }: Reader, databaseUrl: string): Config["backup"] {
  const address = text("MUSTER_BACKUP"), keep = wholeNumber("MUSTER_BACKUP_KEEP", 14, 1, 1000);
  if (address === null) return null;
  if (!databaseUrl.startsWith("file:")) problems.push("MUSTER_BACKUP is for a database that is a file: unset it");
  const { settings: place, problems: others } = parsePlace(address, "MUSTER_BACKUP", text);
  problems.push(...others);
  return place && { place, keep };
}

function sftpAddress({ checked }: Reader): SftpAddress | null {
  const isAddress = (text: string) => parseAddress(text) !== null;
  const shouldBe = "a host, like sftp.example.com or sftp.example.com:22";
  return parseAddress(checked("MUSTER_SFTP_ADDRESS", isAddress, shouldBe) ?? "");
}

function parseAddress(text: string): SftpAddress | null {
  const [, host, port] = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = port === undefined ? null : Number(port);
  return host === undefined || (number !== null && (number < 1 || number > 65535)) ? null : { host, port: number };
}

function mailFrom({ text, checked, problems }: Reader): string | null {
  const isSender = (text: string) => /^([^<>@\p{Cc}]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u.test(text);
  const shouldBe = "an address, like muster@example.com or Muster <muster@example.com>";
  const sender = checked("MAIL_FROM", isSender, shouldBe);
  if (sender === null && text("SMTP_URL") !== null) {
    problems.push("MAIL_FROM is not set: it should be the address that mails come from, like muster@example.com");
  }
  return sender;
}

/** Why the links of mails would open on the hub's own machine alone; null: they do not. */
function linksNobodyOpens({ smtpUrl, publicUrl, host }: Config): string | null {
  if (smtpUrl === null || publicUrl !== null) return null;
  return `SMTP_URL is set and MUSTER_PUBLIC_URL is not: links in mails would lead to "${host}", so it should be the ` +
    "address at which others reach the hub, like https://muster.example.com";
}

/** All or none of the variables have to be set: with some of them, no token or too many would be accepted. */
function openIdSettings({ text, list, checked, problems }: Reader): OpenIdSettings | null {
  const needed = ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_ORGANIZATION_CLAIM"] as const;
  const given = [...needed, "OIDC_OPERATORS"].filter((name) => text(name) !== null);
  if (given.length === 0) return null;
  for (const name of needed.filter((name) => text(name) === null)) {
    problems.push(`${name} is missing: it should be set, as ${given[0]} is`);
  }
  const issuer = checked("OIDC_ISSUER", isWebAddress, "an address like https://login.example.com");
  const audience = text("OIDC_AUDIENCE"), organizationClaim = text("OIDC_ORGANIZATION_CLAIM");
  if (issuer === null || audience === null || organizationClaim === null) return null;
  return { issuer, audience, organizationClaim, operators: list("OIDC_OPERATORS") };
}

/** Whether the text is an http or https URL without query, fragment and user name. */
export function isWebAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username === "";
}

const SMTP_EXAMPLE = "smtps://name:password@mail.example.com";

function isSmtpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== "";
}

function isHeaderName(text: string): boolean {
  return /^[A-Za-z0-9-]{1,100}$/.test(text);
}

/** Whether the outbound gate refuses the URL. False for what is not a URL. */
function isRefused(url: string, allow: AllowHosts): boolean {
  try {
    judgeUrl(url, allow);
    return false;
  } catch (error) {
    if (error instanceof OutboundRefused) return URL.canParse(url);
    throw error;
  }
}
