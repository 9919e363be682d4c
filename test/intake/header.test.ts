import assert from "node:assert/strict";
import { test } from "node:test";
import { getDictionary } from "../../src/intake/dictionary.ts";
import type { Preset } from "../../src/intake/dictionary.ts";
import { REPORT_COLUMNS, resolveHeader } from "../../src/intake/header.ts";
import type { HeaderOptions } from "../../src/intake/header.ts";
import { Fault } from "../../src/model/errors.ts";

const OPTIONS: HeaderOptions = { mapping: {}, customKeys: [], key: null, exactNames: false, before: {} };

function resolve(columns: readonly string[], options: Partial<HeaderOptions> = {}, preset: Preset = "default") {
  return resolveHeader(columns, getDictionary(preset, "users"), { ...OPTIONS, ...options });
}

function fault(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no Fault";
}

const listed = (header: ReturnType<typeof resolve>) => header.issues.map(({ code, message }) => `${code}: ${message}`);

test("a header is a field by its exact name, in another spelling, or by an alias", () => {
  const header = resolve([
    "email",
    "First Name",
    "last-name",
    "MANAGER.ID",
    "Job Title",
    "Department",
    "E-Mail Address ",
  ]);
  assert.deepEqual(header.fields.slice(0, 6), [
    "email",
    "first_name",
    "last_name",
    "manager_id",
    "title",
    "department_name",
  ]);
  assert.deepEqual(listed(header), [
    'header_unused: Header "E-Mail Address" is not used: "email" is "email" already',
  ]);
});

test("spellings in another form of Unicode are the same", () => {
  const header = resolve(["email", "Zürich".normalize("NFD")], { customKeys: ["zürich"] });
  assert.deepEqual(header.fields, ["email", "zürich"]);
});

test("exact beats relaxed beats alias, and an earlier alias a later one, wherever they stand", () => {
  assert.deepEqual(resolve(["email_address", "E-Mail", "email"]).fields, [null, null, "email"]);
  assert.deepEqual(resolve(["email_address", "E-Mail"]).fields, [null, "email"]);
  assert.deepEqual(resolve(["work_email", "email_address"]).fields, [null, "email"]);
  assert.deepEqual(listed(resolve(["work_email", "email_address"])), [
    'header_unused: Header "work_email" is not used: "email_address" is "email" already',
  ]);
});

test("a connection's mapping comes before all", () => {
  const header = resolve(["email", "Kontakt", "Title"], { mapping: { kontakt: "email", Title: "location" } });
  assert.deepEqual(header.fields, [null, "email", "location"]);
  assert.deepEqual(listed(header), ['header_unused: Header "email" is not used: "Kontakt" is "email" already']);
  assert.deepEqual(resolve(["email", "x"], { mapping: { x: "nonsense" } }).fields, ["email", null]);
});

test("a custom field's key is a name like the others", () => {
  assert.deepEqual(resolve(["email", "Cost Center"], { customKeys: ["cost_center"] }).fields, ["email", "cost_center"]);
});

test("an unknown header is reported, with the name that it may have been meant to be", () => {
  const header = resolve(["email", "frist_name", "shoe size", "", "Departmant"]);
  assert.deepEqual(header.fields, ["email", null, null, null, null]);
  assert.deepEqual(listed(header), [
    'header_unknown: Unknown header "frist_name": its column is not processed; perhaps it should be "first_name"',
    'header_unknown: Unknown header "shoe size": its column is not processed',
    "header_unknown: Column 4 has no header: it is not processed",
    'header_unknown: Unknown header "Departmant": its column is not processed; perhaps it should be "department"',
  ]);
  assert.deepEqual(header.issues[0], {
    severity: "warning",
    code: "header_unknown",
    field: null,
    value: "frist_name",
    message: header.issues[0]!.message,
    suggestion: 'Rename it to "first_name"',
  });
});

test("a field that has its column already is not suggested", () => {
  assert.deepEqual(listed(resolve(["email", "emial"])), [
    'header_unknown: Unknown header "emial": its column is not processed',
  ]);
});

