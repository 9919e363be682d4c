/**
 * Takes files that are whole: hands each over to the hub, puts it away, and reports how it went. One file of a connection
 * at a time, in the order of their times; a few connections at once, so that none waits long for another's large file.
 *
 * A file that could not be handed over stays where it is and is tried again. If the process is killed between handing over
 * and putting away, the file is handed over once more, and the hub recognizes it.
 */
import { createLane } from "../../std/lanes.ts";
import { nextDue } from "../cadence.ts";
import type { BridgeConnection, SeenFile, Trouble, WholeFile } from "../contract.ts";
import { isDiskFull } from "../disk.ts";
import { knownTrouble } from "../trouble.ts";
import type { Hosting } from "./hosting.ts";
import { nameOfNote } from "../not-used.ts";
import { findFile } from "./files.ts";
import { pathOf, removeFile, type Tree, type WaitingFile } from "./tree.ts";
import { holdFile, putAway, readWaiting, releaseFile, seenFiles, waitingFiles } from "./waiting.ts";

/** Trees are visited this often even when nothing is reported of them. */
const VISIT_MS = 60_000;
const MOST_RETRY_MS = 60_000;
const AT_ONCE = 4;

/** What is known of a tree from one visit to the next. */
interface Visits {
  timer: ReturnType<typeof setTimeout> | null;
  isRunning: boolean;
  /** To be visited again as soon as the current visit is done. */
  isDue: boolean;
  failures: number;
  /** When the next files are taken, where that is not at once. */
  takesAt: number;
  /** Why a file was skipped at the last visit, though the others were taken. */
  skipped: Trouble | null;
  /** Files that the hub has refused as too large, as they were at the last visit. */
  tooLarge: readonly SeenFile[];
}

export function createTaker(hosting: Hosting) {
  const { hub } = hosting;
  const visits = new Map<string, Visits>();
  const ending = new AbortController();
  const work = new Set<Promise<void>>();
  const places = createLane(AT_ONCE);
  const hosted = () => hub.connections().filter(({ mode }) => mode === "hosted");

  function schedule(id: string, inMs: number): void {
    const visit = visits.get(id);
    if (visit === undefined || ending.signal.aborted) return;
    if (visit.isRunning) return void (visit.isDue = true);
    if (visit.timer !== null) clearTimeout(visit.timer);
    visit.timer = setTimeout(() => {
      visit.timer = null;
      visit.isRunning = true;
      const done = visitOnce(id, visit).then((nextMs) => {
        const isDue = visit.isDue;
        visit.isRunning = visit.isDue = false;
        if (nextMs === null) visits.delete(id);
        else schedule(id, isDue ? 0 : nextMs);
      });
      work.add(done);
      void done.finally(() => work.delete(done));
    }, inMs);
  }

  /** Milliseconds until the next visit; null: the connection is not held any more. */
  async function visitOnce(id: string, visit: Visits): Promise<number | null> {
    const leave = await places.take(id);
    try {
      const connection = hosted().find((each) => each.id === id);
      if (connection === undefined || ending.signal.aborted) return null;
      return await visitTree(hosting, connection, visit, ending.signal);
    } finally {
      leave();
    }
  }

  return {
    /** To be called when something was dropped in the connection's tree. */
    poke: (id: string) => schedule(id, 0),
    /** To be called when the connections have changed. */
    changed(): void {
      for (const { id } of hosted()) {
        if (visits.has(id)) continue;
        visits.set(id, {
          timer: null,
          isRunning: false,
          isDue: false,
          failures: 0,
          takesAt: 0,
          skipped: null,
          tooLarge: [],
        });
        schedule(id, 0);
      }
    },
    /** Breaks off what is being handed over; the next process hands it over again. */
    async close(): Promise<void> {
      ending.abort();
      for (const { timer } of visits.values()) if (timer !== null) clearTimeout(timer);
      await Promise.allSettled(work);
    },
  };
}

