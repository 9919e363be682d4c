/** A hub that lacks the connector of a connection: the connection is in error, nothing is lost, and it comes back. */
import assert from "node:assert/strict";
import test from "node:test";
import { connectorFor, type Hub, type Installed, meaningOf, pinOf, type Registry } from "../../src/hub.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { countUses, describeUse } from "../../src/store/connections/connector-uses.ts";
import { TEST_CONNECTORS } from "../support/hub.ts";
import { csv, HEADER, importing } from "../support/imports.ts";
import { fetching, giving, PEOPLE } from "../support/fetching.ts";

test("runs of a missing connector fail at once as the connector's, a mail goes out once, and it recovers", () =>
  fetching({ fetch: giving(PEOPLE) }, async ({ hub, post, fetch, carry, run, ask, fetchNow }) => {
    assert.equal((await fetchNow())[0]!.status, "succeeded");
    const without: Hub = { ...hub, registry: createRegistry() };
    for (let failure = 1; failure <= 4; failure++) {
      const { body } = await post("/v1/connections/hr/runs");
      await fetch(without);
      await carry({}, without);
      const { status, error } = await run(body.run.id);
      assert.deepEqual([status, error?.code], ["failed", "connector_missing"]);
      assert.match(error!.message, /The connector "written" is not installed in this hub/);
    }
    const events = async (type: string) => (await (await ask(`/v1/events?type=${type}`)).json()).data.length;
    assert.deepEqual([await events("connection.error"), await events("connection.recovered")], [1, 0]);
    const shown = await (await ask("/v1/connections/hr")).json();
    assert.deepEqual([shown.state, shown.failures.connector, shown.failures.hub], ["error", 4, 0]);
    const [back] = await fetchNow();
    assert.equal(back!.status, "succeeded");
    assert.deepEqual((await (await ask("/v1/connections/hr")).json()).failures_in_a_row, 0);
    assert.deepEqual([await events("connection.error"), await events("connection.recovered")], [1, 1]);
    assert.deepEqual((await countUses(hub.db)).map(describeUse), [
      "csv-upload of 1 connection of 1 organization",
      "rest-import of 1 connection of 1 organization",
      "written of 1 connection of 1 organization",
    ]);
  }));

test("an upload that waits while its connector goes fails in words", () =>
  fetching({ fetch: giving(PEOPLE) }, async ({ hub, handIn, carry, run }) => {
    const id = await handIn(csv(HEADER, "1,ana@acme.test,Ana,Sol"));
    const without: Hub = { ...hub, registry: new Map() };
    await carry({}, without);
    assert.equal((await run(id)).error?.code, "connector_missing");
  }));

test("a connection keeps the version that it is pinned to, and code of others counts as part of its version", () => {
  const version = (version: string, digest: string) =>
    ({ name: "acme", version, isolated: { digest } }) as unknown as Installed;
  const old = version("1.0.0", "aa"), newest = version("1.1.0", "bb");
  const pinned = new Map([["aa", old], ["bb", newest]]);
  const registry: Registry = Object.assign(new Map([["acme", newest]]), { pinned });
  assert.deepEqual(pinOf(registry, newest), { connectorVersion: "1.1.0", connectorDigest: "bb" });
  assert.equal(connectorFor(registry, { connector: "acme", connectorDigest: "aa" }), old);
  assert.equal(connectorFor(registry, { connector: "acme", connectorDigest: "cc" }), undefined);
  assert.equal(connectorFor(registry, { connector: "acme", connectorDigest: null }), newest);
  const followed = Object.assign(new Map([["acme", newest]]), { pinned: new Map() });
  assert.deepEqual(pinOf(followed, newest), { connectorVersion: null, connectorDigest: null });
  assert.notEqual(meaningOf(version("1.0.0", "aa")), meaningOf(version("1.0.0", "bb")));
});

test("a new connection is pinned to the newest version, and stays with it when a newer one is added", () => {
  const digest = (text: string) => text.repeat(64);
  const kept = (version: string, of: string) => ({
    ...TEST_CONNECTORS.get("fetched")!,
    name: "kept",
    version,
    notes: [{ text: "Ask for a key first" }],
    isolated: { digest: of, prepare: () => Promise.resolve(), openNormalizer: () => assert.fail() },
  } as unknown as Installed);
  const first = kept("1.0.0", digest("a")), second = kept("2.0.0", digest("b"));
  const pinned = new Map([[digest("a"), first]]);
  const registry = Object.assign(new Map([...createRegistry(), ["kept", first]]), { added: new Set(["kept"]), pinned });
  return importing(async ({ connect, ask }) => {
    await connect("old", { connector: "kept", schedule: null });
    pinned.set(digest("b"), second);
    registry.set("kept", second);
    await connect("new", { connector: "kept", schedule: null });
    const { data } = await (await ask("/v1/connections")).json();
    const pins = data.filter(({ connector }: { connector: string }) => connector === "kept")
      .map((
        each: Record<string, unknown>,
      ) => [each.slug, each.connector_version, each.connector_digest, each.installed]);
    assert.deepEqual(pins, [["old", "1.0.0", digest("a"), true], ["new", "2.0.0", digest("b"), true]]);
    const shown = (await (await ask("/v1/connectors")).json()).data.find(({ name }: { name: string }) =>
      name === "kept"
    );
    assert.deepEqual([shown.version, shown.versions, shown.origin, shown.connections], [
      "2.0.0",
      ["1.0.0", "2.0.0"],
      "added",
      2,
    ]);
    assert.deepEqual(shown.notes, [{ field: null, text: "Ask for a key first" }]);
    pinned.delete(digest("a"));
    const gone = await (await ask("/v1/connections/old")).json();
    assert.deepEqual([gone.installed, gone.state], [false, "error"]);
    assert.match(gone.last_error.message, /"kept", version 1\.0\.0, is not installed/);
  }, { registry });
});
