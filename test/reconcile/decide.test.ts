/** What a record changes of a user, and what is withheld. */
import assert from "node:assert/strict";
import test from "node:test";
import { decideCreate, decideUpdate } from "../../src/reconcile/decide/decide.ts";
import { managerWithheld } from "../../src/reconcile/decide/fields.ts";
import { IMAGE_INDEX, type ImageColumn } from "../../src/reconcile/image.ts";
import { NOWHERE } from "../../src/reconcile/elsewhere.ts";
import type { Decision } from "../../src/reconcile/decide/revision.ts";
import { decideContext, knownUser, linkTo, recordOf } from "../support/known-user.ts";

const codes = ({ issues }: Decision) => issues.map(({ code }) => code);
const after = (decision: Decision, column: ImageColumn) => decision.after[IMAGE_INDEX[column]];
const OTHER = 2;

test("a new person is active, and the connection's", () => {
  const decision = decideCreate(recordOf({ first_name: "Ana", on_leave: true, shoe: 42 }), decideContext());
  assert.equal(decision.action, "create");
  assert.equal(after(decision, "status"), "active");
  assert.equal(after(decision, "source_id"), 1);
  assert.equal(after(decision, "on_leave"), 1);
  assert.deepEqual(after(decision, "custom"), { shoe: 42 });
  assert.equal(decision.settled, true);
});

test("an inactive department is not used, and that is reported", () => {
  const created = decideCreate(recordOf({ department_name: "Closed" }), decideContext());
  assert.deepEqual([codes(created), after(created, "department_id")], [["department_inactive"], null]);
  const user = knownUser(1, { department_id: 69 });
  const updated = decideUpdate(recordOf({ department_name: "Closed" }), user, linkTo(1), NOWHERE, decideContext());
  assert.deepEqual([updated.action, codes(updated), after(updated, "department_id")], [
    "unchanged",
    ["department_inactive"],
    69,
  ]);
});

test("what is the same changes nothing, and the row may be passed over the next time", () => {
  const user = knownUser(1, { title: "Cook", phone: "+1 555 0100", custom: { shoe: 42 } });
  const record = recordOf({ title: "Cook", phone: "+1-555-0100", shoe: 42 });
  const decision = decideUpdate(record, user, linkTo(1), NOWHERE, decideContext());
  assert.deepEqual([decision.action, decision.before, decision.settled], ["unchanged", null, true]);
});

test("what differs is updated, with what it was", () => {
  const user = knownUser(1, { title: "Cook", custom: { shoe: 42, hat: 7 } });
  const decision = decideUpdate(recordOf({ title: null, shoe: null }), user, linkTo(1), NOWHERE, decideContext());
  assert.equal(decision.action, "update");
  assert.deepEqual(decision.before, { title: "Cook", custom: { shoe: 42, hat: 7 } });
  assert.deepEqual(after(decision, "custom"), { hat: 7 });
});

test("another email is another identity, a first one is none", () => {
  const identity = (email: string | null) =>
    decideUpdate(recordOf({ email: "ana@acme.test" }), knownUser(1, { email }), linkTo(1), NOWHERE, decideContext())
      .identity;
  assert.equal(identity("old@acme.test"), true);
  assert.equal(identity(null), false);
});

test("an earlier leaving day counts as a deactivation ahead, a later one does not", () => {
  const advances = (day: string | null) =>
    decideUpdate(
      recordOf({ deactivation_date: "2026-06-01" }),
      knownUser(1, { deactivation_date: day }),
      linkTo(1),
      NOWHERE,
      decideContext(),
    ).advancesDeactivation;
  assert.deepEqual([advances(null), advances("2026-07-01"), advances("2026-05-01")], [true, true, false]);
});

test("a field edited by hand is overwritten, or kept where the policy keeps it", () => {
  const user = knownUser(1, { title: "Cook", edited_by_hand: ["title"] });
  const record = recordOf({ title: "Chef" });
  const taken = decideUpdate(record, user, linkTo(1), NOWHERE, decideContext());
  assert.deepEqual([taken.action, after(taken, "title"), after(taken, "edited_by_hand")], ["update", "Chef", null]);
  const kept = decideUpdate(record, user, linkTo(1), NOWHERE, decideContext({ policy: { manual_edits: "keep" } }));
  assert.deepEqual([kept.action, codes(kept), kept.settled], ["unchanged", ["field_kept"], false]);
});

test("a field of a connection of higher priority is withheld, and reported once for a value", () => {
  const user = knownUser(1, { title: "Cook", field_sources: { title: OTHER } });
  const context = decideContext({ outranks: [OTHER] });
  const first = decideUpdate(recordOf({ title: "Chef" }), user, linkTo(1), NOWHERE, context);
  assert.deepEqual([first.action, codes(first), first.withheld], ["unchanged", ["source_conflict"], { title: "Chef" }]);
  const again = decideUpdate(
    recordOf({ title: "Chef" }),
    user,
    linkTo(1, { withheld: first.withheld }),
    NOWHERE,
    context,
  );
  assert.deepEqual([codes(again), again.withheld], [[], { title: "Chef" }]);
});

