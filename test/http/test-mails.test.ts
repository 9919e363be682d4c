/** Test mails: whether a technical contact gets mails at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sendDueMails } from "../../src/notify/send-mails.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { HOUR_MS } from "../support/imports.ts";

test("a test mail goes to the contact of the organization or of a connection, five times an hour at most", async () => {
  const hub = Object.assign(await createTestHub(), { mailFrom: "Muster <muster@example.com>" as string | null });
  try {
    const ask = createAsk(hub, await createTestToken(hub)), send = (json: object) => ask("/v1/mails/test", { json });
    assert.equal((await (await send({})).json()).code, "unprocessable", "nobody is named yet");
    await ask("/v1/organization", { method: "PATCH", json: { name: "Acme", technical_contact: "it@acme.test" } });
    const made = { connector: "csv-upload", name: "Payroll", technical_contact: "pay@acme.test" };
    const { id } = await (await ask("/v1/connections", { json: made })).json();
    const first = await send({});
    assert.equal(first.status, 202);
    const queued = await first.json();
    assert.deepEqual([queued.type, queued.status, queued.connection_id], ["contact.test", "queued", null]);
    assert.equal((await (await send({ connection_id: id })).json()).connection_id, id);
    const sent: (readonly [string, string])[] = [];
    await sendDueMails(hub, ({ to, subject }) => Promise.resolve(void sent.push([to, subject])), { name: "test" });
    assert.deepEqual(sent.sort(), [
      ["it@acme.test", "Acme: a test of the mails from Muster"],
      ["pay@acme.test", "Payroll: a test of the mails from Muster"],
    ]);
    for (let n = 2; n < 5; n++) assert.equal((await send({})).status, 202);
    const refused = await send({});
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    hub.clock.ms += HOUR_MS + 1;
    assert.equal((await send({})).status, 202);
    const { data } = await (await ask("/v1/audit?action=mail.tested")).json();
    assert.equal(data.length, 6);
    assert.deepEqual(data.at(-2).subjects.slice(1), [id]);
    assert.equal((await send({ connection_id: "con_00000000099" })).status, 404);
    const looker = createAsk(hub, await createTestToken(hub, { scopes: ["runs:read"] }));
    assert.equal((await looker("/v1/mails/test", { json: {} })).status, 403);
    hub.mailFrom = null;
    assert.match((await (await send({})).json()).detail, /The hub sends no mails/);
  } finally {
    hub.close();
  }
});
