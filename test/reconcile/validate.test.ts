/** Validation of users and departments: key, status, empty cells, and which mistakes reject a row. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CustomField, SourceRecord } from "../../src/model/record.ts";
import { createPhones } from "../../src/reconcile/phones.ts";
import { createRequirementCheck } from "../../src/reconcile/requirements.ts";
import { createColumnFacts } from "../../src/reconcile/column-facts.ts";
import { createValidator, type ValidationRules } from "../../src/reconcile/validate.ts";
import type { Validated } from "../../src/reconcile/validated.ts";
import { createDepartmentValidator } from "../../src/reconcile/departments/validate-departments.ts";

const SHOE: CustomField = { key: "shoe", label: "Shoe", type: "number", required: true, options: [], maxLength: null };
const RULES: ValidationRules = {
  key: "employee_id",
  dateFormat: "YYYY-MM-DD",
  activeWords: {},
  phones: createPhones(null),
  emptyCells: "clear",
  requiredFields: ["email", "first_name", "last_name"],
  customFields: [],
  onlyStatuses: null,
  preHires: "import",
  leavers: "on_date",
  today: "2025-06-15",
};
const ANA = { employee_id: "E1", email: "Ana@Example.com", first_name: " Ana ", last_name: "Ng" };

/** Validates records one by one, by what they have shown so far. */
function validatorOf(rules: ValidationRules): (record: SourceRecord) => Validated {
  const validate = createValidator(rules, createColumnFacts(null, 1));
  return (record) => validate([record])[0]!;
}

function validate(record: SourceRecord, rules: Partial<ValidationRules> = {}) {
  return validatorOf({ ...RULES, ...rules })(record);
}

test("a good record gives its key, its values as they are kept, and no issues", () => {
  assert.deepEqual(validate({ ...ANA, title: null, on_leave: "y", source_id: "77", nonsense: "x" }), {
    key: "E1",
    values: {
      employee_id: "E1",
      email: "ana@example.com",
      first_name: "Ana",
      last_name: "Ng",
      title: null,
      on_leave: true,
    },
    active: true,
    activeReason: null,
    activeIfNew: true,
    saysNothing: false,
    isBlank: false,
    deactivationFuture: false,
    issues: [],
    notes: [],
    fatal: false,
    keyFatal: false,
  });
});

test("a doubtful value is used, with a warning, also as the key and in a required field", () => {
  for (const key of ["employee_id", "email"] as const) {
    const { values, issues, fatal, keyFatal, ...rest } = validate({ ...ANA, email: "\u0430na@acme.test" }, { key });
    assert.equal(values.email, "\u0430na@acme.test");
    assert.equal(rest.key, key === "email" ? "\u0430na@acme.test" : "E1");
    assert.deepEqual(issues.map(({ severity, code, field }) => [severity, code, field]), [
      ["warning", "alphabets_mixed", "email"],
    ]);
    assert.deepEqual([fatal, keyFatal], [false, false]);
  }
});

test("records without issues share one empty list", () => {
  assert.equal(validate(ANA).issues, validate({ ...ANA, employee_id: "E2" }).issues);
});

test("a placeholder says nothing, but that there is no manager and no day to leave; people may be called Null", () => {
  const placed = validate({ ...ANA, title: "n/a", location: "NULL", manager_id: "-", deactivation_date: "n/a" });
  assert.deepEqual(placed.values, { ...validate(ANA).values, manager_id: null, deactivation_date: null });
  assert.deepEqual([placed.active, placed.issues], [true, []]);
  assert.deepEqual(placed.notes.map(({ code, field, value }) => `${code} ${field} ${value}`), [
    "placeholder_value title n/a",
    "placeholder_value location NULL",
    "placeholder_value manager_id -",
    "placeholder_value deactivation_date n/a",
  ]);
  assert.equal(validate({ ...ANA, last_name: "Null" }).values.last_name, "Null");
  assert.equal(validate({ ...ANA, last_name: "NULL" }).values.last_name, "NULL");
  assert.equal(validate({ ...ANA, employee_id: "n/a" }).keyFatal, true);
});

test("a damaged value, or a spreadsheet's error, counts as absent; where it decides, it rejects the row", () => {
  const damaged = validate({ ...ANA, last_name: "M\ufffdller", title: "#REF!" });
  assert.deepEqual([damaged.fatal, damaged.keyFatal, damaged.active], [false, false, true]);
  assert.deepEqual(damaged.issues.map(({ code, severity, field }) => `${severity} ${code} ${field}`), [
    "warning text_damaged last_name",
    "warning spreadsheet_error title",
  ]);
  assert.ok(!("last_name" in damaged.values) && !("title" in damaged.values));
  for (const field of ["employee_id", "is_active", "deactivation_date"]) {
    assert.equal(validate({ ...ANA, [field]: "#N/A" }).keyFatal, true, field);
  }
});

