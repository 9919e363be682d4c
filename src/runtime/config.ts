/** Parses the environment into checked settings, or returns all problems at once. No I/O, no clock. */

import { judgeUrl, OutboundRefused, parseAllowHosts } from "../security/outbound.ts";
import { isMasterKeyText, MASTER_KEY_FORM } from "../security/secrets.ts";
import type { OpenIdSettings } from "../security/openid.ts";
import { isTokenText, TOKEN_FORM } from "../security/token.ts";

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

const NAMES = [
  "MUSTER_DATA_DIR",
  "MUSTER_ADMIN_TOKEN",
  "MUSTER_MASTER_KEY",
  "MUSTER_MASTER_KEY_PREVIOUS",
  "MUSTER_PUBLIC_URL",
  "MUSTER_CONNECTORS",
  "MUSTER_RETAIN_DAYS",
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

const DATABASE_SCHEMES = ["file:", "libsql:", "https:", "http:", "wss:", "ws:"];

export function parseConfig(env: Environment): ParsedConfig {
  const problems: string[] = [];
  const dataDir = text(env, "MUSTER_DATA_DIR") ?? "./data";
  const databaseUrl = text(env, "DATABASE_URL") ?? `file:${dataDir}/muster.db`;
  const scheme = /^[a-z]+:/.exec(databaseUrl)?.[0];
  if (scheme === undefined || !DATABASE_SCHEMES.includes(scheme)) {
    // The address may contain a password, so it is not repeated.
    problems.push("DATABASE_URL is not the address of a database: it should begin with file:, libsql: or https:");
  }
  const config: Config = {
    host: text(env, "HOST") ?? "127.0.0.1",
    port: wholeNumber(env, "PORT", { usual: 8787, min: 0, max: 65535 }, problems),
    dataDir,
    databaseUrl,
    databaseAuthToken: text(env, "DATABASE_AUTH_TOKEN"),
    adminToken: tokenText(env, "MUSTER_ADMIN_TOKEN", problems),
    masterKeys: masterKeys(env, problems),
    publicUrl: webAddress(env, "MUSTER_PUBLIC_URL", problems),
    connectors: (text(env, "MUSTER_CONNECTORS") ?? "").split(/[\s,]+/).filter((part) => part !== ""),
    retainDays: wholeNumber(env, "MUSTER_RETAIN_DAYS", { usual: 30, min: 1, max: 3650 }, problems),
    sftpPort: wholeNumber(env, "MUSTER_SFTP_PORT", { usual: 2222, min: 0, max: 65535 }, problems),
    sftpDir: text(env, "MUSTER_SFTP_DIR") ?? `${dataDir}/sftp`,
    sftpAddress: sftpAddress(env, problems),
    sftpQuota: {
      bytes: wholeNumber(env, "MUSTER_SFTP_QUOTA_MIB", { usual: 4096, min: 1, max: 1_048_576 }, problems) * 1024 ** 2,
      files: wholeNumber(env, "MUSTER_SFTP_QUOTA_FILES", { usual: 10_000, min: 1, max: 100_000 }, problems),
    },
    allowHosts: allowHosts(env, problems),
    ...mailSettings(env, problems),
    openid: openIdSettings(env, problems),
    rateLimit: wholeNumber(env, "MUSTER_RATE_LIMIT", { usual: 6000, min: 0, max: 10_000_000 }, problems),
    loginLimit: wholeNumber(env, "MUSTER_LOGIN_LIMIT", { usual: 60, min: 0, max: 10_000_000 }, problems),
    maxConnections: wholeNumber(env, "MUSTER_MAX_CONNECTIONS", { usual: 0, min: 0, max: 1_000_000 }, problems),
    addressHeader: headerName(env, "MUSTER_ADDRESS_HEADER", problems),
  };
  const { openid } = config;
  if (openid !== null && isRefused(openid.issuer, config.allowHosts)) {
    problems.push(`OIDC_ISSUER is "${openid.issuer}", which is not called: MUSTER_ALLOW_HOSTS should name its host`);
  }
  return { config: problems.length === 0 ? config : null, problems, warnings: unknownNames(env) };
}

/** An empty variable counts as absent, because compose files and systemd units write it so. */
function text(env: Environment, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? null : value;
}

function wholeNumber(
  env: Environment,
  name: string,
  range: { usual: number; min: number; max: number },
  problems: string[],
): number {
  const value = text(env, name);
  if (value === null) return range.usual;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= range.min && number <= range.max) return number;
  problems.push(`${name} is "${value}": it should be a whole number from ${range.min} to ${range.max}`);
  return range.usual;
}

