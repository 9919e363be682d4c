/** The fence on D1 as Cloudflare's own runtime has it, whose errors are its own. */
import assert from "node:assert/strict";
import test from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { onDeno, onWorkerd } from "../support/workerd.ts";

test("a batch whose lease is lost, or whose state has moved, fails as a whole on D1, and it is known why", {
  skip: onDeno || onlyInCheck,
}, () =>
  onWorkerd({ MUSTER_ADMIN_TOKEN: createTokenText() }, async ({ worker }) => {
    const tried = await (await worker.fetch("/")).json();
    assert.deepEqual(tried, { names: ["written"], fenced: true, moved: true, otherIsFenced: false });
  }, { entry: "test/support/fence-worker.ts" }));
