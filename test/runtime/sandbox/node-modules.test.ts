/** What packages of Node count on while they are bundled and loaded: its modules by bare names, and `process`. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { bundleConnector } from "../../../src/runtime/sandbox/bundle.ts";
import { connectorCode, fetchAll, withChild } from "../../support/stranger.ts";

const FILES = {
  "node_modules/old-style/package.json": JSON.stringify({ name: "old-style", version: "1.0.0", main: "index.js" }),
  "node_modules/old-style/index.js": `
    const { format } = require("util");
    const { EventEmitter } = require("events");
    if (process.env.NODE_ENV !== "production") throw new Error("This is the slow half");
    exports.hello = (name) => {
      let heard = "";
      new EventEmitter().on("said", (text) => heard = text).emit("said", format("hello %s", name));
      return heard;
    };
    exports.secret = process.env.MUSTER_BARE_NAMES ?? null;`,
  // A package of this name is not what a program of Node gets by it.
  "node_modules/buffer/package.json": JSON.stringify({ name: "buffer", version: "1.0.0", main: "index.js" }),
  "node_modules/buffer/index.js": `throw new Error("Not Node's own");`,
  "connector.ts": connectorCode(
    `async *fetch() {
      const hash = createHash("sha256").update("a").digest("hex").slice(0, 8);
      const base64 = Buffer.from("a").toString("base64");
      yield { origin: null, records: [{ hello: hello("Ana"), hash, base64, at: join("a", "b"), secret }] };
      yield { origin: null, records: [{ mode: process.env.NODE_ENV ?? null, env: Object.keys(env).length, cwd: cwd() }] };
    },`,
    `import { Buffer } from "buffer";
     import { createHash } from "crypto";
     import { join } from "path/posix";
     import { cwd, env } from "process";
     import { hello, secret } from "old-style";
     declare const process: { env: Record<string, string> };`,
  ),
};

test("a connector's packages may import Node's modules by bare names, and read an empty environment made for production", async () => {
  const folder = await mkdtemp(join(tmpdir(), "muster-bare-"));
  process.env.MUSTER_BARE_NAMES = "the operator's";
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const { code } = await bundleConnector("./connector.ts", folder);
    const { pages } = await withChild(code, (child) => fetchAll(child));
    assert.deepEqual(pages.map((page) => (page as { records: unknown[] }).records[0]), [
      { hello: "hello Ana", hash: "ca978112", base64: "YQ==", at: "a/b", secret: null },
      { mode: "production", env: 0, cwd: "/" },
    ]);
  } finally {
    delete process.env.MUSTER_BARE_NAMES;
    await rm(folder, { recursive: true });
  }
});
