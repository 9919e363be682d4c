/** A server that cannot be visited: counted, reported once, and reported again when it can be visited. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import type { Hub } from "../../src/hub.ts";
import { type OutgoingMail, sendDueMails } from "../../src/notify/send-mails.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { introduceBridge } from "../support/introduce.ts";

const MINUTE_MS = 60_000, DAY_MS = 24 * 60 * MINUTE_MS;
const REFUSED = { code: "login_refused", message: "The server sends the log-in away: it should be another password" };
const CHANGED = { code: "host_key_changed", message: "The server shows another host key" };

async function visiting() {
  const hub = await createTestHub({ registry: createRegistry() });
  const mailing: Hub = Object.assign(hub, { mailFrom: "Muster <muster@example.com>" });
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  await operator("/v1/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
  const settings = { mode: "remote", host: "sftp.example.com", username: "muster" };
  const made = await operator("/v1/connections", { json: { connector: "sftp-drop", name: "HR", settings } });
  const { id } = await made.json();
  const bridge = await introduceBridge(hub, operator);
  const hold = async () => assert.equal((await bridge.ask("/v1/bridge/connections", { json: {} })).status, 200);
  await hold();
  const report = async (seenAt: number, trouble: object | null) => {
    await hold();
    const json = { connections: [{ id, seen_at: seenAt, trouble, lying: [] }] };
    assert.equal((await bridge.ask("/v1/bridge/health", { json })).status, 204);
  };
  return {
    hub,
    /** A visit some time later, and its outcome; reported to the hub twice, as after an answer that was lost. */
    async visit(trouble: object | null, laterMs = 5 * MINUTE_MS) {
      hub.clock.ms += laterMs;
      for (let time = 0; time < 2; time++) await report(hub.clock.ms, trouble);
    },
    connection: async () => await (await operator(`/v1/connections/${id}`)).json(),
    async events() {
      const { data } = await (await operator("/v1/events")).json();
      return data.map((event: { type: string; data: { failures_in_a_row: number; last_error: { code: string } } }) => [
        event.type,
        event.data.failures_in_a_row,
        event.data.last_error.code,
      ]);
    },
    async mails() {
      const sent: OutgoingMail[] = [];
      const send = (mail: OutgoingMail) => Promise.resolve(void sent.push(mail));
      while (await sendDueMails(mailing, send, { name: "test" }) > 0);
      return sent;
    },
  };
}

test("the third visit in a row that fails is an error of the connection: shown, sent and mailed, once", async () => {
  const world = await visiting();
  try {
    await world.visit(REFUSED);
    await world.visit(REFUSED);
    assert.deepEqual([(await world.connection()).state, await world.events(), await world.mails()], ["ok", [], []]);
    await world.visit(REFUSED);
    const { state, sftp } = await world.connection();
    assert.deepEqual([state, sftp.failures_in_a_row, sftp.trouble], ["error", 3, REFUSED]);
    assert.deepEqual(await world.events(), [["connection.error", 3, "login_refused"]]);
    const [mail, ...more] = await world.mails();
    assert.deepEqual(more, []);
    assert.equal(mail!.to, "it@acme.test");
    assert.match(mail!.subject, /HR: has failed 3 times in a row/);
    assert.ok(mail!.text.includes(REFUSED.message));

    // The same reason is not reported again, another at once, and one that persists every week.
    for (let time = 0; time < 10; time++) await world.visit(REFUSED);
    assert.deepEqual(await world.mails(), []);
    await world.visit(CHANGED);
    assert.ok((await world.mails())[0]!.text.includes(CHANGED.message));
    await world.visit(CHANGED, 8 * DAY_MS);
    assert.match((await world.mails())[0]!.subject, /still fails/);
    assert.equal((await world.events()).length, 1);
  } finally {
    world.hub.close();
  }
});

test("the next visit that goes well recovers it, and says so", async () => {
  const world = await visiting();
  try {
    for (let time = 0; time < 4; time++) await world.visit(CHANGED);
    await world.mails();
    await world.visit(null);
    const { state, sftp } = await world.connection();
    assert.deepEqual([state, sftp.failures_in_a_row, sftp.trouble], ["ok", 0, null]);
    assert.deepEqual((await world.events()).map(([type]: string[]) => type).sort(), [
      "connection.error",
      "connection.recovered",
    ]);
    const [mail] = await world.mails();
    assert.match(mail!.subject, /HR: works again/);
    await world.visit(null);
    assert.deepEqual(await world.mails(), []);
    // Two that fail and one that goes well are no three.
    for (const trouble of [REFUSED, REFUSED, null, REFUSED, REFUSED]) await world.visit(trouble);
    assert.equal((await world.connection()).state, "ok");
  } finally {
    world.hub.close();
  }
});
