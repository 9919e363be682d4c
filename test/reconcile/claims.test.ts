/** Who gets an email or employee_id that somebody else holds. */
import assert from "node:assert/strict";
import test from "node:test";
import { type Claim, resolveClaims } from "../../src/reconcile/claims.ts";

/** Candidate `taker` wants the email of user `holder`; user n's own row is candidate n. */
const wants = (taker: number, holder: number): Claim => ({
  taker,
  holder,
  field: "email",
  value: `${holder}@acme.test`,
});

function resolve(claims: readonly Claim[], gives: readonly number[], failed: readonly number[] = []) {
  const { refused, groups } = resolveClaims(
    claims,
    ({ holder }) => gives.includes(holder) ? holder : null,
    (candidate) => failed.includes(candidate),
  );
  return { refused: refused.map(({ taker }) => taker), groups };
}

test("a holder who keeps the value refuses the taker", () => {
  assert.deepEqual(resolve([wants(1, 2)], []), { refused: [1], groups: [] });
});

test("a value that its holder gives up in the same plan is taken, and the two are written together", () => {
  assert.deepEqual(resolve([wants(1, 2)], [2]), { refused: [], groups: [[1, 2]] });
});

test("two people can swap", () => {
  assert.deepEqual(resolve([wants(1, 2), wants(2, 1)], [1, 2]), { refused: [], groups: [[1, 2]] });
});

test("a chain falls from its end: who gets nothing gives nothing up", () => {
  assert.deepEqual(resolve([wants(1, 2), wants(2, 3), wants(3, 4)], [2, 3]).refused.sort(), [1, 2, 3]);
});

test("a row that failed neither takes nor gives", () => {
  assert.deepEqual(resolve([wants(1, 2)], [2], [1]), { refused: [], groups: [] });
  assert.deepEqual(resolve([wants(1, 2)], [2], [2]), { refused: [1], groups: [] });
});

test("a key whose holder moves to another one is taken, and each is written by itself", () => {
  const key = { ...wants(1, 2), field: "key" } as const;
  assert.deepEqual(resolve([key], [2]), { refused: [], groups: [[1]] });
  assert.deepEqual(resolve([key], []), { refused: [1], groups: [] });
});

test("groups that have nothing to do with each other stay apart", () => {
  assert.deepEqual(resolve([wants(5, 6), wants(1, 2), wants(2, 3)], [2, 3, 6]).groups, [[1, 2, 3], [5, 6]]);
});
