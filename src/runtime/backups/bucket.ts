/**
 * A bucket of an S3-compatible store as a place for backups. A hub's backups are below the prefix in a folder of the hub's
 * id, so that any number of hubs can share a bucket.
 *
 * A backup is sent in parts, one at a time, and read back before it counts: not every store says a checksum of the whole.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Fault } from "../../model/errors.ts";
import { DAY_MS } from "../../std/time.ts";
import { taken } from "./folder.ts";
import { HEAD_BYTES, parseHead } from "./format.ts";
import { partOf, removeLeftovers } from "./leftovers.ts";
import { nameAt, timeOf } from "./names.ts";
import type { BackupPlace, StoredBackup } from "./place.ts";
import { openS3, type S3, type Upload } from "./s3.ts";
import { type StoreLimits, USUAL_LIMITS } from "./s3-requests.ts";
import { StoreTrouble } from "./s3-trouble.ts";
import type { BucketSettings } from "./settings.ts";

/** Bytes of a part: what of a backup is in memory. Stores take no smaller ones than 5 MiB, but for the last. */
const PART_BYTES = 16 * 1024 ** 2;
const MOST_PARTS = 10_000;
/** No upload takes so long: one that was begun before is of a process that was killed. */
const STALE_AFTER_MS = DAY_MS;

const NEVER = new AbortController().signal;

export interface BucketOptions {
  readonly limits?: StoreLimits;
  readonly partBytes?: number;
  /** Ends what has no signal of its own. */
  readonly ended?: AbortSignal;
}

export function createBucketPlace(
  settings: BucketSettings,
  { limits = USUAL_LIMITS, partBytes = PART_BYTES, ended }: BucketOptions = {},
): BackupPlace {
  const { bucket, prefix, search } = settings;
  const s3 = openS3(settings, limits, ended);
  const keyOf = (name: string) => `${prefix}${name}`;
  const addressOf = (name = "") => `s3://${bucket}/${keyOf(name)}${search}`;
  const has = async (name: string) => (await s3.list(keyOf(name))).some(({ key }) => key === keyOf(name));

  return {
    folder: null,
    addressOf,
    nameAt: (hubId, ms) => `${hubId}/${nameAt(ms)}`,
    has,
    async list(hubId) {
      const found = await s3.list(keyOf(hubId === null ? "" : `${hubId}/`));
      return found.flatMap(({ key, bytes }): StoredBackup[] => {
        const name = key.slice(prefix.length), at = timeOf(name);
        return at === null ? [] : [{ name, at, bytes }];
      }).sort((a, b) => a.at - b.at);
    },
    async put(file, name, signal) {
      if (await has(name)) throw taken(addressOf(name));
      await abandonStale(s3, keyOf(name));
      const upload = { key: keyOf(name), id: await s3.begin(keyOf(name), signal) };
      try {
        const sent = await sendFile(s3, upload, file, partBytes, signal);
        await compare(s3, upload.key, sent, addressOf(name), signal);
      } catch (error) {
        await leaveNothing(s3, upload);
        throw error;
      }
    },
    async readFacts(name) {
      const head: Uint8Array[] = [];
      for await (const bytes of s3.read(keyOf(name), NEVER, HEAD_BYTES)) head.push(bytes);
      return parseHead(Buffer.concat(head), addressOf(name)).facts;
    },
    async fetch(name, folder) {
      const to = join(folder, basename(name));
      await removeLeftovers(folder, to);
      const path = partOf(to, "backup");
      const release = () => rm(path, { force: true });
      try {
        const file = await open(path, "wx", 0o600);
        try {
          for await (const bytes of s3.read(keyOf(name), NEVER)) await file.write(bytes);
        } finally {
          await file.close();
        }
        return { path, release };
      } catch (error) {
        await release();
        throw error;
      }
    },
    remove: (name) => s3.remove(keyOf(name)),
  };
}

/** Parts that cannot be deleted now are stale after a day. */
async function leaveNothing(s3: S3, upload: Upload): Promise<void> {
  await s3.abandon(upload).catch(() => {});
  // The store may have made the object although its answer was an error.
  await s3.remove(upload.key).catch(() => {});
}

interface Sent {
  readonly bytes: number;
  readonly sha256: string;
}

/** Sends a file and completes its upload. */
async function sendFile(s3: S3, upload: Upload, path: string, partBytes: number, signal: AbortSignal): Promise<Sent> {
  const hash = createHash("sha256");
  const tags: string[] = [];
  let at = 0;
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const buffer = new Uint8Array(Math.max(partBytes, Math.ceil(size / MOST_PARTS)));
    while (at < size) {
      const part = buffer.subarray(0, Math.min(buffer.length, size - at));
      const { bytesRead } = await file.read(part, 0, part.length, at);
      if (bytesRead !== part.length) throw new Fault("unavailable", `Cannot read ${path} to its end`);
      hash.update(part);
      tags.push(await s3.sendPart(upload, tags.length + 1, part, signal));
      at += part.length;
    }
  } finally {
    await file.close();
  }
  await complete(s3, upload, tags, signal);
  return { bytes: at, sha256: hash.digest("hex") };
}

/** Where the answer of an attempt was lost, the next one finds no upload and the object there. */
async function complete(s3: S3, upload: Upload, tags: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await s3.complete(upload, tags, signal);
  } catch (error) {
    if (!(error instanceof StoreTrouble) || error.reason !== "NoSuchUpload") throw error;
    if (!(await s3.list(upload.key)).some(({ key }) => key === upload.key)) throw error;
  }
}

async function compare(s3: S3, key: string, sent: Sent, address: string, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of s3.read(key, signal)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (bytes === sent.bytes && hash.digest("hex") === sent.sha256) return;
  throw new Fault(
    "unavailable",
    `The store gives ${address} back other than it was sent, ${bytes} bytes for ${sent.bytes}: it was deleted; check the store`,
  );
}

/** Deletes parts that killed processes have left, beside the key. A store or key that cannot list uploads keeps them. */
async function abandonStale(s3: S3, key: string): Promise<void> {
  const folder = key.slice(0, key.lastIndexOf("/") + 1);
  const begun = await s3.listUploads(folder).catch((error) => {
    if (error instanceof StoreTrouble && !error.passes) return [];
    throw error;
  });
  for (const upload of begun) {
    const isOurs = timeOf(upload.key) !== null && upload.key.lastIndexOf("/") + 1 === folder.length;
    if (isOurs && upload.at < Date.now() - STALE_AFTER_MS) await s3.abandon(upload);
  }
}
