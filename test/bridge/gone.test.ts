/** Trees of connections that are gone: set aside, reported, given back to their owners, and removed in the end. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHostedServer } from "../../src/bridge/hosted/server.ts";
import { claimTree, listAside, removeLongAside, setAside } from "../../src/bridge/hosted/trees.ts";
import { openTree } from "../../src/bridge/hosted/open-trees.ts";
import { HOSTED_LIMITS } from "../../src/bridge/hosted/limits.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { bridging, isHeld, until } from "../support/bridging.ts";
import { hostedConnection } from "../support/hosted.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";

const DAY_MS = 86_400_000;

test("the tree of a connection that is deleted, its organization's too, is set aside, reported, and removed after 30 days", async () => {
  const hub = await createTestHub({ registry: createRegistry(), now: Date.now() });
  const dir = mkdtempSync(join(tmpdir(), "muster-gone-"));
  let ahead = 0;
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const bridge = await bridging(hub, { dir, createHostedServer, now: () => Date.now() + ahead });
  try {
    await operator("/v1/organizations", { json: { slug: "acme", name: "Acme", timezone: "Europe/Berlin" } });
    const connect = async (organization: string) => {
      const headers = { "muster-organization": organization };
      const json = { connector: "sftp-drop", name: "HR", slug: crypto.randomUUID().slice(0, 8) };
      const { id } = await (await operator("/v1/connections", { json, headers })).json();
      await isHeld(bridge, id);
      await until("it has a tree", () => existsSync(join(dir, id, "failed")));
      // Cut off in mid-upload: nobody has handed it over.
      writeFileSync(join(dir, id, "drops", "half.csv"), "email\n", { mode: 0o600 });
      return id;
    };
    const kept = await connect("default"), gone = await connect("default"), acme = await connect("acme");
    const setAside = async () => {
      const { data } = await (await operator("/v1/bridges")).json();
      return data[0].set_aside.map((each: { connection: string; files: number }) => [each.connection, each.files]);
    };
    assert.equal((await operator(`/v1/connections/${gone}`, { method: "DELETE" })).status, 204);
    await until("it is reported", setAside, (list) => list.length === 1);
    assert.deepEqual(await setAside(), [[gone, 1]]);
    assert.ok(
      bridge.lines.some(({ event, details }) => event === "sftp.tree_set_aside" && details.connection === gone),
    );
    assert.ok(!existsSync(join(dir, gone)) && existsSync(join(dir, kept)));
    const [name] = readdirSync(join(dir, "aside"));
    assert.equal(readFileSync(join(dir, "aside", name!, "drops", "half.csv"), "utf8"), "email\n");

    const organization = await operator("/v1/organizations/acme", { method: "DELETE" });
    assert.equal(organization.status, 204, await organization.text());
    await until("it is reported as well", setAside, (list) => list.length === 2);
    assert.ok(!existsSync(join(dir, acme)));

    ahead = 29 * DAY_MS;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(readdirSync(join(dir, "aside")).length, 2);
    ahead = 31 * DAY_MS;
    await until("they are removed", setAside, (list) => list.length === 0);
    assert.deepEqual(readdirSync(join(dir, "aside")), []);
    assert.ok(existsSync(join(dir, kept, "drops", "half.csv")));
  } finally {
    await bridge.kill();
    hub.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a tree that another bridge's connection left here, or a hub that does not answer, is not touched", async () => {
  const hub = await createTestHub({ registry: createRegistry(), now: Date.now() });
  const dir = mkdtempSync(join(tmpdir(), "muster-gone-"));
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  let isAway = true;
  const made = await operator("/v1/connections", { json: { connector: "sftp-drop", name: "HR" } });
  const { id } = await made.json();
  const holder = await bridging(hub, {});
  await isHeld(holder, id);
  const other = await bridging(hub, {
    dir,
    createHostedServer,
    line: (request, send) => isAway && request.path.endsWith("/trees") ? Promise.reject(new Error("away")) : send(),
  });
  try {
    const open = (id: string) =>
      openTree({
        dir: join(dir, id),
        connection: () => hostedConnection(id),
        limits: HOSTED_LIMITS,
        changed: () => {},
      });
    const stranger = "con_0000000zzzz";
    await open(id);
    await open(stranger);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(existsSync(join(dir, stranger)), "it was not reported as gone");
    isAway = false;
    const again = await other.again({ line: (_, send) => send() });
    try {
      await until("the one that nobody knows is set aside", () => !existsSync(join(dir, stranger)));
      assert.ok(existsSync(join(dir, id)), "another bridge's");
    } finally {
      await again.kill();
    }
  } finally {
    await holder.kill();
    hub.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a number that another connection has got opens nothing of the one before, whose tree comes back with it", async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-gone-"));
  const id = "con_00000000007", now = Date.UTC(2026, 2, 2, 8);
  const drop = join(dir, id, "drops");
  try {
    // A tree from before anybody wrote down whose it is.
    await openTree({ dir: join(dir, id), connection: () => hostedConnection(id), limits: HOSTED_LIMITS, changed() {} });
    assert.equal(await claimTree(dir, id, "org_1 1", now), null);
    writeFileSync(join(drop, "theirs.csv"), "x");
    assert.equal(await claimTree(dir, id, "org_1 1", now), null);
    assert.equal(await claimTree(dir, id, "org_2 5", now), "set_aside");
    assert.ok(!existsSync(drop));
    assert.deepEqual(await listAside(dir), [{ connection: id, since: now, files: 1 }]);
    assert.equal(await removeLongAside(dir, now + 30 * DAY_MS - 1), 0);
    // The hub has got its right database back.
    assert.equal(await claimTree(dir, id, "org_1 1", now + DAY_MS), "put_back");
    assert.deepEqual(readdirSync(drop), ["theirs.csv"]);
    assert.deepEqual((await listAside(dir)).map(({ since }) => since), [now + DAY_MS]);
    await setAside(dir, id, now);
    assert.equal(await removeLongAside(dir, now + 40 * DAY_MS), 2);
    assert.equal(await claimTree(dir, id, "org_1 1", now + 41 * DAY_MS), null);
    assert.ok(existsSync(join(dir, id)));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