test("where updates are switched off, the row is skipped and nothing of it is taken", () => {
  const user = knownUser(1, { title: "Cook" });
  const context = decideContext({ policy: { update: false } });
  const decision = decideUpdate(recordOf({ title: "Chef" }), user, linkTo(1), NOWHERE, context);
  assert.deepEqual([decision.action, after(decision, "title")], ["skipped", "Cook"]);
});

test("an inactive record deactivates, with the reason where it is not the row's own word", () => {
  const leave = (activeReason: "is_active" | "deactivation_date" | "filtered") =>
    decideUpdate(recordOf({}, { active: false, activeReason }), knownUser(1), linkTo(1), NOWHERE, decideContext());
  assert.deepEqual([leave("is_active").action, leave("is_active").reason], ["deactivate", null]);
  assert.equal(leave("filtered").reason, "filtered");
});

test("coming back clears a leaving day that has passed", () => {
  const user = knownUser(1, { status: "inactive", deactivation_date: "2026-02-01" });
  const decision = decideUpdate(recordOf({}), user, linkTo(1, { active: false }), NOWHERE, decideContext());
  assert.deepEqual([decision.action, after(decision, "deactivation_date")], ["reactivate", null]);
});

test("a status set by hand holds until the source's own status changes", () => {
  const user = knownUser(1, { status: "inactive", edited_by_hand: ["status"] });
  const kept = decideUpdate(recordOf({}), user, linkTo(1, { active: true }), NOWHERE, decideContext());
  assert.deepEqual([kept.action, codes(kept)], ["unchanged", ["status_kept_by_hand"]]);
  const changed = decideUpdate(recordOf({}), user, linkTo(1, { active: false }), NOWHERE, decideContext());
  assert.deepEqual([changed.action, after(changed, "edited_by_hand")], ["reactivate", null]);
});

test("a filtered status deactivates nobody whom another connection calls active", () => {
  const record = recordOf({}, { active: false, activeReason: "filtered" });
  const decision = decideUpdate(record, knownUser(1), linkTo(1), { ...NOWHERE, active: true }, decideContext());
  assert.deepEqual([decision.action, codes(decision)], ["unchanged", ["active_elsewhere"]]);
});

test("a leaving day that has come is not stored where another connection's active counts more, whatever gives the reason", () => {
  for (const activeReason of ["is_active", "deactivation_date"] as const) {
    const record = recordOf({ deactivation_date: "2020-01-31", title: "Cook" }, { active: false, activeReason });
    const ruling = { ...NOWHERE, active: true, ruling: true };
    const decision = decideUpdate(record, knownUser(1), linkTo(1), ruling, decideContext());
    assert.deepEqual([decision.action, codes(decision)], ["update", ["source_conflict"]]);
    assert.deepEqual([after(decision, "title"), after(decision, "deactivation_date")], ["Cook", null]);
  }
});

test("a protected person is not deactivated by a row, and that is reported", () => {
  const record = recordOf({}, { active: false, activeReason: "is_active" });
  const context = decideContext({ policy: { protected: new Set([1]) } });
  const decision = decideUpdate(record, knownUser(1), linkTo(1), NOWHERE, context);
  assert.deepEqual([decision.action, codes(decision), decision.settled], ["unchanged", ["protected_user"], false]);
});

test("where deactivating is switched off, other fields are taken and the status stays", () => {
  const record = recordOf({ title: "Chef" }, { active: false, activeReason: "is_active" });
  const context = decideContext({ policy: { deactivate: false } });
  const decision = decideUpdate(record, knownUser(1), linkTo(1), NOWHERE, context);
  assert.deepEqual([decision.action, after(decision, "status"), decision.settled], ["update", "active", false]);
});

test("a record that does not tell the status leaves it alone", () => {
  for (const status of ["active", "inactive"]) {
    const decision = decideUpdate(
      recordOf({}, { active: null }),
      knownUser(1, { status }),
      null,
      NOWHERE,
      decideContext(),
    );
    assert.equal(decision.action, "unchanged");
  }
});

test("a manager is withheld where a hand or a connection of higher priority set it", () => {
  const keep = decideContext({ policy: { manual_edits: "keep" } });
  assert.equal(managerWithheld(knownUser(1, { edited_by_hand: ["manager"] }), NOWHERE, keep), "kept");
  const theirs = knownUser(1, { manager_id: 9, source_id: OTHER });
  assert.equal(managerWithheld(theirs, NOWHERE, decideContext({ outranks: [OTHER] })), "outranked");
  assert.equal(managerWithheld(theirs, NOWHERE, decideContext()), null);
});
