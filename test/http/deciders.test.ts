/**
 * Loosening what protects people from an input, and changing a connection's source, take more than connections:write.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import type { Scope } from "../../src/model/scope.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertUser } from "../support/people.ts";
import { encodeId } from "../../src/model/id.ts";

interface Scene {
  readonly hub: TestHub;
  readonly admin: Ask;
  readonly writer: Ask;
  readonly decider: Ask;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const hub = await createTestHub({ registry: createRegistry() });
  const as = async (...scopes: Scope[]) => createAsk(hub, await createTestToken(hub, { scopes }));
  try {
    await work({
      hub,
      admin: await as("admin"),
      writer: await as("connections:write", "connections:read"),
      decider: await as("connections:write", "connections:read", "runs:approve"),
    });
  } finally {
    hub.close();
  }
}

async function refused(answer: Response, what: RegExp): Promise<void> {
  assert.equal(answer.status, 403, await answer.clone().text());
  const { detail } = await answer.json();
  assert.match(detail, /lacks the scope "runs:approve"/);
  assert.match(detail, what);
}

const CSV = { connector: "csv-upload", name: "Other", slug: "other" };
const BAMBOO = {
  connector: "bamboohr",
  name: "BambooHR",
  settings: { subdomain: "acme" },
};
const REMOTE = { mode: "remote", host: "sftp.example.com", username: "muster" };

test("guards are loosened and disabled by tokens that may approve, and tightened by those that write connections", () =>
  scene(async ({ admin, writer, decider }) => {
    const change = (ask: Ask, json: object) => ask("/v1/connections/csv", { method: "PATCH", json });
    const LOOSER = [
      { limits: { deactivate: { enabled: false } } },
      { limits: { deactivate: { percent: 6 } } },
      { limits: { identity: { floor: 100 } } },
      { limits: { reactivate: { cap: null } } },
      { limits: { column: { enabled: false } } },
      { limits: { field_gone: { enabled: false } } },
      { limits: { errors: { percent: 100, floor: 1_000_000 } } },
    ];
    for (const json of LOOSER) {
      await refused(await change(writer, json), /looser guard/);
      await refused(await writer("/v1/connections", { json: { ...CSV, ...json } }), /looser guard/);
    }
    assert.equal((await change(writer, { limits: { deactivate: { percent: 1, floor: 1 } } })).status, 200);
    await refused(await change(writer, { limits: { deactivate: null } }), /looser guard "deactivate"/);
    await refused(await change(writer, { limits: { deactivate: { percent: 1 } } }), /looser guard "deactivate"/);
    assert.deepEqual((await (await admin("/v1/connections/csv")).json()).limits, {
      deactivate: { percent: 1, floor: 1 },
    });
    for (const json of LOOSER) assert.equal((await change(decider, json)).status, 200);
  }));

test("so are signatures, people who are protected, kinds of change, and the time that somebody missing has", () =>
  scene(async ({ hub, admin, writer, decider }) => {
    const change = (ask: Ask, policy: object) => ask("/v1/connections/csv", { method: "PATCH", json: { policy } });
    const person = encodeId("usr", await insertUser(hub, { email: "ana@example.com" }));
    const strict = {
      signature: "required",
      protected: [person],
      deactivate: false,
      missing_after_runs: 5,
      missing_after_hours: 48,
    };
    assert.equal((await change(writer, strict)).status, 200, "a token that writes connections may be strict");
    for (
      const [policy, what] of [
        [{ signature: "optional" }, /accepting unsigned files/],
        [{ signature: null }, /accepting unsigned files/],
        [{ protected: [] }, /removing a protected person/],
        [{ protected: null }, /removing a protected person/],
        [{ deactivate: true }, /enabling "deactivate"/],
        [{ pick: "all" }, /taking all files that wait together as one/],
        [{ missing_after_runs: 1 }, /"missing_after_runs"/],
        [{ missing_after_hours: null }, /"missing_after_hours"/],
      ] as const
    ) await refused(await change(writer, policy), what);
    assert.deepEqual((await (await admin("/v1/connections/csv")).json()).policy, strict);
    assert.equal((await change(decider, { signature: null, protected: [], deactivate: null })).status, 200);
    assert.equal((await writer("/v1/connections/csv", { method: "PATCH", json: { name: "Files" } })).status, 200);
  }));

test("a source is named, and its secrets are set, by tokens that may approve", () =>
  scene(async ({ writer, decider }) => {
    await refused(await writer("/v1/connections", { json: BAMBOO }), /source of a connection/);
    const remote = { connector: "sftp-drop", name: "Remote", slug: "remote", settings: REMOTE };
    await refused(await writer("/v1/connections", { json: remote }), /source of a connection/);
    const hosted = { connector: "sftp-drop", name: "Hosted", slug: "hosted" };
    assert.equal((await writer("/v1/connections", { json: hosted })).status, 201);
    await refused(
      await writer("/v1/connections", { json: { ...hosted, slug: "h2", secrets: { password: "x" } } }),
      /secrets/,
    );
    assert.equal((await decider("/v1/connections", { json: remote })).status, 201);
    const change = (json: object) => writer("/v1/connections/remote", { method: "PATCH", json });
    for (
      const settings of [
        { ...REMOTE, host: "evil.example.com" },
        { ...REMOTE, port: 2222 },
        { ...REMOTE, username: "evil" },
        { ...REMOTE, host_key: `SHA256:${"a".repeat(43)}` },
        {},
      ]
    ) await refused(await change({ settings }), /source of a connection/);
    await refused(await change({ secrets: { password: "x" } }), /secrets/);
    assert.equal((await change({ settings: { ...REMOTE, folder: "/other" } })).status, 200);
    await refused(
      await writer("/v1/connections/hosted", { method: "PATCH", json: { settings: REMOTE } }),
      /source of a connection/,
    );
  }));

test("nobody is let in at the SFTP server, and no key is registered or taken away, by connections:write alone", () =>
  scene(async ({ writer, decider }) => {
    await decider("/v1/connections", { json: { connector: "sftp-drop", name: "HR", slug: "hr" } });
    for (const method of ["password", "key_pair"]) {
      await refused(await writer("/v1/connections/hr/sftp-login", { json: { method } }), /creating an SFTP login/);
    }
    const made = await decider("/v1/connections/hr/sftp-login", { json: { method: "key_pair" } });
    assert.equal(made.status, 201);
    const ended = await writer("/v1/connections/hr/sftp-login", { method: "DELETE" });
    assert.equal(ended.status, 204, "a token that writes connections may lock out");
    const key = await (await writer("/v1/connections/csv/pgp-keys", { json: { type: "ecc" } })).json();
    await refused(
      await writer("/v1/connections/csv/pgp-keys", { json: { public_key: key.public_key } }),
      /registering/,
    );
    const at = `/v1/connections/csv/pgp-keys/${key.id}`;
    await refused(await writer(`${at}/retire`, { json: {} }), /retiring/);
    await refused(await writer(at, { method: "DELETE" }), /deleting/);
    assert.equal((await decider(at, { method: "DELETE" })).status, 204);
  }));

test("who is written to about held runs is the admin's to say", () =>
  scene(async ({ writer, decider, admin }) => {
    const json = { technical_contact: "thief@example.com" };
    for (const ask of [writer, decider]) {
      assert.equal((await ask("/v1/organization", { method: "PATCH", json })).status, 403);
    }
    assert.equal((await admin("/v1/organization", { method: "PATCH", json })).status, 200);
  }));
