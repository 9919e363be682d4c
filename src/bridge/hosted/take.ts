/**
 * Takes what is whole: hands each file over, puts it away, says how it went. One file of a connection at a time, the one
 * first that was written first; a few connections at once, so none waits long for another's large file.
 *
 * A file that could not be handed over stays where it is and is tried again. Killed between handing over and putting
 * away, it is handed over once more, which the hub knows for the same file.
 */
import { constants, type FileHandle, open } from "node:fs/promises";
import { nextDue } from "../cadence.ts";
import type { BridgeConnection, BridgeHub, Log, Trouble, WholeFile } from "../contract.ts";
import { isDiskFull } from "../disk.ts";
import { createLane } from "../../std/lanes.ts";
import { knownTrouble } from "../trouble.ts";
import type { HostedLimits } from "./limits.ts";
import { readAt, type Tree, type WaitingFile } from "./tree.ts";

/** Trees are looked at this often even when nothing is heard of them. */
const VISIT_MS = 60_000;
const MOST_RETRY_MS = 60_000;
const AT_ONCE = 4;
const CHUNK = 256 * 1024;

export interface Taker {
  /** Something was dropped in this tree. */
  poke(connection: string): void;
  /** The connections have changed. */
  changed(): void;
  /** What is being handed over is broken off; it is handed over again by whoever comes next. */
  close(): Promise<void>;
}

interface Visits {
  timer: ReturnType<typeof setTimeout> | null;
  running: boolean;
  again: boolean;
  failures: number;
  /** When the next files are taken, where that is not at once. */
  takesAt: number;
  /** Why a file was passed by at the last take; the others were taken all the same. */
  passedBy: Trouble | null;
}