test("characters as web pages write them are noted, and taken as they are", () => {
  const { values, notes } = validate({ ...ANA, title: "R&amp;D", location: "A & B; C", last_name: "O&#39;Neil" });
  assert.equal(values.title, "R&amp;D");
  assert.deepEqual(notes.map(({ field, value }) => `${field} ${value}`), ["last_name &#39;", "title &amp;"]);
});

test("the key is compared as its field is: an email in lower case, a phone by its digits", () => {
  assert.equal(validate(ANA, { key: "email" }).key, "ana@example.com");
  const phone = validate({ ...ANA, mobile_phone: "+1 (555) 010-0199" }, { key: "mobile_phone" });
  assert.equal(phone.key, "15550100199");
  assert.equal(phone.values.mobile_phone, "+1 (555) 010-0199");
  const source = validate({ ...ANA, source_id: "'007" }, { key: "source_id" });
  assert.equal(source.key, "007");
  assert.ok(!("source_id" in source.values));
  assert.equal(validate({ ...ANA, employee_id: "ab" }).key, "ab");
});

test("a row without its key is rejected, whether the cell is empty or absent, also where empty cells are kept", () => {
  for (
    const record of [{ ...ANA, employee_id: " " }, { email: "ana@example.com" }, { ...ANA, employee_id: undefined }]
  ) {
    for (const emptyCells of ["clear", "keep"] as const) {
      const { key, keyFatal, issues } = validate(record, { emptyCells });
      assert.equal(key, null);
      assert.equal(keyFatal, true);
      assert.deepEqual(issues.map(({ code, severity, field, message }) => [severity, code, field, message]), [[
        "error",
        "required_field_missing",
        "employee_id",
        "employee_id is missing: this connection identifies people by it",
      ]]);
    }
  }
});

test("a key that cannot be read rejects the row", () => {
  const { key, keyFatal, issues } = validate({ ...ANA, employee_id: "1.23457E+11" });
  assert.equal(key, null);
  assert.equal(keyFatal, true);
  assert.equal(issues[0]?.severity, "error");
  assert.equal(issues[0]?.code, "number_mangled");
});

test("a mistake in a required field is an error, in any other a warning that drops the value", () => {
  const bad = validate({ ...ANA, email: "ana@", hire_date: "soon" });
  assert.equal(bad.fatal, true);
  assert.equal(bad.keyFatal, false);
  assert.deepEqual(bad.issues.map(({ severity, code, field, value }) => [severity, code, field, value]), [
    ["error", "email_invalid", "email", "ana@"],
    ["warning", "date_invalid", "hire_date", "soon"],
  ]);
  assert.ok(!("email" in bad.values) && !("hire_date" in bad.values));

  const optional = validate({ ...ANA, email: "ana@" }, { requiredFields: [] });
  assert.equal(optional.fatal, false);
  assert.equal(optional.issues[0]?.severity, "warning");
});

test("an empty cell clears the field, or leaves it alone, as the connection says", () => {
  const cleared = validate({ ...ANA, title: "", on_leave: "", deactivation_date: "0000-00-00", is_active: "" });
  assert.equal(cleared.values.title, null);
  assert.equal(cleared.values.on_leave, false);
  assert.equal(cleared.values.deactivation_date, null);
  assert.equal(cleared.active, true);
  const kept = validate({ ...ANA, title: "", on_leave: "", deactivation_date: "", is_active: "" }, {
    emptyCells: "keep",
  });
  assert.deepEqual(Object.keys(kept.values), ["employee_id", "email", "first_name", "last_name"]);
  assert.equal(kept.active, true);
});

test("an empty required field is an error, but where empty cells are kept", () => {
  const { fatal, issues } = validate({ ...ANA, last_name: "" });
  assert.equal(fatal, true);
  assert.deepEqual(issues, [{
    severity: "error",
    code: "required_field_missing",
    field: "last_name",
    value: null,
    message: "last_name is missing: every person needs one",
    suggestion: "Fill in last_name",
  }]);
  assert.deepEqual(validate({ ...ANA, last_name: "" }, { emptyCells: "keep" }).issues, []);
});

test("an absent required column is no mistake, until the row is to create somebody", () => {
  const { values, issues } = validate({ employee_id: "E1", email: "ana@example.com" });
  assert.deepEqual(issues, []);
  const check = createRequirementCheck({ ...RULES, customFields: [SHOE] });
  assert.deepEqual(check(values).map(({ field, message }) => [field, message]), [
    ["first_name", "first_name is missing: a new person needs one"],
    ["last_name", "last_name is missing: a new person needs one"],
    ["shoe", "shoe is missing: a new person needs one"],
  ]);
  assert.deepEqual(check({ ...values, first_name: "Ana", last_name: "Ng", shoe: 0 }), []);
});

