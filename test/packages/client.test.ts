/** The package for those who use the API, as they get it, with a hub that is served. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { checkTypes, examplesOf, type Installed, installPackages, run } from "../support/installed-packages.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const options = { skip: onlyInCheck };
let installed: Installed;

before(async () => {
  if (onlyInCheck === false) installed = await installPackages(["client"]);
});
after(() => installed?.remove());

test("it has neither sources nor tests", options, () => {
  const { files } = installed.packed.get("@muster-hub/client")!;
  const others = files.map(({ path }) => path).filter((path) => !/^dist\/.*(\.js|\.d\.ts|LICENSE)$/.test(path));
  assert.deepEqual(others.toSorted(), ["README.md", "package.json"]);
});

test("its README's code passes the strictest check of types", options, async () => {
  const code = await examplesOf("client");
  await installed.write("readme.ts", code.join("\n"));
  for (const resolution of ["nodenext", "bundler"] as const) {
    await checkTypes(installed.folder, "readme.ts", resolution);
  }
});

/** The connections that each organization begins with. */
const ITS_OWN = ["API", "CSV upload"];

/** Makes connections, lists them in pages of two, asks for one that is not there, and shows what it got. */
const USES = `import { createClient, dataOf, eachOf, ProblemError } from "@muster-hub/client";
const [url, token] = process.argv.slice(2);
const hub = createClient({ url, token });
const add = async (name) => dataOf(await hub.POST("/v1/connections", { body: { connector: "rest-import", name } }));
for (const name of ["A", "B", "C", "D", "E"]) await add(name);
const names = [];
const list = (next) => hub.GET("/v1/connections", { params: { query: { ...next, limit: 2 } } });
for await (const { name } of eachOf(list)) names.push(name);
let refused;
try {
  dataOf(await hub.GET("/v1/users/{id}", { params: { path: { id: "usr_999" } } }));
} catch (error) {
  refused = error instanceof ProblemError && error.problem.code;
}
console.log(JSON.stringify({ names: names.sort(), refused }));
process.exit(0);
`;

test("Node and Deno list all pages of a hub, and get its reason when it refuses", options, async () => {
  const file = await installed.write("uses.mjs", `import process from "node:process";\n${USES}`);
  for (const command of [["node"], ["deno", "run", "-A", "--no-check"]]) {
    const folder = await mkdtemp(join(tmpdir(), "muster-"));
    const hub = await startServing({ MUSTER_DATA_DIR: folder });
    try {
      const token = (await readFile(join(folder, "first-token"), "utf8")).trim();
      const [program, ...args] = command;
      const printed = await run(program!, [...args, file, hub.url, token], installed.folder);
      assert.deepEqual(JSON.parse(printed), {
        names: [...ITS_OWN, "A", "B", "C", "D", "E"].toSorted(),
        refused: "not_found",
      });
    } finally {
      await hub.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
});

test("an event is taken with its signature, and refused with another's", options, async () => {
  const secret = `whsec_${btoa("a secret of twenty-four ")}`;
  const body = JSON.stringify({ type: "endpoint.test", timestamp: "2026-01-01T00:00:00Z", data: {} });
  const now = new Date();
  const headers = {
    "Webhook-Id": "msg_1",
    "Webhook-Timestamp": String(Math.floor(now.getTime() / 1000)),
    "Webhook-Signature": new Webhook(secret).sign("msg_1", now, body),
  };
  const file = await installed.write(
    "webhook.mjs",
    `import { verifyWebhook } from "@muster-hub/client";
    const [secret, headers, body] = ${JSON.stringify([secret, headers, body])};
    console.log(verifyWebhook(secret, new Headers(headers), body).type);
    try { verifyWebhook(secret, headers, body + " "); } catch (error) { console.log(error instanceof Error); }`,
  );
  assert.equal(await run("node", [file], installed.folder), "endpoint.test\ntrue\n");
});