export function createTaker(
  { hub, treeOf, troubleOf, limits, log, now }: {
    readonly hub: BridgeHub;
    readonly treeOf: (connection: BridgeConnection) => Promise<Tree>;
    /** What went wrong with uploads lately, and is to be said as long as nothing is worse. */
    readonly troubleOf: (connection: BridgeConnection) => Trouble | null;
    readonly limits: Pick<HostedLimits, "retryMs">;
    readonly log: Log;
    readonly now: () => number;
  },
): Taker {
  const visits = new Map<string, Visits>();
  const ending = new AbortController();
  const work = new Set<Promise<void>>();
  const places = createLane(AT_ONCE);

  async function turn<T>(id: string, task: () => Promise<T>): Promise<T> {
    const leave = await places.take(id);
    try {
      return await task();
    } finally {
      leave();
    }
  }

  const hosted = () => hub.connections().filter(({ mode }) => mode === "hosted");
  const find = (id: string) => hosted().find((connection) => connection.id === id);

  function schedule(id: string, inMs: number): void {
    const visit = visits.get(id);
    if (visit === undefined || ending.signal.aborted) return;
    if (visit.running) return void (visit.again = true);
    if (visit.timer !== null) clearTimeout(visit.timer);
    visit.timer = setTimeout(() => {
      visit.timer = null;
      visit.running = true;
      const done = turn(id, () => look(id, visit)).then((nextMs) => {
        visit.running = false;
        const again = visit.again;
        visit.again = false;
        if (nextMs === null) visits.delete(id);
        else schedule(id, again ? 0 : nextMs);
      });
      work.add(done);
      void done.finally(() => work.delete(done));
    }, inMs);
  }

  /** Milliseconds until the next visit; null: the connection is not held any more. */
  async function look(id: string, visit: Visits): Promise<number | null> {
    const connection = find(id);
    if (connection === undefined || ending.signal.aborted) return null;
    try {
      const tree = await treeOf(connection);
      const settlesInMs = await takeAll(connection, tree, visit);
      visit.failures = 0;
      hub.fares(connection, troubleOf(connection) ?? visit.passedBy);
      return Math.min(VISIT_MS, settlesInMs ?? VISIT_MS);
    } catch (error) {
      if (ending.signal.aborted) return null;
      visit.failures++;
      log("sftp.not_taken", { connection: id, error: error instanceof Error ? error.name : "unknown" });
      hub.fares(connection, asTrouble(error));
      return Math.min(MOST_RETRY_MS, limits.retryMs * 2 ** (visit.failures - 1));
    }
  }

  /** Milliseconds until a file that was closed just now may be taken; null: there is none. */
  async function takeAll(connection: BridgeConnection, tree: Tree, visit: Visits): Promise<number | null> {
    const { when, after } = connection.settings;
    await hub.saw(connection, await tree.seen());
    if (when.kind === "every" && now() < visit.takesAt) return visit.takesAt - now();
    const { files, settlesInMs } = await tree.waiting();
    const due = files.filter((file) => when.kind !== "daily" || nextDue(when, file.modifiedAt) <= now());
    visit.passedBy = null;
    for (const [i, file] of due.entries()) {
      if (ending.signal.aborted) break;
      if (!await tree.hold(file)) continue;
      try {
        // One that was dropped right behind it, and is left alone for a moment yet, comes with it.
        const isFollowed = i + 1 < due.length || (when.kind === "at_once" && settlesInMs !== null);
        const handed = await hub.handOver(connection, wholeFile(connection, file, isFollowed), ending.signal);
        await tree.putAway(file, handed.isOfErased === true ? "delete" : after, handed.keptAs);
        await handed.settle();
      } catch (error) {
        const trouble = asTrouble(error);
        // What the hub will never take should not be in the way of the others.
        if (trouble.code !== "too_large") throw error;
        visit.passedBy = trouble;
      } finally {
        tree.release();
      }
    }
    if (when.kind === "every" && files.length > 0) visit.takesAt = nextDue(when, now());
    return settlesInMs;
  }

  function refresh(): void {
    for (const { id } of hosted()) {
      if (visits.has(id)) continue;
      visits.set(id, { timer: null, running: false, again: false, failures: 0, takesAt: 0, passedBy: null });
      schedule(id, 0);
    }
  }

  return {
    poke: (id) => schedule(id, 0),
    changed: refresh,
    async close() {
      ending.abort();
      for (const { timer } of visits.values()) if (timer !== null) clearTimeout(timer);
      await Promise.allSettled(work);
    },
  };
}

function wholeFile(connection: BridgeConnection, file: WaitingFile, isFollowed: boolean): WholeFile {
  return {
    folder: connection.settings.folder,
    name: file.name,
    bytes: file.bytes,
    modifiedAt: file.modifiedAt,
    isFollowed,
    open: () => readFile(file),
  };
}

/** Errors when the file at its place is not the one that was found whole. */
function readFile(file: WaitingFile): ReadableStream<Uint8Array> {
  let handle: FileHandle | null = null;
  let sent = 0;
  const close = () => handle?.close().catch(() => {});
  const changed = () => new Error("The file is no longer the one that was found whole");
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        if (handle === null) {
          handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
          // Asked of what was opened: by its name alone it could have become another one.
          const stats = await handle.stat();
          if (stats.ino !== file.inode || stats.size !== file.bytes) throw changed();
        }
        const data = await readAt(handle, sent, CHUNK);
        sent += data.length;
        if (data.length > 0) return controller.enqueue(data);
        if (sent !== file.bytes) throw changed();
      } catch (error) {
        await close();
        throw error;
      }
      await close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/** What the core or the disk said, in the words that an admin sees. */
function asTrouble(error: unknown): Trouble {
  const trouble = knownTrouble(error);
  if (trouble !== null) return trouble;
  if (isDiskFull(error)) {
    return { code: "disk_full", message: "The bridge's disk is full: files cannot be put away; free some of it" };
  }
  return { code: "failed", message: "A file could not be handed over; it stays where it is and is tried again" };
}
