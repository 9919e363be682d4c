/** What becomes of somebody who is missing from a complete full input. */
import assert from "node:assert/strict";
import test from "node:test";
import { DEFAULT_POLICY, type ResolvedPolicy } from "../../src/model/policy.ts";
import { absenceMeans } from "../../src/reconcile/missing.ts";
import { knownUser, linkTo } from "../support/known-user.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_000 * HOUR_MS;

/** The third full input in which Ana is missing, for 48 hours. */
function means(
  { policy = {}, user = knownUser(1), elsewhere = false, inputs = 3, hours = 48 }: {
    policy?: Partial<ResolvedPolicy>;
    user?: ReturnType<typeof knownUser>;
    elsewhere?: boolean;
    inputs?: number;
    hours?: number;
  } = {},
) {
  const link = linkTo(user.id, { missingFrom: 10, missingSince: NOW - hours * HOUR_MS });
  const context = {
    policy: { ...DEFAULT_POLICY, missing: "deactivate" as const, ...policy },
    fullInputs: 10 + inputs - 1,
    now: NOW,
    byHand: false,
  };
  return absenceMeans(user, link, elsewhere, context);
}

test("the policy deactivates who is missing, or keeps them", () => {
  assert.equal(means(), "deactivate");
  assert.equal(means({ policy: { missing: "keep" } }), "nothing");
  assert.equal(means({ policy: { deactivate: false } }), "nothing");
});

test("an absence counts after enough inputs and enough hours, not after either alone", () => {
  assert.equal(means({ inputs: 1 }), "nothing");
  assert.equal(means({ hours: 11 }), "nothing");
  assert.equal(means({ inputs: 2, hours: 12 }), "deactivate");
});

test("the first absence is only noted", () => {
  const first = absenceMeans(knownUser(1), linkTo(1), false, {
    policy: { ...DEFAULT_POLICY, missing: "deactivate" },
    fullInputs: 7,
    now: NOW,
    byHand: false,
  });
  assert.equal(first, "nothing");
});

test("nobody is missing whom another connection calls active", () => {
  assert.equal(means({ elsewhere: true }), "nothing");
});

test("a status set by hand holds, as absence says nothing of it", () => {
  assert.equal(means({ user: knownUser(1, { edited_by_hand: ["status"] }) }), "nothing");
});

test("a protected person is reported and stays", () => {
  assert.equal(means({ policy: { protected: new Set([1]) } }), "protected");
});
