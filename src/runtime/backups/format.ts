/**
 * The file of a backup: a head of 1024 bytes of text, and then the database's file, packed with gzip.
 *
 * The head has three lines: `muster-backup 1`, the facts as JSON, and the SHA-256 of the facts and of all that follows the
 * head. So a backup is recognized by its first line, read with `head -c 1024 FILE`, and unpacked without Muster by
 * `tail -c +1025 FILE | gunzip`.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";

const FIRST_LINE = "muster-backup 1";
export const HEAD_BYTES = 1024;

const FACTS = z.object({
  created_at: z.iso.datetime(),
  muster: z.string(),
  /** The hub that the database is of; it is the same in all its copies. */
  hub_id: z.string(),
  /** Id of the master key that opens its secrets; null: it has none. The key itself is in no backup. */
  master_key: z.string().nullable(),
  /** The last migration of its tables. */
  schema: z.string(),
  /** Size of the unpacked database. */
  database_bytes: z.int(),
});

export type BackupFacts = z.infer<typeof FACTS>;

/** Packs a database's file into `to`, which has to be a new file, and returns its size once the disk has it. */
export async function pack(database: string, to: string, facts: BackupFacts): Promise<number> {
  const text = JSON.stringify(facts);
  const file = await open(to, "wx", 0o600);
  try {
    await file.write(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const hash = createHash("sha256").update(text);
    let at = HEAD_BYTES;
    // Fast rather than small: a hub imports meanwhile, on the same processors.
    const packed = createReadStream(database).pipe(createGzip({ level: constants.Z_BEST_SPEED }));
    for await (const chunk of packed as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
    }
    const lines = `${FIRST_LINE}\n${text}\n${hash.digest("hex")}\n`;
    await file.write(new TextEncoder().encode(`${lines.padEnd(HEAD_BYTES - 1)}\n`), 0, HEAD_BYTES, 0);
    await file.sync();
    return at;
  } finally {
    await file.close();
  }
}

interface Head {
  readonly facts: BackupFacts;
  readonly text: string;
  readonly sha256: string;
}

/** Fails with `not_found` or `unprocessable`. The checksum is only checked by `unpack` and `verify`. */
export async function readFacts(path: string): Promise<BackupFacts> {
  return await withFile(path, async (file) => (await readHead(file, path)).facts);
}

/** Reads the whole file. Fails with `unprocessable` unless all of it is as it was written. */
export async function verify(path: string): Promise<BackupFacts> {
  return await unpack(path, null);
}

/**
 * Writes the database's file, which has to be a new one (null: none is written), as `verify` checks it. `named`: how messages
 * name the backup.
 */
export async function unpack(path: string, to: string | null, named: string = path): Promise<BackupFacts> {
  return await withFile(path, async (file) => {
    const { facts, text, sha256 } = await readHead(file, named);
    const hash = createHash("sha256").update(text);
    let bytes = 0;
    const target = to === null ? null : await open(to, "wx", 0o600);
    try {
      const packed = file.createReadStream({ start: HEAD_BYTES, autoClose: false });
      await pipeline(packed, hashing(hash), createGunzip(), async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > facts.database_bytes) break;
          await target?.write(chunk);
        }
      }).catch((cause) => {
        if (isOfDisk(cause)) throw cause;
        throw damaged(named, cause);
      });
      if (hash.digest("hex") !== sha256 || bytes !== facts.database_bytes) throw damaged(named);
      await target?.sync();
    } finally {
      await target?.close();
    }
    return facts;
  });
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "r").catch((cause) => {
    throw new Fault("not_found", `Cannot read ${path}`, { cause });
  });
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function readHead(file: FileHandle, named: string): Promise<Head> {
  const bytes = new Uint8Array(HEAD_BYTES);
  const { bytesRead } = await file.read(bytes, 0, HEAD_BYTES, 0);
  return parseHead(bytes.subarray(0, bytesRead), named);
}

/** The first HEAD_BYTES of a backup. Fails with `unprocessable`, with a message that has `named` in it. */
export function parseHead(bytes: Uint8Array, named: string): Head {
  const [first, text = "", sha256 = ""] = new TextDecoder().decode(bytes).split("\n");
  if (first !== FIRST_LINE) {
    const [, version] = /^muster-backup (\d+)$/.exec(first ?? "") ?? [];
    throw new Fault(
      "unprocessable",
      version === undefined
        ? `${named} is not a backup of Muster: it should begin with "${FIRST_LINE}"`
        : `${named} is a backup of form ${version}, made by a newer Muster: restore it with that version`,
    );
  }
  const facts = FACTS.safeParse(jsonOrNull(text));
  if (!facts.success || !/^[0-9a-f]{64}$/.test(sha256)) throw damaged(named);
  return { facts: facts.data, text, sha256 };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function damaged(named: string, cause?: unknown): Fault {
  return new Fault(
    "unprocessable",
    `${named} is damaged: it is not what was written, by its checksum. Nothing was changed; use another backup`,
    { cause },
  );
}

function isOfDisk(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EIO", "EFBIG"].includes((error as { code?: string }).code ?? "");
}
