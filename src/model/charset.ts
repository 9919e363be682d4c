/**
 * Encodings of text by name: the labels of the WHATWG Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels),
 * as far as the runtime can decode them. Windows-1252 can be decoded everywhere: the hub does it itself. No I/O.
 */

export const WINDOWS_1252 = "windows-1252";

/** Those that files of people mostly have. */
const COMMON = [
  "utf-8",
  "utf-16le",
  WINDOWS_1252,
  "windows-1250",
  "windows-1251",
  "iso-8859-2",
  "iso-8859-15",
  "macintosh",
  "shift_jis",
  "euc-kr",
  "gb18030",
  "big5",
];

/** Names of Windows-1252 in use, for runtimes that know no other label than that of UTF-8. */
const LABELS_OF_1252 = ["ascii", "cp1252", "iso-8859-1", "iso8859-1", "latin1", "us-ascii", WINDOWS_1252];

/** The encoding's own name, in lower case. Null: the label is unknown, or the runtime cannot decode it strictly. */
export function findCharset(label: string): string | null {
  const name = label.trim().toLowerCase();
  if (LABELS_OF_1252.includes(name)) return WINDOWS_1252;
  try {
    return new TextDecoder(name, { fatal: true }).encoding;
  } catch {
    return null;
  }
}

/** What is wrong with a label; null: texts in that encoding can be read. */
export function charsetProblem(label: string): string | null {
  if (findCharset(label) !== null) return null;
  const known = COMMON.filter((name) => findCharset(name) !== null);
  return `"${label}" is not an encoding that this hub can read; common ones are ${known.join(", ")}`;
}

/** The parameter `charset` of a media type such as `text/csv; charset=utf-8`. Null: it has none. */
export function charsetOf(mediaType: string): string | null {
  const found = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(mediaType);
  return found === null ? null : (found[1] ?? found[2]!).trim();
}

/** A media type that names the encoding of what it is about. `charset`: its own name; null: not declared. */
export function withCharset(mediaType: string, charset: string | null): string {
  const type = mediaType.split(";", 1)[0]!.trim();
  return charset === null ? type : `${type}; charset=${charset}`;
}
