/** The folders of children: those of hubs that were killed are removed, those of others are not. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { makeFolder, removeFolder, removeLeft } from "../../../src/runtime/sandbox/folders.ts";

test("what a killed hub left is removed, and what a living one has stays", async () => {
  const parent = await mkdtemp(join(tmpdir(), "muster-folders-"));
  try {
    const dead = spawn("true");
    await new Promise((resolve) => dead.once("exit", resolve));
    const own = await makeFolder();
    await removeFolder(own);
    const named = (pid: number) => basename(own).replace(`.${process.pid}-`, `.${pid}-`);
    const kept = [named(process.pid), named(process.ppid), "muster-connector-4026999999.1-elsewhere", "other"];
    for (const name of [...kept, named(dead.pid!)]) await mkdir(join(parent, name));
    await removeLeft(parent);
    assert.deepEqual((await readdir(parent)).toSorted(), kept.toSorted());
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
