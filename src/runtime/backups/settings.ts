/**
 * Where backups go, as MUSTER_BACKUP and commands name it: a folder, or a bucket of an S3-compatible store as
 * `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`. No I/O.
 */
import { isLoopback } from "../loopback.ts";

export type PlaceSettings = FolderSettings | BucketSettings;

export interface FolderSettings {
  readonly kind: "folder";
  readonly dir: string;
}

export interface BucketSettings {
  readonly kind: "bucket";
  /** http or https, without a trailing slash. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** What keys begin with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** What follows the path in the address: empty, or from the question mark on. */
  readonly search: string;
  readonly key: StoreKey;
}

/** The credentials. They are secret, and in no message. */
export interface StoreKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a key that lasts for a time only; null: it lasts. */
  readonly sessionToken: string | null;
}

/** Variables that the key of a bucket is read from; other tools read the same. */
export const KEY_NAMES = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;

const BUCKET_FORM = "s3://bucket/prefix?endpoint=https://s3.example.com&region=us-east-1";

export interface ParsedPlace<Settings> {
  /** Null where there are problems. */
  readonly settings: Settings | null;
  /** Each is a sentence, and repeats nothing that may be secret. */
  readonly problems: readonly string[];
}

/** `named`: where the address comes from, for messages. `read`: a variable of the environment; null: it is not set. */
export function parsePlace(
  text: string,
  named: string,
  read: (name: string) => string | null,
): ParsedPlace<PlaceSettings> {
  if (/^s3:\/\//i.test(text)) return parseBucket(text, named, read);
  if (!text.includes("://")) return { settings: { kind: "folder", dir: text }, problems: [] };
  const problem =
    `${named} begins with "${text.split("://")[0]}://", where no backup can be: it should be a path of this ` +
    `machine, like /var/backups/muster, or a bucket, like ${BUCKET_FORM}`;
  return { settings: null, problems: [problem] };
}

/** The region of stores that have none; Amazon's first. */
const USUAL_REGION = "us-east-1";
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Characters that mean themselves in keys and URLs alike. */
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*\/?$/;

function parseBucket(
  text: string,
  named: string,
  read: (name: string) => string | null,
): ParsedPlace<BucketSettings> {
  const problems: string[] = [];
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username + url.password !== "" || url.hash !== "" || url.port !== "") {
    // A key that somebody has put into the address is not shown.
    problems.push(`${named} is not the address of a bucket: it should be like ${BUCKET_FORM}, without a key in it`);
    return { settings: null, problems };
  }
  if (!BUCKET.test(url.hostname)) {
    problems.push(`${named} has the bucket "${url.hostname}", which is not a bucket's name`);
  }
  if (!PATH.test(url.pathname)) {
    problems.push(`${named} has the prefix "${url.pathname}": it should have letters, digits, ".", "_" and "-" alone`);
  }
  for (const name of new Set(url.searchParams.keys())) {
    if (name === "endpoint" || name === "region") continue;
    problems.push(`${named} has "${name}", which is not known: after the question mark come endpoint and region alone`);
  }
  const region = url.searchParams.get("region") ?? USUAL_REGION;
  if (!/^[A-Za-z0-9-]{1,40}$/.test(region)) {
    problems.push(`${named} has the region "${region}", which is not a region's name`);
  }
  const endpoint = url.searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  const badEndpoint = problemOfEndpoint(endpoint);
  if (badEndpoint !== null) problems.push(`${named} has an endpoint that ${badEndpoint}`);
  const key = readKey(read, problems);
  const path = url.pathname.replace(/^\/|\/$/g, "");
  const settings: BucketSettings = {
    kind: "bucket",
    endpoint: endpoint.replace(/\/+$/, ""),
    region,
    bucket: url.hostname,
    prefix: path === "" ? "" : `${path}/`,
    search: url.search,
    key,
  };
  return { settings: problems.length === 0 ? settings : null, problems };
}

function problemOfEndpoint(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return "is no URL: it should be like https://s3.example.com";
  if (url.username + url.password + url.search + url.hash !== "" || !PATH.test(url.pathname)) {
    return "has more than a host, a port and a path: it should be like https://s3.example.com";
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return `begins with http://, which is for this machine alone: it should be https://${url.host}`;
  }
  return null;
}

function readKey(read: (name: string) => string | null, problems: string[]): StoreKey {
  const [accessKeyId, secretAccessKey, sessionToken] = KEY_NAMES.map(read);
  for (const [name, value] of [[KEY_NAMES[0], accessKeyId], [KEY_NAMES[1], secretAccessKey]] as const) {
    if (value === null) problems.push(`${name} is not set: a bucket for backups needs it`);
    // It would break the request's head, and be shown in the error.
    else if (!/^[\x21-\x7e]+$/.test(value!)) {
      problems.push(`${name} has characters that no key has: it should be one word`);
    }
  }
  return { accessKeyId: accessKeyId ?? "", secretAccessKey: secretAccessKey ?? "", sessionToken: sessionToken ?? null };
}
