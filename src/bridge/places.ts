/** Where things lie on a connection's server, and which files are meant. Pure. */
import type { BridgeConnection } from "./contract.ts";

/** Names of an upload that is still going on, or of no file for us: those are left alone. */
const TEMPORARY = /\.(tmp|part|filepart|crdownload)$/i;

export type Place = ".bak" | "reports" | "failed";

/**
 * The folder beside the one that files are dropped in: at the root of a hosted tree, in the drop's own folder on a server
 * of others, of which nothing is known but that folder.
 */
export function placeOf({ mode, settings }: Pick<BridgeConnection, "mode" | "settings">, place: Place): string {
  return mode === "hosted" || settings.folder === "/" ? `/${place}` : `${settings.folder}/${place}`;
}

/** Whether a file of this name may be taken at all, whatever its patterns are. */
export function isTemporary(name: string): boolean {
  return name.startsWith(".") || TEMPORARY.test(name);
}

/** A companion that says that another file is whole: the name of that file; else null. */
export function companionOf(name: string): string | null {
  return /^(.+)\.(?:done|sha256)$/i.exec(name)?.[1] ?? null;
}

/** Whether the name is one of those that the connection takes. */
export function isMeant(name: string, patterns: readonly string[]): boolean {
  return !isTemporary(name) && companionOf(name) === null && patterns.some((pattern) => matches(name, pattern));
}

/** `*` any characters, `?` one. Linear in the name's length however many stars there are. */
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

/** What a file that was taken is called in `.bak` and `failed`: when it was taken, to the second in UTC, and its name. */
export function keptName(name: string, takenAt: number): string {
  return `${new Date(takenAt).toISOString().replace(/[-:]|\.\d+/g, "")}-${name}`;
}

/** When a file of that name was taken, in milliseconds since 1970; null: it is not one that keptName named. */
export function keptAt(name: string): number | null {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-./.exec(name) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
