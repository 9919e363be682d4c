/** Opens a place for backups from its settings. */
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Fault } from "../../model/errors.ts";
import type { Environment } from "../config.ts";
import { createBucketPlace } from "./bucket.ts";
import { createFolderPlace } from "./folder.ts";
import type { BackupPlace } from "./place.ts";
import { parsePlace, type PlaceSettings } from "./settings.ts";

/** `ended` ends what asks a store and has no signal of its own. */
export function openPlace(settings: PlaceSettings, ended?: AbortSignal): BackupPlace {
  return settings.kind === "folder" ? createFolderPlace(settings.dir) : createBucketPlace(settings, { ended });
}

/**
 * What a command was given: a place and a backup in it, or a place alone (`name` is null). In a bucket, a backup's name ends
 * with `.backup`. Fails with `invalid_request`.
 */
export async function findPlace(
  text: string,
  env: Environment,
): Promise<{ readonly place: BackupPlace; readonly name: string | null }> {
  const { settings, problems } = parsePlace(text, "The address", (name) => env[name]?.trim() || null);
  if (settings === null) throw new Fault("invalid_request", problems.join("\n"));
  if (settings.kind === "folder") {
    const isFolder = (await stat(text).catch(() => null))?.isDirectory() === true;
    return isFolder
      ? { place: openPlace(settings), name: null }
      : { place: openPlace({ kind: "folder", dir: dirname(text) }), name: basename(text) };
  }
  const [, folder = "", name = null] = /^(.*\/)?([^/]+\.backup)\/$/.exec(settings.prefix) ?? [];
  return { place: openPlace(name === null ? settings : { ...settings, prefix: folder }), name };
}
