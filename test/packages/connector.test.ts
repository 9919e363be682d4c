/** The package for those who write connectors, as they get it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadRegistry } from "../../src/runtime/third-party.ts";
import { checkTypes, examplesOf, type Installed, installPackages, run } from "../support/installed-packages.ts";
import { onlyInCheck } from "../support/rounds.ts";

/** Of the code, and of all with the docstrings that editors show. */
const MOST_BYTES_OF_CODE = 10_000, MOST_BYTES = 80_000;
const options = { skip: onlyInCheck };
let installed: Installed;

before(async () => {
  if (onlyInCheck === false) installed = await installPackages(["connector"], ["zod"]);
});
after(() => installed?.remove());

test("it is small, and has neither sources nor tests", options, () => {
  const { files, unpackedSize } = installed.packed.get("@muster-hub/connector")!;
  const others = files.map(({ path }) => path).filter((path) => !/^dist\/.*(\.js|\.d\.ts|LICENSE)$/.test(path));
  assert.deepEqual(others.toSorted(), ["README.md", "package.json"]);
  const code = files.filter(({ path }) => path.endsWith(".js")).reduce((sum, { size }) => sum + size, 0);
  assert.ok(code > 0 && code <= MOST_BYTES_OF_CODE, `${code} bytes of code`);
  assert.ok(unpackedSize <= MOST_BYTES, `${unpackedSize} bytes`);
});

const USES = `import { SourceFault, expectOk, unchanged } from "@muster-hub/connector";
import { FILE_SETTINGS } from "@muster-hub/connector/settings";
let kind;
try { expectOk(new Response("", { status: 401 }), "people"); } catch (error) { kind = error instanceof SourceFault && error.kind; }
console.log(kind, unchanged("304").unchanged, Object.keys(FILE_SETTINGS).length);
`;

test("Node, Deno and a bundle load it", options, async () => {
  const { folder } = installed;
  const file = await installed.write("uses.js", USES);
  const printed = "credentials 304 8\n";
  assert.equal(await run("node", [file], folder), printed);
  assert.equal(await run("deno", ["run", "--no-check", file], folder), printed);
  await run("esbuild", [file, "--bundle", "--format=esm", "--outfile=bundle.js", "--log-level=error"], folder);
  assert.equal(await run("node", ["bundle.js"], folder), printed);
});

test(
  "a connector that is written by its README passes the strictest check of types, and a hub loads it",
  options,
  async () => {
    const { folder } = installed;
    const [connector, settings] = await examplesOf("connector");
    await installed.write("acme-hr.ts", `${connector}\n`);
    await installed.write("settings.ts", `${settings}\n`);
    await installed.write("all.ts", 'import "./acme-hr.js";\nimport "./settings.js";\n');
    for (const resolution of ["nodenext", "bundler"] as const) await checkTypes(folder, "all.ts", resolution);

    const registry = await loadRegistry(["./acme-hr.ts"], pathToFileURL(join(folder, "/")).href);
    const loaded = registry.get("acme-hr")!;
    assert.equal(loaded.title, "Acme HR");
    assert.deepEqual(loaded.schedule, { every_minutes: 60 });
  },
);
