/** Unpacks what `npm pack` makes: a tar file (ustar, with names by pax) in gzip. Nothing of it runs. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Fault } from "../../model/errors.ts";

const BLOCK = 512;
export const LIMITS = { bytes: 64 * 1024 * 1024, files: 5_000, nameLength: 500 };

interface Entry {
  readonly path: string;
  readonly content: Uint8Array;
}

/** Writes the package's files into `folder`, without the one folder that all are in. Fails with `unprocessable`. */
export async function unpackPackage(packed: Uint8Array, folder: string): Promise<void> {
  let tar: Uint8Array;
  try {
    tar = gunzipSync(packed, { maxOutputLength: LIMITS.bytes });
  } catch (cause) {
    const isLarge = (cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" || cause instanceof RangeError;
    throw refused(isLarge ? `it has more than ${LIMITS.bytes / 2 ** 20} MiB unpacked` : "it is no gzip file", cause);
  }
  let files = 0;
  for (const { path, content } of entriesOf(tar)) {
    if (++files > LIMITS.files) throw refused(`it has more than ${LIMITS.files} files`);
    const target = join(folder, ...partsOf(path));
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      await writeFile(target, content, { flag: "wx", mode: 0o600 });
    } catch (cause) {
      throw refused(`"${shown(path)}" is in it twice, or is a folder too`, cause);
    }
  }
  if (files === 0) throw refused("it has no files");
}

/** Its regular files. Links and all else that is neither file nor folder are refused. */
function* entriesOf(tar: Uint8Array): Generator<Entry> {
  let longName: string | null = null;
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!hasItsChecksum(header)) throw refused("it is no tar file, or is damaged");
    const size = numberIn(header, 124, 12), from = at + BLOCK;
    if (!(from + size <= tar.length)) throw refused("it ends early");
    const content = tar.subarray(from, from + size);
    const kind = String.fromCharCode(header[156]!);
    at = from + Math.ceil(size / BLOCK) * BLOCK;
    const path = longName ?? nameIn(header);
    longName = null;
    if (kind === "x") longName = paxPath(content);
    else if (kind === "0" || kind === "\0") yield { path, content };
    else if (kind !== "5" && kind !== "g") throw refused(`"${shown(path)}" is no regular file`);
  }
}

function hasItsChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
  return numberIn(header, 148, 8) === sum;
}

/** An octal number. NaN: it is none. */
function numberIn(header: Uint8Array, from: number, length: number): number {
  const text = textIn(header.subarray(from, from + length)).trim();
  return /^[0-7]{1,12}$/.test(text) ? parseInt(text, 8) : NaN;
}

function nameIn(header: Uint8Array): string {
  const isUstar = textIn(header.subarray(257, 263)).startsWith("ustar");
  const prefix = isUstar ? textIn(header.subarray(345, 500)) : "";
  const name = textIn(header.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textIn(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The path of an extended header: lines of `length key=value`. */
function paxPath(content: Uint8Array): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(content))?.[1] ?? null;
}

/** The names of the path below the package's own folder. */
function partsOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  // deno-lint-ignore no-control-regex
  const isOdd = (part: string) => part === ".." || /[\u0000-\u001f\\:]/.test(part);
  if (path.startsWith("/") || path.length > LIMITS.nameLength || parts.length < 2 || parts.some(isOdd)) {
    throw refused(`"${shown(path)}" is no file inside of its folder`);
  }
  return parts.slice(1);
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 100)).slice(1, -1);
}

function refused(why: string, cause?: unknown): Fault {
  return new Fault("unprocessable", `The package cannot be unpacked: ${why}`, { cause });
}