test("a used name twice fails, and so does the same field twice on the same grounds", () => {
  assert.equal(
    fault(() => resolve(["email", "title", "email"])),
    'header_duplicate: The header "email" is there twice, in columns 1 and 3: each name that is used should be there once',
  );
  assert.equal(
    fault(() => resolve(["email", "First Name", "FIRST_NAME"])),
    'header_duplicate: Columns "First Name" and "FIRST_NAME" are both "first_name": only one should be there',
  );
  assert.deepEqual(resolve(["email", "", ""]).fields, ["email", null, null]);
});

test("a name that nobody uses may be there twice, which is reported once", () => {
  assert.deepEqual(listed(resolve(["email", "Effective Date", "note", "Effective Date"])), [
    'header_unknown: Unknown header "Effective Date": its columns 2 and 4 are not processed',
    'header_unknown: Unknown header "note": its column is not processed',
  ]);
  assert.deepEqual(resolve(["email", "Department", "Department", "department_name"]).fields, [
    "email",
    null,
    null,
    "department_name",
  ]);
  assert.match(fault(() => resolve(["email", "Department", "Department"])), /^header_duplicate/);
});

test("what people add to a header to say how to fill it in is no part of its name", () => {
  const decorated = [
    "Employee ID *",
    "Email\nAddress",
    "First Name (required)",
    "Last Name*",
    "Job Title:",
    "Department  Name",
  ];
  assert.deepEqual(resolve(decorated).fields, [
    "employee_id",
    "email",
    "first_name",
    "last_name",
    "title",
    "department_name",
  ]);
  const bracketed = ["Email Address [Required]", "Location [OPTIONAL]", "phone (optional)", "Status [READ ONLY]", "*"];
  assert.deepEqual(resolve(bracketed).fields, ["email", "location", "phone", null, null]);
});

test("what is invisible in a header is no part of its name", () => {
  assert.deepEqual(resolve(["\u200bemail\u00ad", "\ufeffFirst\u00a0Name", '\'="title"']).fields, [
    "email",
    "first_name",
    "title",
  ]);
});

test("beside a job title, a title is Ms or Dr", () => {
  const header = resolve(["email", "Title", "Job Title"]);
  assert.deepEqual(header.fields, ["email", null, "title"]);
  assert.deepEqual(listed(header), ['header_unused: Header "Title" is not used: "Job Title" is "title" already']);
  assert.deepEqual(resolve(["email", "Title"]).fields, ["email", "title"]);
  assert.deepEqual(resolve(["email", "Title", "job_title"], { customKeys: ["job_title"] }).fields, [
    "email",
    "title",
    "job_title",
  ]);
  assert.deepEqual(resolve(["email", "Title", "Job Title"], { exactNames: true }).fields, ["email", null, null]);
  assert.deepEqual(resolve(["email", "title", "Job Title"], { exactNames: true }).fields, ["email", "title", null]);
});

test("the user lists of well-known systems map by themselves", () => {
  const google = [
    "First Name [Required]",
    "Last Name [Required]",
    "Email Address [Required]",
    "Org Unit Path [Required]",
    "Status [READ ONLY]",
    "Work Phone",
    "Mobile Phone",
    "Employee ID",
    "Employee Title",
    "Manager Email",
    "Department",
  ];
  assert.deepEqual(resolve(google).fields, [
    "first_name",
    "last_name",
    "email",
    null,
    null,
    "phone",
    "mobile_phone",
    "employee_id",
    "title",
    "manager_email",
    "department_name",
  ]);
  const entra = [
    "userPrincipalName",
    "displayName",
    "surname",
    "mail",
    "givenName",
    "jobTitle",
    "department",
    "accountEnabled",
    "physicalDeliveryOfficeName",
    "telephoneNumber",
    "mobilePhone",
  ];
  assert.deepEqual(resolve(entra).fields, [
    null,
    null,
    "last_name",
    "email",
    "first_name",
    "title",
    "department_name",
    "is_active",
    "location",
    "phone",
    "mobile_phone",
  ]);
  const bamboo = ["Employee #", "First Name", "Last Name", "Work Email", "Job Title", "Hire Date", "Supervisor EID"];
  assert.deepEqual(resolve(bamboo).fields, [
    "employee_id",
    "first_name",
    "last_name",
    "email",
    "title",
    "hire_date",
    "manager_id",
  ]);
  const personio = ["Employee ID", "First name", "Last name", "Email", "Position", "Office", "Termination date"];
  assert.deepEqual(resolve(personio).fields, [
    "employee_id",
    "first_name",
    "last_name",
    "email",
    "title",
    "location",
    "deactivation_date",
  ]);
});