/** Milliseconds until the next visit; null: the signal was aborted. */
async function visitTree(
  hosting: Hosting,
  connection: BridgeConnection,
  visit: Visits,
  signal: AbortSignal,
): Promise<number | null> {
  const { hub, treeOf, troubles, limits, log } = hosting;
  try {
    const tree = await treeOf(connection);
    const settlesInMs = await takeAll(hosting, connection, tree, visit, signal);
    visit.failures = 0;
    hub.reportHealth(connection, troubles.get(connection.id) ?? visit.skipped);
    return Math.min(VISIT_MS, settlesInMs ?? VISIT_MS);
  } catch (error) {
    if (signal.aborted) return null;
    visit.failures++;
    log("sftp.not_taken", { connection: connection.id, error: error instanceof Error ? error.name : "unknown" });
    hub.reportHealth(connection, asTrouble(error));
    return Math.min(MOST_RETRY_MS, limits.retryMs * 2 ** (visit.failures - 1));
  }
}

/** Milliseconds until a file that was just closed may be taken; null: there is none. */
async function takeAll(
  { hub, now }: Hosting,
  connection: BridgeConnection,
  tree: Tree,
  visit: Visits,
  signal: AbortSignal,
): Promise<number | null> {
  const { when, after } = connection.settings;
  await hub.reportListing(connection, marked(await seenFiles(tree), visit.tooLarge));
  if (when.kind === "every" && now() < visit.takesAt) return visit.takesAt - now();
  const { files, settlesInMs } = await waitingFiles(tree);
  const due = files.filter((file) => when.kind !== "daily" || nextDue(when, file.modifiedAt) <= now());
  visit.skipped = null;
  visit.tooLarge = [];
  for (const [i, file] of due.entries()) {
    if (signal.aborted) break;
    if (!await holdFile(tree, file)) continue;
    try {
      // A file that was dropped right behind this one and still settles comes with it.
      const isFollowed = i + 1 < due.length || (when.kind === "at_once" && settlesInMs !== null);
      const handed = await hub.handOver(connection, wholeFile(connection, file, isFollowed), signal);
      // What comes back for a file that was taken before may be there already.
      if (!handed.repeated) await removeNote(tree, file.name);
      await putAway(tree, file, handed.isOfErased === true ? "delete" : after, handed.keptAs);
      await handed.settle();
    } catch (error) {
      const trouble = asTrouble(error);
      // A file that the hub never takes does not stop the others.
      if (trouble.code !== "too_large") throw error;
      visit.skipped = trouble;
      if ((error as { code?: unknown }).code === "too_large") visit.tooLarge = [...visit.tooLarge, file];
    } finally {
      releaseFile(tree);
    }
  }
  if (when.kind === "every" && files.length > 0) visit.takesAt = nextDue(when, now());
  return settlesInMs;
}

/** The listing, with those files marked that are still as the hub has refused them. */
function marked(files: readonly SeenFile[], tooLarge: readonly SeenFile[]): SeenFile[] {
  return files.map((file) => {
    const isRefused = tooLarge.some(({ name, bytes, modifiedAt }) =>
      name === file.name && bytes === file.bytes && modifiedAt === file.modifiedAt
    );
    return isRefused ? { ...file, left: "too_large" } : file;
  });
}

/** The note about an earlier file of that name: the file that was taken now gets an answer of its own. */
async function removeNote(tree: Tree, name: string): Promise<void> {
  const note = nameOfNote(name);
  if (await findFile(pathOf(tree, "reports", note)) !== null) await removeFile(tree, "reports", note);
}

function wholeFile({ settings }: BridgeConnection, file: WaitingFile, isFollowed: boolean): WholeFile {
  const { name, bytes, modifiedAt } = file;
  return { folder: settings.folder, name, bytes, modifiedAt, isFollowed, open: () => readWaiting(file) };
}

/** The error of the core or the disk, in words for an admin. */
function asTrouble(error: unknown): Trouble {
  const trouble = knownTrouble(error);
  if (trouble !== null) return trouble;
  if (isDiskFull(error)) {
    return { code: "disk_full", message: "The bridge's disk is full: files cannot be put away; free some of it" };
  }
  return { code: "failed", message: "A file could not be handed over; it stays where it is and is tried again" };
}
