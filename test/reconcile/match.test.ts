/** Whom a record is about. */
import assert from "node:assert/strict";
import test from "node:test";
import { match } from "../../src/reconcile/match.ts";
import { knownUser, linkTo, NOTHING_FOUND } from "../support/known-user.ts";

const ANA = knownUser(1, { employee_id: "E1", email: "ana@acme.test" });
const LEAVER = knownUser(2, { employee_id: "E2", email: "ana@acme.test", status: "inactive" });

test("nobody is found by anything: somebody new", () => {
  assert.equal(match({ employee_id: "E9" }, "employee_id", NOTHING_FOUND).kind, "unmatched");
});

test("the link of the key comes first, even if the record names other users", () => {
  const link = linkTo(ANA.id);
  const found = { ...NOTHING_FOUND, link, linkedUser: ANA, byEmail: [LEAVER] };
  assert.deepEqual(match({ email: "ana@acme.test" }, "email", found), { kind: "linked", user: ANA, link });
});

test("a link to somebody who left with another employee_id does not count: the address is used again", () => {
  const found = { ...NOTHING_FOUND, link: linkTo(LEAVER.id), linkedUser: LEAVER };
  assert.equal(match({ employee_id: "E9", email: "ana@acme.test" }, "email", found).kind, "unmatched");
});

test("a link by the employee_id or a source's own id counts, whatever number the hub has of somebody who left", () => {
  const link = linkTo(LEAVER.id), found = { ...NOTHING_FOUND, link, linkedUser: LEAVER };
  for (const key of ["employee_id", "source_id"] as const) {
    assert.deepEqual(match({ employee_id: "E9" }, key, found), { kind: "linked", user: LEAVER, link });
  }
});

test("the employee_id comes before the email", () => {
  const found = { ...NOTHING_FOUND, byEmployeeId: ANA, byEmail: [LEAVER] };
  assert.deepEqual(match({ employee_id: "E1" }, "employee_id", found), { kind: "unlinked", user: ANA });
});

test("the employee_id of somebody with another email and another name is disputed, with the same name it is not", () => {
  const found = { ...NOTHING_FOUND, byEmployeeId: ANA };
  const values = { employee_id: "E1", email: "bo@acme.test", first_name: "Bo", last_name: "Ek" };
  assert.equal(match(values, "employee_id", found).kind, "disputed");
  const renamed = { ...values, first_name: "ana", last_name: "NG" };
  assert.equal(match(renamed, "employee_id", found).kind, "unlinked");
});

test("an email finds nobody who has another employee_id", () => {
  const found = { ...NOTHING_FOUND, byEmail: [ANA] };
  assert.equal(match({ employee_id: "E9", email: "ana@acme.test" }, "email", found).kind, "unmatched");
  assert.equal(match({ email: "ana@acme.test" }, "email", found).kind, "unlinked");
});

test("of several who fit, the only active one is meant", () => {
  const found = { ...NOTHING_FOUND, byEmail: [LEAVER, ANA] };
  assert.deepEqual(match({ email: "ana@acme.test" }, "email", found), { kind: "unlinked", user: ANA });
});

test("of several active ones, or several who left, nobody can tell", () => {
  const other = knownUser(3, { email: "ana@acme.test" });
  for (const byEmail of [[ANA, other], [LEAVER, { ...LEAVER, id: 4 }]]) {
    const found = match({ email: "ana@acme.test" }, "email", { ...NOTHING_FOUND, byEmail });
    assert.equal(found.kind, "disputed");
  }
});

test("a phone finds people only where it is the key", () => {
  const found = { ...NOTHING_FOUND, byPhone: [ANA] };
  assert.equal(match({}, "mobile_phone", found).kind, "unlinked");
  assert.equal(match({}, "email", found).kind, "unmatched");
});