test("without the key's column, what the last file called it is named", () => {
  assert.match(
    fault(() => resolve(["Personnel No", "first_name"], { key: "employee_id", before: { employee_id: "Staff ID" } })),
    /the headers here are "Personnel No", "first_name"; the last file called it "Staff ID"$/,
  );
});

test("without the key's column, the headers that would do are named", () => {
  assert.equal(
    fault(() => resolve(["first_name"], { key: "source_id" }, "ops-com")),
    'header_missing: There is no column for "source_id", the key: one of these headers should be there: "source_id", "unique_id"; the headers here are "first_name"',
  );
  assert.match(
    fault(() => resolve(["first_name"])),
    /^header_missing: There is no column for "employee_id" or "email", the key: .*"employee_id", "email", "employee_number"/,
  );
  assert.match(
    fault(() => resolve(["first_name"], { key: "email", mapping: { Kontakt: "email" }, exactNames: true })),
    /should be there: "Kontakt", "email"; the headers/,
  );
  assert.match(fault(() => resolve([])), /^header_missing/);
  assert.deepEqual(resolve(["employee_id"]).fields, ["employee_id"]);
});

test("a connection can demand exact names", () => {
  const header = resolve(["email", "First Name", "Department"], { exactNames: true });
  assert.deepEqual(header.fields, ["email", null, null]);
  assert.match(
    listed(header)[0]!,
    /^header_unknown: Unknown header "First Name": .* perhaps it should be "first_name"$/,
  );
});

test("a failure report's own columns are recognized, ignored, and make the input a diff", () => {
  const header = resolve(["email", ...REPORT_COLUMNS]);
  assert.equal(header.isReport, true);
  assert.deepEqual(header.fields, ["email", ...REPORT_COLUMNS.map(() => null)]);
  assert.deepEqual(header.issues, []);
  assert.equal(resolve(["email", "_note"]).isReport, false);
});

test("Betterworks: its template's headers, and its departments", () => {
  const columns = [
    "employee_id",
    "email",
    "first_name",
    "last_name",
    "manager_id",
    "manager_email",
    "department_name",
    "title",
    "deactivation_date",
    "preferred_name",
    "hire_date",
    "location",
    "phone_number",
    "is_active",
    "on_leave",
    "shirt_size",
  ];
  const header = resolve(columns, { customKeys: ["shirt_size"] }, "betterworks");
  assert.deepEqual(header.fields, columns.map((column) => (column === "phone_number" ? "phone" : column)));
  const departments = resolveHeader(["name", "type", "parent"], getDictionary("betterworks", "departments"), OPTIONS);
  assert.deepEqual(departments.fields, ["name", null, "parent"]);
});

test("Connecteam: a phone is the mobile one, and Archive is the opposite of active", () => {
  const columns = ["First Name", "Last Name", "Phone Number", "Archive"];
  const header = resolve(columns, { key: "mobile_phone" }, "connecteam");
  assert.deepEqual(header.fields, ["first_name", "last_name", "mobile_phone", "is_archived"]);
  assert.equal(resolve(["Mobile phone"], { key: "mobile_phone" }, "connecteam").fields[0], "mobile_phone");
  const both = resolve(["mobile_phone", "Archive", "is_active"], { key: "mobile_phone" }, "connecteam");
  assert.deepEqual(both.fields, ["mobile_phone", null, "is_active"]);
  assert.deepEqual(both.issues.map(({ code }) => code), ["header_unused"]);
});

test("OPS-COM: each of its names is found, and both spellings of what is a custom field", () => {
  const columns = [
    "unique_id",
    "user_name",
    "phone_cell",
    "employ_no",
    "employee_phone",
    "state",
    "zip",
    "driver_license_num",
  ];
  const header = resolve(
    columns,
    { key: "source_id", customKeys: ["province", "postal_code", "driver_licence_num"] },
    "ops-com",
  );
  assert.deepEqual(header.fields, [
    "source_id",
    "username",
    "mobile_phone",
    "employee_id",
    "phone",
    "province",
    "postal_code",
    "driver_licence_num",
  ]);
  assert.deepEqual(resolve(["unique_id", "street"], { key: "source_id" }, "ops-com").fields, ["source_id", null]);
});
