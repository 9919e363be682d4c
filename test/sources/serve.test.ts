import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { createTokenText } from "../../src/security/token.ts";
import { fetch } from "../support/checked.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";
import { startSource } from "../support/source.ts";

const PEOPLE = Array.from({ length: 60 }, (_, i) => ({
  id: String(i + 1),
  mail: `person${i}@acme.test`,
  first: "Person",
  last: `Number${i}`,
}));

// The processes are slow to start: once is enough, as the door is the same.
const skip = onlyInCheck || ("Deno" in globalThis ? false : "on Deno alone");

test(
  "a served hub fetches from a stranger's connector; killed in the middle, it goes on when it comes back",
  { skip },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-"));
    const source = await startSource(PEOPLE);
    source.pageSize = 10;
    const env = {
      MUSTER_DATA_DIR: join(dir, "data"),
      MUSTER_ADMIN_TOKEN: createTokenText(),
      MUSTER_CONNECTORS: fileURLToPath(new URL("../support/source.ts", import.meta.url)),
      MUSTER_ALLOW_HOSTS: "127.0.0.0/8",
    };
    const headers = { authorization: `Bearer ${env.MUSTER_ADMIN_TOKEN}`, "content-type": "application/json" };
    try {
      let hub = await startServing(env);
      const post = async (path: string, json: object, more: Record<string, string> = {}) => {
        const body = JSON.stringify(json);
        return await (await fetch(`${hub.url}/v1${path}`, { method: "POST", body, headers: { ...headers, ...more } }))
          .json();
      };
      const connection = await post("/connections", {
        connector: "paged",
        name: "hr",
        settings: { host: source.host, checkpoints: true },
        secrets: { api_key: source.key },
      });
      assert.equal(connection.slug, "hr", JSON.stringify(connection));
      assert.equal((await post("/connections/hr/check", {})).detail, "60 people can be read");
      source.asked.length = 0;
      source.script.push(null, null, null, "hang");
      const { run } = await post("/connections/hr/runs", {});
      for (const end = Date.now() + 20_000; source.asked.length < 4;) {
        assert.ok(Date.now() < end, hub.said().err);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await hub.stop("SIGKILL");
      hub = await startServing(env);
      const ended = await fetch(`${hub.url}/v1/runs/${run.id}`, { headers: { ...headers, prefer: "wait=60" } });
      const { status, complete, counts } = await ended.json();
      assert.deepEqual([status, complete, counts.created], ["succeeded", true, 60], hub.said().err);
      assert.deepEqual(source.asked.slice(4), ["/people?after=30", "/people?after=40", "/people?after=50"]);
      assert.doesNotMatch(hub.said().err, /the-key-of/);
      assert.equal(await hub.stop(), 0);
    } finally {
      await source.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
