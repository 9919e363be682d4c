import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import test from "node:test";
import { createOwner } from "../../src/runtime/owner.ts";

test("a carrier knows itself, and takes an earlier one of its own process for dead", () => {
  const earlier = createOwner();
  const owner = createOwner();
  assert.equal(owner.isGone(owner.name), false);
  assert.equal(owner.isGone(earlier.name), true);
});

test("a carrier in another process is dead when that process is", async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  const pid = child.pid!;
  await new Promise((resolve) => child.on("exit", resolve));
  const owner = createOwner();
  const named = (number: number) => owner.name.replace(`/${process.pid}/`, `/${number}/`);
  assert.equal(owner.isGone(named(pid)), true);
  assert.equal(owner.isGone(named(process.ppid)), false);
});

test("nothing is said of carriers elsewhere, nor of names of another form", () => {
  const owner = createOwner();
  assert.equal(owner.isGone(owner.name.replace(/^[^/]+/, "elsewhere 1")), false);
  assert.equal(owner.isGone("8a2c"), false);
});

test("on a server only those of the same start of this machine are known to have died", () => {
  const earlier = createOwner(false, "boot 1"), owner = createOwner(false, "boot 1");
  assert.equal(owner.isGone(earlier.name), true);
  assert.equal(owner.isGone(owner.name), false);
  assert.equal(owner.isGone(createOwner(false, "boot 2").name), false, "a machine of the same name");
  const unknown = createOwner(false, "");
  assert.equal(unknown.isGone(createOwner(false, "").name), false, "a machine that has no such id");
});
