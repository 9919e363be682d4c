/** A person who is erased: words that are theirs alone, the files where those could be left, and the API that is asked. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import type { SFTPWrapper } from "ssh2";
import { until } from "./bridging.ts";
import { fetch } from "./checked.ts";
import { done } from "./hosted.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const ANSWERED_WITHIN_MS = 60_000;

export const EMAIL = "zq.person@acme.test", ID = "ZQ-EMP-7781";
export const HEADER = "email,employee_id,first_name,last_name,title,location,hire_date";
export const OTHER = "bo@acme.test,B2,Bo,Berg,Engineer,,";

export const csv = (...rows: string[]) => [HEADER, ...rows, ""].join("\n");

/** Words that are of the person alone, one for each field and way. */
export function createWords() {
  const all: string[] = [EMAIL, ID];
  const word = () => {
    const made = `zq${crypto.randomUUID().replaceAll("-", "").slice(0, 14)}`;
    all.push(made);
    return made;
  };
  return {
    all,
    word,
    row: (more: { day?: string } = {}) =>
      [EMAIL, ID, word(), word(), word(), word(), more.day ?? "2020-01-01"].join(","),
  };
}

/** Asks the hub and fails unless it is answered with success; runs are waited for. */
export function createClient(url: string, token: string) {
  return async (path: string, options: { method?: string; json?: unknown; body?: BodyInit; type?: string } = {}) => {
    const { json, body, type } = options;
    const isPost = json !== undefined || body !== undefined;
    const answer = await fetch(`${url}${path}`, {
      method: options.method ?? (isPost ? "POST" : "GET"),
      headers: {
        authorization: `Bearer ${token}`,
        prefer: "wait=30",
        "idempotency-key": crypto.randomUUID(),
        ...(json !== undefined ? { "content-type": "application/json" } : type ? { "content-type": type } : {}),
      },
      body: json !== undefined ? JSON.stringify(json) : body,
      signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
    });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? null : await answer.json() as Json;
  };
}

/** All bytes of all files below, and what is packed in the database's. */
export function read(dir: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(dir, { recursive: true }) as string[]) {
    const path = join(dir, name);
    if (!statSync(path).isFile()) continue;
    found.set(name, name + readFileSync(path).toString("latin1"));
    if (!name.endsWith(".db")) continue;
    const drops = readPacked(path).map(({ body }) => unpacked(gunzipSync(body)));
    found.set(`${name}: drops`, drops.join("\n"));
  }
  return found;
}

function unpacked(bytes: Uint8Array): string {
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : Buffer.from(bytes)).toString("latin1");
}

/** What the database at `path` has of drops and uploads, as it is stored. */
export function readPacked(path: string): { drop: number; body: Uint8Array }[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare("select drop_id, body from drop_chunks").all()
      .map((row) => ({ drop: Number(row.drop_id), body: row.body as Uint8Array }));
  } finally {
    database.close();
  }
}

/** All that is in the tables of a database, by table, and what is packed in them. */
export function readTables(database: DatabaseSync): Map<string, string> {
  const tables = database.prepare("select name from sqlite_master where type = 'table' and name not glob '_cf_*'")
    .all();
  return new Map(tables.map(({ name }) => {
    const rows = database.prepare(`select * from "${name}"`).all();
    const cells = rows.flatMap((row) => Object.values(row)).map((cell) =>
      ArrayBuffer.isView(cell) ? unpacked(cell as Uint8Array) : String(cell)
    );
    return [String(name), cells.join("\n")];
  }));
}

/**
 * Pieces by which bytes that are no text are known wherever they lie, as words. Not their first, which all of a kind may
 * have; so many that some are whole where the bytes are cut into a database's pages.
 */
export function piecesOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString("latin1");
  const pieces: string[] = [];
  for (let at = 24; at + 16 <= text.length - 8; at += 64) pieces.push(text.slice(at, at + 16));
  return pieces;
}

/** In which files which of the words are, in whatever case. */
export function held(files: Map<string, string>, words: readonly string[]): string[] {
  return [...files].flatMap(([name, text]) => {
    const lower = text.toLowerCase();
    return words.filter((word) => lower.includes(word.toLowerCase())).map((word) => `${name}: ${word}`);
  });
}

/** Waits until nothing of the erasure is pending. */
export async function erased(ask: ReturnType<typeof createClient>, id: string): Promise<Json> {
  const look = () => ask(`/v1/users/${id}/erasure`);
  return await until("all of it is erased", look, ({ completed_at }) => completed_at !== null, 60_000);
}

export async function personOf(ask: ReturnType<typeof createClient>): Promise<Json> {
  return (await ask(`/v1/users?email=${EMAIL}`)).data[0];
}

/** Drops a file over SFTP; one that is not whole stays open. */
export async function put(sftp: SFTPWrapper, name: string, content: string | Uint8Array, isWhole = true) {
  const bytes = Buffer.from(content as Uint8Array);
  const handle = await done<Buffer>((callback) => sftp.open(`/incoming/${name}`, "w", callback));
  await done((callback) => sftp.write(handle, bytes, 0, bytes.length, 0, callback));
  if (isWhole) await done((callback) => sftp.close(handle, callback));
}
