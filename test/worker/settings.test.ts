/** What a Worker makes of its variables, without a Worker around it. */
import assert from "node:assert/strict";
import test from "node:test";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { createTokenText } from "../../src/security/token.ts";
import { onWorkers } from "../support/on-workers.ts";
import { startReceiver } from "../support/receiver.ts";

test("a Worker that is told of a mail server says that it sends no mail, keeps none waiting, and does all else", () =>
  onWorkers(async ({ ask, lines, count }) => {
    const token = createTokenText();
    const variables = {
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_MASTER_KEY: createMasterKeyText(),
      MUSTER_ALLOW_HOSTS: "127.0.0.1",
      SMTP_URL: "smtp://muster:hunter2@mail.example.com",
    };
    const json = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const contact = JSON.stringify({ technical_contact: "it@acme.test" });
    assert.equal(
      (await ask("/v1/organization", variables, { method: "PATCH", headers: json, body: contact })).status,
      200,
    );
    // An endpoint that is switched off is told by mail where there is any.
    const gone = await startReceiver((_, response) => void response.writeHead(410).end());
    const endpoint = JSON.stringify({ url: gone.url });
    const made = await ask("/v1/webhook-endpoints", variables, { method: "POST", headers: json, body: endpoint });
    const { id } = await made.json();
    const headers = { ...json, "content-type": "text/csv", prefer: "wait=30" };
    const body = "employee_id,email,first_name,last_name\n1,ana@example.com,Ana,Lopez\n";
    const answer = await ask("/v1/connections/csv/drops", variables, { method: "POST", headers, body });
    assert.equal((await answer.json()).run.status, "succeeded");
    const { status } = await (await ask(`/v1/webhook-endpoints/${id}`, variables, { headers: json })).json();
    assert.equal(status, "disabled");
    await gone.close();
    const said = lines().filter(({ event }) => event === "mail.unavailable");
    assert.deepEqual(said.map(({ reason }) => reason), ["Workers send no mail: SMTP_URL has no meaning here"]);
    assert.ok(!JSON.stringify(lines()).includes("hunter2"));
    assert.equal(count("mails"), 0);
  }));

test("a Worker whose settings cannot be used answers so, and its log names each of them", () =>
  onWorkers(async ({ ask, lines }) => {
    const answer = await ask("/healthz", { MUSTER_RETAIN_DAYS: "many", MUSTER_PUBLIC_URL: "here" });
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /^The hub's settings cannot be used; its log says why$/m);
    const problems = lines().map(({ event, problem }) => `${event} ${problem}`);
    assert.equal(problems.length, 2);
    assert.match(
      problems.join("\n"),
      /settings.refused MUSTER_RETAIN_DAYS[^]*settings.refused MUSTER_PUBLIC_URL|settings.refused MUSTER_PUBLIC_URL[^]*settings.refused MUSTER_RETAIN_DAYS/,
    );
  }));
