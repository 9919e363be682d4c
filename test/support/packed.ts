/** Packages as `npm pack` makes them, and as nobody should: a tar file in gzip. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";

export interface PackedEntry {
  /** Below `package/`, unless it begins with `!`, which is left out. */
  readonly name: string;
  readonly content?: string;
  /** The kind of the entry, `0` for a file. */
  readonly kind?: string;
  readonly linkTo?: string;
}

/** `files`: content by name. */
export function packed(files: Readonly<Record<string, string>>): Uint8Array {
  return packedOf(Object.entries(files).map(([name, content]) => ({ name, content })));
}

export function packedOf(entries: readonly PackedEntry[]): Uint8Array {
  return gzipSync(Buffer.concat([...entries.map(blocksOf), Buffer.alloc(1024)]));
}

function blocksOf({ name, content = "", kind = "0", linkTo = "" }: PackedEntry): Uint8Array {
  const bytes = Buffer.from(content), header = Buffer.alloc(512);
  header.write(name.startsWith("!") ? name.slice(1) : `package/${name}`, 0);
  header.write("000644 \0", 100);
  header.write(`${bytes.length.toString(8).padStart(11, "0")} `, 124);
  header.write("00000000000 ", 136);
  header.write(kind, 156);
  header.write(linkTo, 157);
  header.write("ustar\x0000", 257);
  header.write(" ".repeat(8), 148);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
