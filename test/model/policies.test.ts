/** The document of policies and limits has every setting, with its default. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_GUARDS, GUARD_NAMES } from "../../src/model/guards.ts";
import { DEFAULT_POLICY, POLICY } from "../../src/model/policy.ts";

const text = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");
const [policies, limits] = text.split("## Limits") as [string, string];
const rowOf = (table: string, name: string) =>
  table.split("\n").find((line) => line.startsWith(`| \`${name}\``))?.split("|").slice(1, -1).map((cell) =>
    cell.trim()
  );

test("every setting of a policy is in the document, with its default first", () => {
  for (const name of Object.keys(POLICY.shape)) {
    const values = rowOf(policies, name)?.[1];
    assert.ok(values !== undefined, name);
    const usual = DEFAULT_POLICY[name as keyof typeof DEFAULT_POLICY];
    if (typeof usual === "object" || usual === undefined) continue;
    assert.match(values, new RegExp(`^\`?${usual}\\b`), name);
  }
});

test("every guard is in the document, with its default limits", () => {
  for (const name of GUARD_NAMES) {
    const row = rowOf(limits, name);
    assert.ok(row !== undefined, name);
    const { percent, floor, cap } = DEFAULT_GUARDS[name];
    if (name === "field_gone") continue;
    assert.equal(row[1], String(percent), name);
    if (name !== "column") {
      assert.deepEqual(row.slice(2, 4), [String(floor), cap === null ? "none" : String(cap)], name);
    }
  }
});
