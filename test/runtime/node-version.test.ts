import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { FIRST_VERSIONS, nodeProblem } from "../../src/runtime/node-version.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** On Deno the Node that npm's scripts find. */
const NODE = "Deno" in globalThis ? "node" : process.execPath;

test("a line of Node runs Muster from its first version on, and a newer line from its start", () => {
  for (const version of ["22.18.0", "22.23.5", "24.11.0", "24.22.3", "26.0.0", "100.0.0-nightly"]) {
    assert.equal(nodeProblem(version), null, version);
  }
});

test("an older version is told what it is, what it should be, and what runs without it", () => {
  assert.equal(
    nodeProblem("20.20.2"),
    "Node is 20.20.2: to run Muster it should be 22.18 or a later 22, 24.11 or a later 24, or newer; " +
      `"npm start" runs Muster on Deno instead`,
  );
  for (const version of ["18.20.8", "22.17.1", "24.10.0"]) {
    assert.match(nodeProblem(version)!, new RegExp(`^Node is ${version}: `));
  }
});

test("the line between two supported ones is refused, however late its version", () => {
  assert.match(nodeProblem("23.11.1")!, /^Node is 23\.11\.1: /);
});

test("a Node that is too old says that one sentence, and ends with 1", () => {
  const { status, stdout, stderr } = runOn("20.20.2", ["serve"]);
  assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: "", stderr: `${nodeProblem("20.20.2")}\n` });
});

/** Runs the entry on Node, which takes itself for that version. */
function runOn(version: string, args: readonly string[]) {
  const versions = `Object.defineProperty(process, "versions", { value: { node: "${version}" } })`;
  const early = `data:text/javascript,${encodeURIComponent(versions)}`;
  return spawnSync(NODE, ["--import", early, "src/node.js", ...args], { cwd: ROOT, encoding: "utf8" });
}

test("the README names the first version of each line", () => {
  const readme = readFileSync(`${ROOT}/README.md`, "utf8");
  for (const [line, first] of FIRST_VERSIONS) assert.ok(readme.includes(`${line}.${first}`), `${line}.${first}`);
});

test("every Node that the tests bring runs Muster", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(`${ROOT}/test/node/package.json`, "utf8"));
  const versions = Object.values<string>(optionalDependencies);
  assert.ok(versions.length > 0);
  for (const version of versions) assert.equal(nodeProblem(version), null, version);
});
