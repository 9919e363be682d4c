/** What is unpacked when a connector is added, and the order of versions. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { LIMITS, unpackPackage } from "../../src/runtime/installed/unpack.ts";
import { compareVersions, isVersion } from "../../src/std/semver.ts";
import { type PackedEntry, packedOf } from "../support/packed.ts";

async function unpacked(bytes: Uint8Array): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "muster-unpack-"));
  try {
    await unpackPackage(bytes, folder);
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
    return Object.fromEntries(
      await Promise.all(files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, "utf8")])),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a package's files are unpacked below its folder, also those with long names", async () => {
  const long = `package/${"deep/".repeat(30)}file.js`, line = ` path=${long}\n`;
  const size = line.length + String(line.length + 3).length;
  const files = await unpacked(packedOf([
    { name: "package.json", content: "{}" },
    { name: "src/", kind: "5" },
    { name: "src/main.ts", content: "export default 1;" },
    { name: "pax", kind: "x", content: `${size}${line}` },
    { name: "short.js", content: "long" },
  ]));
  assert.deepEqual(files, {
    [`${"deep/".repeat(30)}file.js`]: "long",
    "package.json": "{}",
    "src/main.ts": "export default 1;",
  });
});

test("links, files outside of its folder, doubles, bombs and damaged files are refused, each in words", async () => {
  const refused = async (why: RegExp, ...entries: PackedEntry[]) =>
    await assert.rejects(unpacked(packedOf(entries)), why);
  await refused(/"package\/a" is no regular file/, { name: "a", kind: "2", linkTo: "/etc/passwd" });
  await refused(/"package\/a" is no regular file/, { name: "a", kind: "1", linkTo: "package/b" });
  await refused(/"package\/a" is no regular file/, { name: "a", kind: "3" });
  for (const name of ["!package/../../a", "!/etc/a", "!a", "!package/a\\b", "!package/c:a"]) {
    await refused(/is no file inside of its folder/, { name, content: "x" });
  }
  await refused(/is in it twice/, { name: "a", content: "1" }, { name: "a", content: "2" });
  await refused(/has no files/);
  await refused(
    /more than 5000 files/,
    ...Array.from({ length: LIMITS.files + 1 }, (_, i) => ({ name: `${i}` })),
  );
  await assert.rejects(unpacked(gzipSync(new Uint8Array(LIMITS.bytes + 1))), /more than 64 MiB unpacked/);
  await assert.rejects(unpacked(new Uint8Array(2000)), /it is no gzip file/);
  await assert.rejects(unpacked(gzipSync(new Uint8Array(2000).fill(65))), /no tar file, or is damaged/);
});

test("versions have SemVer's order, and what is none is refused", () => {
  const sorted = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-2",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "2.0.0-rc.1",
  ];
  const expected = [
    "1.0.0-2",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "2.0.0-rc.1",
  ];
  assert.deepEqual(sorted.reverse().sort(compareVersions), expected);
  for (const good of ["0.0.1", "1.2.3-rc.1+build.5"]) assert.ok(isVersion(good), good);
  for (const bad of ["1.0", "v1.0.0", "1.0.0/..", "01.0.0", "1.0.0-", `1.0.0-${"a".repeat(70)}`]) {
    assert.ok(!isVersion(bad), bad);
  }
});
