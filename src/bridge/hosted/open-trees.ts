/**
 * The trees that the hosted server has open, one for each connection, and their care: trees of deleted connections are set
 * aside, and people who were erased are removed from them.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createSerial } from "../../std/serial.ts";
import type { BridgeConnection, ErasedTree, HostedOptions, HostedServer } from "../contract.ts";
import { trimCopies } from "./copies.ts";
import { eraseTree, eraseUnheldTree } from "./erase-tree.ts";
import { findHosted } from "./hosting.ts";
import type { HostedLimits } from "./limits.ts";
import { createTree, type OpenFile, recount, type Tree, type TreeOptions } from "./tree.ts";
import { claimTree, findTreeOf, listAside, listTrees, removeAsideOf, removeLongAside, setAside } from "./trees.ts";

type FindGone = Parameters<HostedServer["tend"]>[0];

export interface OpenTreesOptions extends Pick<HostedOptions, "dir" | "hub" | "log" | "now"> {
  readonly limits: HostedLimits;
  readonly openFile?: OpenFile;
  /** A file of this connection may be whole. */
  readonly changed: (id: string) => void;
  /** Resolves when the sessions that are ending have closed their files. */
  readonly sessionsEnded: () => Promise<unknown>;
}

export function createOpenTrees(options: OpenTreesOptions) {
  const { dir, hub, log, now, limits, openFile, changed } = options;
  const trees = new Map<string, Promise<Tree>>();
  /** Trees are set aside, put back and erased one after another. */
  const inTurn = createSerial();

  async function claim({ id, owner }: BridgeConnection): Promise<void> {
    // Not while trees are being set aside.
    await inTurn(() => Promise.resolve());
    const moved = owner === undefined ? null : await claimTree(dir, id, owner, now());
    if (moved !== null) log(`sftp.tree_${moved}`, { connection: id });
  }

  /** The connection's tree, opened at the first call. */
  function of(connection: BridgeConnection): Promise<Tree> {
    const { id } = connection;
    const known = trees.get(id);
    if (known !== undefined) return known;
    let latest = connection;
    const tree = claim(connection).then(() =>
      openTree({
        dir: join(dir, id),
        limits,
        openFile,
        connection: () => latest = findHosted(options, id) ?? latest,
        changed: () => changed(id),
        trimmed: (count) => log("sftp.kept_too_much", { connection: id, count }),
      })
    );
    trees.set(id, tree);
    tree.catch(() => trees.delete(id));
    return tree;
  }

  return {
    of,
    /** See HostedServer. */
    tend: (findGone: FindGone) =>
      inTurn(async () => {
        await setGoneAside(options, trees, findGone);
        const removed = await removeLongAside(dir, now());
        if (removed > 0) log("sftp.trees_removed", { count: removed });
        return await listAside(dir);
      }),
    /** See HostedServer. */
    async erase(id: string, organization: string, askedAt: number) {
      const connection = findHosted({ hub }, id);
      const tree = connection?.organization === organization ? await of(connection) : null;
      return await inTurn(async (): Promise<ErasedTree> => {
        await removeAsideOf(dir, id, organization);
        if (tree !== null) return await eraseTree(tree, askedAt, now());
        const unheld = await findTreeOf(dir, id, organization);
        return unheld === null ? { isDone: true, waiting: 0 } : await eraseUnheldTree(unheld, askedAt, now());
      });
    },
  };
}

async function setGoneAside(
  { dir, hub, log, now, sessionsEnded }: OpenTreesOptions,
  trees: Map<string, unknown>,
  findGone: FindGone,
): Promise<void> {
  const isHeld = (id: string) => hub.connections().some((connection) => connection.id === id);
  const others = (await listTrees(dir)).filter((id) => !isHeld(id));
  const gone = others.length === 0 ? [] : await findGone(others);
  // The clients of a connection are disconnected when it goes, and their files are being closed.
  await sessionsEnded();
  for (const id of gone) {
    if (isHeld(id)) continue;
    trees.delete(id);
    await setAside(dir, id, now());
    log("sftp.tree_set_aside", { connection: id });
  }
}

/** Makes missing folders, removes what a process left half made when it ended, and counts the rest. */
export async function openTree(options: TreeOptions): Promise<Tree> {
  const tree = createTree(options);
  const { making } = tree.folders;
  for (const folder of Object.values(tree.folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  // A file that was being made when the process ended is made again by its maker.
  for (const name of await readdir(making)) await rm(join(making, name), { force: true });
  await recount(tree);
  await trimCopies(tree, "", 0);
  return tree;
}
