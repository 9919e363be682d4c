/** A thread that makes one backup: copying a database blocks its thread, and a hub answers requests meanwhile. */
import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../log.ts";
import { makeBackup } from "./make.ts";
import { openPlace } from "./open-place.ts";
import type { PlaceSettings } from "./settings.ts";

export interface BackupTask {
  readonly databaseUrl: string;
  readonly place: PlaceSettings;
  readonly name: string;
}

/** What the thread posts: that the backup is being put, from when on it ends by itself if it is posted "stop"; its end. */
export type BackupNews = "putting" | { readonly bytes: number } | { readonly error: string };

const { databaseUrl, place, name } = workerData as BackupTask;
const post = (news: BackupNews) => parentPort!.postMessage(news);
const stopped = new AbortController();
parentPort!.once("message", () => stopped.abort(new Error("The hub was stopped")));
try {
  const options = { signal: stopped.signal, putting: () => post("putting") };
  const { bytes } = await makeBackup(databaseUrl, openPlace(place), name, options);
  post({ bytes });
} catch (error) {
  post(describeError(error));
}