test("custom fields stand under their key, and can be required", () => {
  const customFields = [SHOE];
  assert.equal(validate({ ...ANA, shoe: "38.5" }, { customFields }).values.shoe, 38.5);
  assert.equal(validate({ ...ANA, shoe: "" }, { customFields }).fatal, true);
  assert.equal(validate({ ...ANA, shoe: "big" }, { customFields }).issues[0]?.severity, "error");
});

test("is_active no makes inactive, and says so before any date", () => {
  const left = validate({ ...ANA, is_active: "Terminated", deactivation_date: "2025-01-01" });
  assert.deepEqual([left.active, left.activeReason], [false, "is_active"]);
  assert.deepEqual([validate({ ...ANA, is_archived: "yes" }).active, validate({ ...ANA, is_archived: "" }).active], [
    false,
    true,
  ]);
  assert.ok(!("is_active" in left.values));
});

test("a deactivation_date counts from its own day on", () => {
  for (const [date, active] of [["2025-06-14", false], ["2025-06-15", false], ["2025-06-16", true]] as const) {
    const validated = validate({ ...ANA, deactivation_date: date, is_active: "yes" });
    assert.equal(validated.active, active, date);
    assert.equal(validated.activeReason, active ? null : "deactivation_date");
    assert.equal(validated.deactivationFuture, active);
    assert.equal(validated.values.deactivation_date, date);
  }
});

test("nobody is taken for active by a typo", () => {
  for (
    const [field, cell] of [["is_active", "actve"], ["is_archived", "mabye"], [
      "deactivation_date",
      "31/12/2024",
    ]] as const
  ) {
    const { key, active, keyFatal, issues } = validate({ ...ANA, [field]: cell });
    assert.deepEqual([key, active, keyFatal], ["E1", null, true], field);
    assert.equal(issues[0]?.severity, "error");
    assert.equal(issues[0]?.field, field);
  }
});

test("a row that says inactive anyhow is not rejected for a typo beside it", () => {
  for (
    const record of [
      { ...ANA, is_active: "no", deactivation_date: "soon" },
      { ...ANA, is_active: "nope", deactivation_date: "2025-01-01" },
    ]
  ) {
    const { active, fatal, keyFatal } = validate(record);
    assert.deepEqual([active, fatal, keyFatal], [false, true, false]);
  }
});

test("a status that is not imported makes inactive, in any spelling of the case", () => {
  const onlyStatuses = ["Full-Time", "Part-Time"];
  assert.equal(validate({ ...ANA, employment_status: "full-time" }, { onlyStatuses }).active, true);
  const filtered = validate({ ...ANA, employment_status: "Contractor" }, { onlyStatuses });
  assert.deepEqual([filtered.active, filtered.activeReason], [false, "filtered"]);
  assert.equal(filtered.values.employment_status, "Contractor");
});

test("a blank or absent status under a filter leaves the status alone, with a warning", () => {
  const onlyStatuses = ["Full-Time"];
  for (const record of [ANA, { ...ANA, employment_status: "" }]) {
    const { active, fatal, keyFatal, issues } = validate(record, { onlyStatuses });
    assert.deepEqual([active, fatal, keyFatal], [null, false, false]);
    assert.deepEqual(issues.map(({ severity, code }) => [severity, code]), [["warning", "status_unknown"]]);
  }
  assert.deepEqual(validate({ ...ANA, is_active: "no" }, { onlyStatuses }).issues, []);
});

test("a status that cannot be read rejects the row where it decides, and is dropped where it does not", () => {
  const record = { ...ANA, employment_status: "x".repeat(255) };
  assert.equal(validate(record, { onlyStatuses: ["Full-Time"] }).keyFatal, true);
  const { keyFatal, issues } = validate(record);
  assert.deepEqual([keyFatal, issues[0]?.severity, issues[0]?.code], [false, "warning", "too_long"]);
});

test("the order of the fields does not change what a record says", () => {
  const record = {
    ...ANA,
    is_active: "no",
    title: "",
    hire_date: "soon",
    phone: "+49 30 1",
    deactivation_date: "2026-01-01",
  };
  const validator = validatorOf(RULES);
  const sorted = (result: ReturnType<typeof validator>) => ({
    ...result,
    issues: result.issues.map((issue) => JSON.stringify(issue)).sort(),
  });
  const expected = sorted(validator(record));
  const entries = Object.entries(record);
  fc.assert(fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
    assert.deepEqual(sorted(validator(Object.fromEntries(shuffled))), expected);
  }));
});

