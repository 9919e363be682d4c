/** A remote folder's listing: pages of the server in, its files out, bounded in names, files and time. */
import type { Attributes } from "ssh2";
import type { SeenFile } from "../contract.ts";
import { ConnectionError } from "../trouble.ts";
import type { Limits } from "./limits.ts";

export interface ListOptions {
  readonly folder: string;
  readonly isWanted: (name: string) => boolean;
  /** Which files are listed when there are more than `maxFiles`. */
  readonly keep: "oldest" | "newest";
}

export interface Listed {
  /** In no order. */
  readonly files: readonly SeenFile[];
  /** Whether there were more than `maxFiles`. */
  readonly isCut: boolean;
  /** Files whose names cannot be sent back to the server, or shown to anybody. */
  readonly unnameable: number;
}

export type Page = readonly { readonly filename: string; readonly longname: string; readonly attrs: Attributes }[];

/** `nextPage`: null at the end. Fails with ConnectionError when there are too many names, or the listing takes too long. */
export async function collectFiles(
  nextPage: () => Promise<Page | null>,
  { folder, isWanted, keep }: ListOptions,
  limits: Pick<Limits, "listMs" | "maxNames" | "maxFiles">,
): Promise<Listed> {
  const until = performance.now() + limits.listMs;
  const files: SeenFile[] = [];
  let names = 0, unnameable = 0, isCut = false;
  for (let page = await nextPage(); page !== null; page = await nextPage()) {
    names += page.length;
    if (names > limits.maxNames) {
      throw new ConnectionError(
        "failed",
        `"${folder}" has more than ${limits.maxNames} names: move old ones elsewhere`,
      );
    }
    if (performance.now() > until) {
      throw new ConnectionError("timed_out", `"${folder}" was not listed within ${limits.listMs / 1000} s`);
    }
    for (const { filename: name, longname, attrs } of page) {
      if (name === "." || name === ".." || kindOf(attrs.mode, longname) !== "-") continue;
      if (!isNameable(name)) unnameable++;
      else if (isWanted(name)) files.push({ name, bytes: attrs.size ?? 0, modifiedAt: (attrs.mtime ?? 0) * 1000 });
    }
    if (files.length >= 2 * limits.maxFiles) isCut = cut(files, limits.maxFiles, keep);
  }
  isCut = cut(files, limits.maxFiles, keep) || isCut;
  return { files, isCut, unnameable };
}

/** In the letters of `ls`: `-` a file, `d` a folder. Where the server sends no mode, its line of text decides. */
export function kindOf(mode: number | undefined, longname: string): string {
  const format = (mode ?? 0) & 0o170000;
  if (format === 0) return /^[-dlbcps]/.test(longname) ? longname[0]! : "-";
  return format === 0o100000 ? "-" : format === 0o040000 ? "d" : "other";
}

/** Whether the name, sent back, means the same file and no other place. Bytes that are not UTF-8 become U+FFFD. */
function isNameable(name: string): boolean {
  return name !== "" && !/[/\p{Cc}\uFFFD]/u.test(name) && new TextEncoder().encode(name).length <= 255;
}

/** Whether there were more than `count`. */
function cut(files: SeenFile[], count: number, keep: "oldest" | "newest"): boolean {
  if (files.length <= count) return false;
  files.sort((a, b) => keep === "oldest" ? a.modifiedAt - b.modifiedAt : b.modifiedAt - a.modifiedAt);
  files.length = count;
  return true;
}