/** All or none of the variables have to be set: with some of them, no token or too many would be accepted. */
function openIdSettings(env: Environment, problems: string[]): OpenIdSettings | null {
  const needed = ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_ORGANIZATION_CLAIM"] as const;
  const [issuer, audience, organizationClaim] = needed.map((name) => text(env, name));
  const operators = (text(env, "OIDC_OPERATORS") ?? "").split(/[\s,]+/).filter((subject) => subject !== "");
  const given = [...needed, "OIDC_OPERATORS"].filter((name) => text(env, name) !== null);
  if (given.length === 0) return null;
  for (const name of needed.filter((name) => text(env, name) === null)) {
    problems.push(`${name} is missing: it should be set, as ${given[0]} is`);
  }
  const url = issuer != null && URL.canParse(issuer) ? new URL(issuer) : null;
  if (
    issuer != null && (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash + url.username !== "")
  ) {
    problems.push(`OIDC_ISSUER is "${issuer}": it should be an address like https://login.example.com`);
  }
  if (issuer == null || audience == null || organizationClaim == null) return null;
  return { issuer, audience, organizationClaim, operators };
}

function headerName(env: Environment, name: string, problems: string[]): string | null {
  const value = text(env, name);
  if (value !== null && !/^[A-Za-z0-9-]{1,100}$/.test(value)) {
    problems.push(`${name} is "${value}": it should be the name of a header, like X-Forwarded-For`);
  }
  return value;
}

function sftpAddress(env: Environment, problems: string[]): SftpAddress | null {
  const value = text(env, "MUSTER_SFTP_ADDRESS");
  if (value === null) return null;
  const [, host, port] = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(value) ?? [];
  const number = port === undefined ? null : Number(port);
  if (host === undefined || (number !== null && (number < 1 || number > 65535))) {
    problems.push(
      `MUSTER_SFTP_ADDRESS is "${value}": it should be a host, like sftp.example.com or sftp.example.com:22`,
    );
    return null;
  }
  return { host, port: number };
}

function allowHosts(env: Environment, problems: string[]): string {
  const value = text(env, "MUSTER_ALLOW_HOSTS") ?? "";
  problems.push(...parseAllowHosts(value).problems.map((problem) => `MUSTER_ALLOW_HOSTS has ${problem}`));
  return value;
}

function isRefused(url: string, allowHosts: string): boolean {
  try {
    judgeUrl(url, parseAllowHosts(allowHosts).allow);
    return false;
  } catch (error) {
    if (error instanceof OutboundRefused) return URL.canParse(url);
    throw error;
  }
}

function tokenText(env: Environment, name: string, problems: string[]): string | null {
  const value = text(env, name);
  // A mistyped secret is still nearly the secret, so it is not repeated.
  if (value !== null && !isTokenText(value)) problems.push(`${name} is not a token: it should be ${TOKEN_FORM}`);
  return value;
}

/** Problems do not repeat a key: a mistyped one is still nearly the key. */
function masterKeys(env: Environment, problems: string[]): string[] {
  const names = ["MUSTER_MASTER_KEY", "MUSTER_MASTER_KEY_PREVIOUS"] as const;
  const [current, previous] = names.map((name) => {
    const value = text(env, name);
    if (value !== null && !isMasterKeyText(value)) {
      problems.push(`${name} is not a key: it should be ${MASTER_KEY_FORM}`);
    }
    return value;
  });
  if (current === null && previous !== null) {
    problems.push("MUSTER_MASTER_KEY_PREVIOUS is set and MUSTER_MASTER_KEY is not: it should be the new key");
  }
  return [current, previous].filter((key) => key != null);
}

function webAddress(env: Environment, name: string, problems: string[]): string | null {
  const value = text(env, name);
  if (value === null) return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && url.username === "") {
    return value.replace(/\/+$/, "");
  }
  problems.push(`${name} is "${value}": it should be an address like https://muster.example.com`);
  return null;
}

function mailSettings(env: Environment, problems: string[]): Pick<Config, "smtpUrl" | "mailFrom"> {
  const smtpUrl = text(env, "SMTP_URL"), mailFrom = text(env, "MAIL_FROM");
  const url = smtpUrl !== null && URL.canParse(smtpUrl) ? new URL(smtpUrl) : null;
  if (smtpUrl !== null && (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "")) {
    // The address may contain a password, so it is not repeated.
    problems.push(
      "SMTP_URL is not the address of a mail server: it should be like smtps://name:password@mail.example.com",
    );
  }
  if (mailFrom === null && smtpUrl !== null) {
    problems.push("MAIL_FROM is not set: it should be the address that mails come from, like muster@example.com");
  }
  if (
    mailFrom !== null && !/^([^<>@\p{Cc}]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u.test(mailFrom)
  ) {
    problems.push(
      `MAIL_FROM is "${mailFrom}": it should be an address, like muster@example.com or Muster <muster@example.com>`,
    );
  }
  return { smtpUrl, mailFrom };
}

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
];

function unknownNames(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.startsWith("MUSTER_") && !NAMES.includes(name)).sort().map((name) => {
    const near = NAMES.map((known) => ({ known, distance: editDistance(name, known) }))
      .sort((a, b) => a.distance - b.distance)[0]!;
    return `${name} is not a setting of Muster` + (near.distance <= 4 ? `: did you mean ${near.known}?` : "");
  });
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
