/** Our own connectors keep the laws for connectors, in a child as those of others. */
import { after } from "node:test";
import { testConnector } from "../../src/kit/laws/test-connector.ts";
import type { Handler } from "../../src/kit/tape.ts";
import { hireCrowd } from "../support/bamboohr/company.ts";
import { outboundTo, startBambooHR } from "../support/bamboohr/server.ts";
import { rounds } from "../support/rounds.ts";

const own = (path: string) => new URL(`../../connectors/${path}`, import.meta.url);

/** A file, and what a hub makes of it. */
const TABLE = {
  drop: {
    name: "people.csv",
    contentType: "text/csv",
    content: "email;first_name;last_name;manager_email\nana@acme.test;Ana;Sol;bo@acme.test\nbo@acme.test;Bo;Lund;\n",
  },
  records: [
    { email: "ana@acme.test", first_name: "Ana", last_name: "Sol", manager_email: "bo@acme.test" },
    { email: "bo@acme.test", first_name: "Bo", last_name: "Lund", manager_email: "" },
  ],
};

testConnector(own("csv-upload.ts"), {
  settings: { delimiter: ";" },
  refused: [{ settings: { delimiter: "x" }, at: "/delimiter" }],
  ...TABLE,
});

testConnector(own("sftp-drop.ts"), {
  settings: { mode: "hosted", folder: "/incoming", delimiter: ";" },
  refused: [
    { settings: { mode: "remote", username: "acme" }, at: "/host" },
    { settings: { mode: "hosted", host: "sftp.example.com" }, at: "/host" },
    { settings: { folder: "/../reports" }, at: "/folder" },
    { settings: { every_minutes: 5, daily_at: "06:00" }, at: "/daily_at" },
  ],
  ...TABLE,
});

const ANA = { email: "ana@acme.test", first_name: "Ana", last_name: "Sol", title: null };

testConnector(own("rest-import.ts"), {
  settings: {},
  drop: { name: "people.json", contentType: "application/json", content: JSON.stringify([ANA]) },
  records: [ANA],
});

const BY_SCIM = { source_id: "k1", username: "ana", is_active: true, manager_key: "k2" };

testConnector(own("scim.ts"), {
  settings: { department_groups: "Dept " },
  refused: [{ settings: { department_groups: "" }, at: "/department_groups" }],
  drop: { name: "scim.json", contentType: "application/json", content: JSON.stringify([BY_SCIM]) },
  records: [BY_SCIM],
});

const fake = await startBambooHR();
hireCrowd(fake.company, 120);
after(() => fake.close());
const outbound = outboundTo(fake);
const source: Handler = async (request) => {
  const { method, url, headers } = request;
  const body = method === "GET" ? undefined : new Uint8Array(await request.arrayBuffer());
  const answer = await outbound(url, {
    method,
    headers: Object.fromEntries(headers),
    body,
    timeoutMs: 30_000,
    maxBytes: 2 ** 30,
  });
  return new Response(
    [204, 304].includes(answer.status) ? null : answer.body as ReadableStream<Uint8Array<ArrayBuffer>>,
    {
      status: answer.status,
      headers: answer.headers,
    },
  );
};
for (const from of rounds(["auto", "employees", "report", "dataset"], [])) {
  testConnector(own("bamboohr/bamboohr.ts"), {
    settings: { subdomain: "acme", source: from },
    secrets: { api_key: fake.key },
    source,
  });
}
