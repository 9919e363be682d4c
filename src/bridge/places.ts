/** Folders and names on a connection's server, and which files are taken. Pure. */
import type { BridgeConnection } from "./contract.ts";

/** Names of uploads in progress, which are left alone. */
const TEMPORARY = /\.(tmp|part|filepart|crdownload)$/i;

export type Place = ".bak" | "reports" | "failed";

/**
 * The path of a folder beside the drop folder: at the root of a hosted tree, and within the drop folder on a remote server,
 * where no other folder is known.
 */
export function placeOf({ mode, settings }: Pick<BridgeConnection, "mode" | "settings">, place: Place): string {
  return mode === "hosted" || settings.folder === "/" ? `/${place}` : `${settings.folder}/${place}`;
}

/** Whether the name is a dot-file's or that of an upload in progress: such a file is never taken, whatever the patterns. */
export function isTemporary(name: string): boolean {
  return name.startsWith(".") || TEMPORARY.test(name);
}

/** For a companion, which marks another file as whole: the name of that file. Otherwise null. */
export function companionOf(name: string): string | null {
  return /^(.+)\.(?:done|sha256)$/i.exec(name)?.[1] ?? null;
}

/** Whether the connection takes files of this name. */
export function isMeant(name: string, patterns: readonly string[]): boolean {
  return !isTemporary(name) && companionOf(name) === null && patterns.some((pattern) => matches(name, pattern));
}

/** `*` matches any characters, `?` one. Only the latest `*` is tried again, so many of them do not take long. */
function matches(name: string, pattern: string): boolean {
  const text = [...name.toLowerCase()], glob = [...pattern.toLowerCase()];
  let at = 0, star = -1, resume = 0, i = 0;
  while (i < text.length) {
    if (at < glob.length && glob[at] === "*") {
      star = at++;
      resume = i;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === text[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}

/** A taken file's name in `.bak` and `failed`: when it was taken, to the second in UTC, and its name. */
export function keptName(name: string, takenAt: number): string {
  return `${new Date(takenAt).toISOString().replace(/[-:]|\.\d+/g, "")}-${name}`;
}

/** The time in a name that `keptName` made, in milliseconds since 1970; null: it is another name. */
export function keptAt(name: string): number | null {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-./.exec(name) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The end of the name of a note in `reports` that says why a file was not used. */
export const NOT_USED = ".not-used.txt";

/** The name without extensions: `people` for `people.csv` and `people.csv.pgp`. */
export function stemOf(name: string): string {
  return name.replace(/(?:\.(?:pgp|gpg|asc))+$/i, "").replace(/(?!^)\.\w+$/, "");
}
