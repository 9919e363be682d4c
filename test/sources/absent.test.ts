/** A hub that lacks the connector of a connection: the connection is in error, nothing is lost, and it comes back. */
import assert from "node:assert/strict";
import test from "node:test";
import { connectorFor, type Hub, type Installed, meaningOf, pinOf, type Registry } from "../../src/hub.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { countUses, describeUse } from "../../src/store/connections/connector-uses.ts";
import { csv, HEADER } from "../support/imports.ts";
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
