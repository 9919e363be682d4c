/** The package that tries connectors, as their authors get it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkTypes, examplesOf, type Installed, installPackages } from "../support/installed-packages.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const MOST_BYTES = 6_000_000;
const options = { skip: onlyInCheckOnDeno };
let installed: Installed;

before(async () => {
  if (onlyInCheckOnDeno === false) installed = await installPackages(["testing"]);
});
after(() => installed?.remove());

test("it is one module with its types, the program of children, and all migrations", options, async () => {
  const { files, unpackedSize } = installed.packed.get("@muster-hub/testing")!;
  const paths = files.map(({ path }) => path).filter((path) => !path.endsWith(".d.ts"));
  const known =
    /^(dist\/(index\.js|LICENSE|package\.json|src\/runtime\/sandbox\/host\/host\.js|migrations\/.*)|README\.md|package\.json)$/;
  assert.deepEqual(paths.filter((path) => !known.test(path)), []);
  const journal = await readFile(
    join(installed.folder, "node_modules/@muster-hub/testing/dist/migrations/meta/_journal.json"),
    "utf8",
  );
  const tags: string[] = JSON.parse(journal).entries.map(({ tag }: { tag: string }) => tag);
  const expected = [...tags.map((tag) => `dist/migrations/${tag}.sql`), "dist/migrations/meta/_journal.json"];
  assert.deepEqual(paths.filter((path) => path.includes("migrations")).toSorted(), expected.toSorted());
  assert.ok(unpackedSize <= MOST_BYTES, `${unpackedSize} bytes`);
});

const UPGRADE = `import { type Cases, testConnector } from "@muster-hub/testing";
const cases: Cases = {
  settings: {},
  upgrade: [{ from: { version: "1.4.0", value: { host: "api.example.com" } }, to: {}, state: { cursor: 17 } }],
};
testConnector("./acme-hr.ts", cases, { test: (name: string, run: (context: unknown) => Promise<void>) => void [name, run] });
`;

test("tests that are written by its README pass the strictest check of types", options, async () => {
  const [example] = await examplesOf("testing");
  await installed.write("laws.ts", `${example}\n`);
  await installed.write("upgrade.ts", UPGRADE);
  await installed.write("all.ts", 'import "./laws.js";\nimport "./upgrade.js";\n');
  for (const resolution of ["nodenext", "bundler"] as const) await checkTypes(installed.folder, "all.ts", resolution);
});