test("records of other shapes between them do not mislead the validator", () => {
  const validator = validatorOf(RULES);
  const records: SourceRecord[] = [
    ANA,
    { email: "bo@example.com", employee_id: "E2" },
    { unknown: 1, ...ANA },
    { ...ANA, title: "Lead" },
  ];
  fc.assert(fc.property(fc.array(fc.constantFrom(...records)), (mixed) => {
    for (const record of mixed) assert.deepEqual(validator(record), validatorOf(RULES)(record));
  }));
});

test("no record makes the validator throw", () => {
  const validator = validatorOf({ ...RULES, customFields: [SHOE], onlyStatuses: ["a"] });
  const department = createDepartmentValidator(RULES);
  const names = fc.constantFrom(
    "employee_id",
    "email",
    "is_active",
    "deactivation_date",
    "employment_status",
    "shoe",
    "name",
  );
  fc.assert(fc.property(fc.dictionary(names, fc.jsonValue()), (record) => {
    const { key, keyFatal, fatal, issues } = validator(record as SourceRecord);
    assert.ok(key !== null || keyFatal);
    assert.equal(issues.some(({ severity }) => severity === "error"), fatal || keyFatal);
    department(record as SourceRecord);
  }));
});

const department = createDepartmentValidator(RULES);

test("a department has a name and may have a parent, an id and a status", () => {
  assert.deepEqual(department({ name: " Sales  EMEA ", parent: "Sales", department_id: "'07", is_active: "yes" }), {
    name: "Sales  EMEA",
    folded: "sales emea",
    departmentId: "07",
    parent: "Sales",
    active: true,
    activeReason: null,
    deactivationFuture: false,
    issues: [],
    fatal: false,
    keyFatal: false,
  });
  assert.equal(department({ name: "Sales" }).parent, undefined);
  assert.equal(department({ name: "Sales", parent: "" }).parent, null);
  assert.equal(
    createDepartmentValidator({ ...RULES, emptyCells: "keep" })({ name: "S", parent: "" }).parent,
    undefined,
  );
});

test("a department without a name is rejected, unless it leaves and its id says which one it is", () => {
  const { fatal, keyFatal, issues } = department({ name: "" });
  assert.deepEqual([fatal, keyFatal], [true, true]);
  assert.equal(
    issues[0]?.message,
    "name is missing: every department needs one",
  );
  const leaving = department({ name: "", department_id: "7", is_active: "no" });
  assert.deepEqual([leaving.fatal, leaving.keyFatal, leaving.active], [true, false, false]);
});

test("a department's unreadable status rejects the row, its unreadable parent is dropped", () => {
  assert.deepEqual(department({ name: "S", is_active: "mybe" }).keyFatal, true);
  const odd = department({ name: "S", parent: "x".repeat(255) });
  assert.deepEqual([odd.fatal, odd.keyFatal, odd.parent, odd.issues[0]?.severity], [
    false,
    false,
    undefined,
    "warning",
  ]);
});

test("a department leaves on its date", () => {
  assert.equal(department({ name: "S", deactivation_date: "2025-06-15" }).activeReason, "deactivation_date");
  const later = department({ name: "S", deactivation_date: "2025-07-01" });
  assert.deepEqual([later.active, later.deactivationFuture], [true, true]);
});

test("where one of two fields is needed, a record that has both and fills neither is an error; one of them is enough", () => {
  const rules = { requiredFields: [["first_name", "last_name"]] };
  const person = { employee_id: "E1", title: "Lead" };
  const nameless = validate({ ...person, first_name: "", last_name: null }, rules);
  assert.deepEqual([nameless.fatal, nameless.issues.map(({ message }) => message)], [
    true,
    ["first_name or last_name is missing: every person needs one"],
  ]);
  assert.deepEqual(nameless.values, { employee_id: "E1", title: "Lead" }, "a leaver keeps their names");
  const refused = validate({ ...person, first_name: "x".repeat(500), last_name: "" }, rules);
  assert.deepEqual(refused.issues.map(({ severity }) => severity), ["warning", "error"]);
  for (const names of [{ first_name: "Ana", last_name: "" }, { first_name: "", last_name: "Ng" }, { first_name: "" }]) {
    assert.deepEqual([validate({ ...person, ...names }, rules).fatal], [false], JSON.stringify(names));
  }
  assert.equal(validate({ ...person, first_name: "", last_name: "" }, { ...rules, emptyCells: "keep" }).fatal, false);
  const check = createRequirementCheck({ ...rules, customFields: [] });
  assert.deepEqual(check({ last_name: "Ng" }), []);
  assert.deepEqual(check({ first_name: null }).map(({ field, message }) => [field, message]), [
    ["first_name", "first_name or last_name is missing: a new person needs one"],
  ]);
});
