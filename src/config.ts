/**
 * Settings: the environment in, a checked value out, or every problem at once. No I/O. No clock.
 */

import type { OpenIdSettings } from "./openid.ts";
import { isTokenText, TOKEN_FORM } from "./token.ts";

export interface Config {
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
  /** Where the database, the first token and whatever else the hub keeps on disk are. */
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly databaseAuthToken: string | null;
  /** Token text to install as the first one, its checksum verified. */
  readonly adminToken: string | null;
  /** Without a trailing slash; null: where the hub listens. */
  readonly publicUrl: string | null;
  /** Module specifiers of third-party connectors. */
  readonly connectors: readonly string[];
  readonly retainDays: number;
  /** Null: no issuer, only the hub's own tokens. */
  readonly openid: OpenIdSettings | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ParsedConfig {
  /** Null when there are problems. */
  readonly config: Config | null;
  /** Each names its variable, says what it is and what it should be. */
  readonly problems: readonly string[];
  /** What is probably a slip, and does not stop a start. */
  readonly warnings: readonly string[];
}

const NAMES = [
  "MUSTER_DATA_DIR",
  "MUSTER_ADMIN_TOKEN",
  "MUSTER_PUBLIC_URL",
  "MUSTER_CONNECTORS",
  "MUSTER_RETAIN_DAYS",
];

const DATABASE_SCHEMES = ["file:", "libsql:", "https:", "http:", "wss:", "ws:"];

export function parseConfig(env: Environment): ParsedConfig {
  const problems: string[] = [];
  const dataDir = text(env, "MUSTER_DATA_DIR") ?? "./data";
  const databaseUrl = text(env, "DATABASE_URL") ?? `file:${dataDir}/muster.db`;
  const scheme = /^[a-z]+:/.exec(databaseUrl)?.[0];
  if (scheme === undefined || !DATABASE_SCHEMES.includes(scheme)) {
    // The address may hold a password, so it is not repeated.
    problems.push("DATABASE_URL is no address of a database: it should begin with file:, libsql: or https:");
  }
  const config: Config = {
    host: text(env, "HOST") ?? "127.0.0.1",
    port: wholeNumber(env, "PORT", { usual: 8787, min: 0, max: 65535 }, problems),
    dataDir,
    databaseUrl,
    databaseAuthToken: text(env, "DATABASE_AUTH_TOKEN"),
    adminToken: tokenText(env, "MUSTER_ADMIN_TOKEN", problems),
    publicUrl: webAddress(env, "MUSTER_PUBLIC_URL", problems),
    connectors: (text(env, "MUSTER_CONNECTORS") ?? "").split(/[\s,]+/).filter((part) => part !== ""),
    retainDays: wholeNumber(env, "MUSTER_RETAIN_DAYS", { usual: 30, min: 1, max: 3650 }, problems),
    openid: openIdSettings(env, problems),
  };
  return { config: problems.length === 0 ? config : null, problems, warnings: unknownNames(env) };
}

/** An empty variable is an absent one: that is how compose files and units say "not set". */
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

/** All of it or nothing: with half of it nobody would get in, or too many. */
function openIdSettings(env: Environment, problems: string[]): OpenIdSettings | null {
  const needed = ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_ORGANIZATION_CLAIM"] as const;
  const [issuer, audience, organizationClaim] = needed.map((name) => text(env, name));
  const operators = (text(env, "OIDC_OPERATORS") ?? "").split(/[\s,]+/).filter((subject) => subject !== "");
  const said = [...needed, "OIDC_OPERATORS"].filter((name) => text(env, name) !== null);
  if (said.length === 0) return null;
  for (const name of needed.filter((name) => text(env, name) === null)) {
    problems.push(`${name} is missing: it should be set, as ${said[0]} is`);
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

function tokenText(env: Environment, name: string, problems: string[]): string | null {
  const value = text(env, name);
  // A secret with a slip in it is still most of a secret, so it is not repeated.
  if (value !== null && !isTokenText(value)) problems.push(`${name} is no token: it should be ${TOKEN_FORM}`);
  return value;
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

function unknownNames(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.startsWith("MUSTER_") && !NAMES.includes(name)).sort().map((name) => {
    const near = NAMES.map((known) => ({ known, distance: editDistance(name, known) }))
      .sort((a, b) => a.distance - b.distance)[0]!;
    return `${name} is no setting of Muster` + (near.distance <= 4 ? `: did you mean ${near.known}?` : "");
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
