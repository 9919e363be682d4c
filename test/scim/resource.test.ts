/** Resources as clients send them, as records of their connection, and as answers show them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScimError } from "../../src/scim/error.ts";
import { project, readProjection } from "../../src/scim/project.ts";
import { applyPatch } from "../../src/scim/patch.ts";
import { readResource } from "../../src/scim/read-resource.ts";
import { managerIdOf, recordOf, recordOfPatch } from "../../src/scim/user-record.ts";
import { userResource } from "../../src/scim/user-resource.ts";
import { ENTERPRISE as ENT, OWN, USER, userType } from "../../src/scim/user-schema.ts";
import type { CustomField } from "../../src/model/record.ts";
import type { Resource } from "../../src/scim/value.ts";

const field = (
  key: string,
  type: CustomField["type"] = "text",
): CustomField => ({
  key,
  label: key,
  type,
  required: false,
  options: [],
  maxLength: null,
});
const CUSTOM = [
  field("floor", "number"),
  field("shirt"),
  field("constructor"),
  field("größe"),
];
const TYPE = userType(CUSTOM);

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ScimError, String(error));
    return error.kind;
  }
  return "accepted";
}

const ENTRA = {
  schemas: [USER, ENT],
  externalId: "a1",
  userName: "ann@example.com",
  active: "True",
  displayName: "Ann Lee",
  name: {
    givenName: "Ann",
    familyName: "Lee",
    formatted: "Ann Lee",
    honorificPrefix: "Dr",
  },
  emails: [
    { type: "other", value: "o@example.com" },
    { type: "work", value: "ann@example.com", primary: true },
  ],
  phoneNumbers: [{ type: "mobile", value: "+1 555 0100" }, {
    type: "work",
    value: "+1 555 0101",
  }],
  addresses: [{
    type: "work",
    locality: "Berlin",
    streetAddress: "x",
    formatted: "y",
  }],
  roles: [],
  title: null,
  groups: [],
  password: "x",
  meta: { resourceType: "User" },
  [ENT]: { employeeNumber: "7", department: "Ops", manager: "usr_9" },
  [OWN]: { floor: "3", shirt: "M" },
};

test("what Entra and Okta create becomes a record of the hub's fields", () => {
  const given = readResource(TYPE, ENTRA);
  assert.deepEqual(recordOf(given, CUSTOM, () => false), {
    username: "ann@example.com",
    first_name: "Ann",
    last_name: "Lee",
    title: null,
    is_active: true,
    email: "ann@example.com",
    phone: "+1 555 0101",
    mobile_phone: "+1 555 0100",
    location: "Berlin",
    employee_id: "7",
    department_name: "Ops",
    floor: 3,
    shirt: "M",
  });
  assert.equal(managerIdOf(given.resource), "usr_9");
});

test("a PUT clears what it names without a value, and what its connection has written; nothing else", () => {
  const given = readResource(TYPE, {
    schemas: [USER],
    userName: "ann",
    title: null,
  });
  const record = recordOf(given, CUSTOM, (name) => name === "location");
  assert.deepEqual(record, { username: "ann", title: null, location: null });
});

test("a PATCH becomes a record of what it is about", () => {
  const before = readResource(TYPE, ENTRA).resource;
  const given = applyPatch(TYPE, before, {
    Operations: [
      { op: "replace", path: "name.givenName", value: "Anna" },
      { op: "replace", path: "active", value: true },
      { op: "remove", path: 'phoneNumbers[type eq "mobile"]' },
    ],
  });
  assert.deepEqual(recordOfPatch(given, before, CUSTOM), {
    first_name: "Anna",
    is_active: true,
    mobile_phone: null,
  });
});

test("a body has its schema, its required attributes, and values of their types", () => {
  const of = (more: object) => refused(() => readResource(TYPE, { schemas: [USER], userName: "ann", ...more }));
  assert.equal(of({}), "accepted");
  assert.equal(
    of({ schemas: [USER, "http://example.com/unknown"] }),
    "accepted",
  );
  assert.equal(of({ schemas: ["urn:scim:schemas:core:1.0"] }), "invalidSyntax");
  assert.equal(of({ schemas: [] }), "invalidSyntax");
  assert.equal(of({ userName: "" }), "invalidValue");
  assert.equal(of({ userName: 5 }), "invalidValue");
  assert.equal(of({ name: "Ann" }), "invalidValue");
  assert.equal(of({ active: 1 }), "invalidValue");
  assert.equal(
    of({
      emails: [{ value: "a", primary: true }, { value: "b", primary: true }],
    }),
    "invalidValue",
  );
  assert.equal(
    of({ unknown: 1, __proto__: 1, id: "usr_5", meta: { created: "x" } }),
    "accepted",
  );
  assert.equal(refused(() => readResource(TYPE, [])), "invalidSyntax");
  assert.equal(refused(() => readResource(TYPE, "x")), "invalidSyntax");
});

test("an extension counts though its URN is not in schemas, and emails by themselves are texts or objects", () => {
  const { resource } = readResource(TYPE, {
    schemas: [USER],
    userName: "a",
    emails: "a@acme.test",
    [OWN]: { shirt: "L" },
  });
  assert.deepEqual(resource.emails, [{ value: "a@acme.test" }]);
  assert.deepEqual(resource[OWN], { shirt: "L" });
});

const BASE = "https://hub.example.com/scim/v2/okta";
const FACTS = {
  id: "usr_1",
  externalId: "a1",
  userName: "Ann@example.com",
  displayName: null,
  active: true,
  fields: {
    first_name: "Ann",
    last_name: "Lee",
    preferred_name: null,
    title: null,
    employment_status: null,
    language: "de",
    timezone: null,
    email: "ann@example.com",
    phone: null,
    mobile_phone: "+1 555 0100",
    location: null,
    employee_id: "7",
    department_name: "Ops",
    hire_date: null,
    deactivation_date: null,
    on_leave: false,
  },
  custom: { floor: 3 },
  manager: { id: "usr_9", name: "Bo" },
  groups: [{ id: "grp_1", name: "Ops" }],
  createdAt: 0,
  changedAt: 0,
};

test("a person is shown with what they have, and each email with its type", () => {
  assert.deepEqual(userResource(FACTS, CUSTOM, BASE), {
    schemas: [USER, ENT, OWN],
    id: "usr_1",
    externalId: "a1",
    userName: "Ann@example.com",
    name: { formatted: "Ann Lee", familyName: "Lee", givenName: "Ann" },
    displayName: "Ann Lee",
    preferredLanguage: "de",
    active: true,
    emails: [{ value: "ann@example.com", type: "work", primary: true }],
    phoneNumbers: [{ value: "+1 555 0100", type: "mobile", primary: true }],
    groups: [{ value: "grp_1", $ref: `${BASE}/Groups/grp_1`, display: "Ops" }],
    [ENT]: {
      employeeNumber: "7",
      department: "Ops",
      manager: {
        value: "usr_9",
        $ref: `${BASE}/Users/usr_9`,
        displayName: "Bo",
      },
    },
    [OWN]: { floor: 3 },
    meta: {
      resourceType: "User",
      created: "1970-01-01T00:00:00.000Z",
      lastModified: "1970-01-01T00:00:00.000Z",
      location: `${BASE}/Users/usr_1`,
    },
  });
});

test("what was read can be sent back whole, as Okta does", () => {
  const shown = userResource(FACTS, CUSTOM, BASE);
  const { resource } = readResource(TYPE, shown);
  assert.equal(managerIdOf(resource), "usr_9");
  assert.equal(
    recordOf({ resource, named: new Set() }, CUSTOM, () => false).mobile_phone,
    "+1 555 0100",
  );
});

test("answers have the attributes that were asked for, and always the id", () => {
  const shown = (
    attributes: string[] | null,
    excluded: string[] | null = null,
  ): Resource =>
    project(
      TYPE,
      userResource(FACTS, CUSTOM, BASE),
      readProjection(TYPE, attributes, excluded),
    );
  assert.deepEqual(shown(["USERNAME"]), {
    schemas: [USER, ENT, OWN],
    id: "usr_1",
    userName: "Ann@example.com",
  });
  assert.deepEqual(shown(["name.givenName", "unknown"]).name, {
    givenName: "Ann",
  });
  assert.deepEqual(shown(["emails.value"]).emails, [{
    value: "ann@example.com",
  }]);
  assert.deepEqual(shown([`${ENT}:department`])[ENT], { department: "Ops" });
  assert.deepEqual(Object.keys(shown([ENT])), ["schemas", "id", ENT]);
  assert.equal(shown(null, ["groups", "emails.primary"]).groups, undefined);
  assert.deepEqual(shown(null, ["emails.primary"]).emails, [{
    value: "ann@example.com",
    type: "work",
  }]);
  assert.equal(shown(null, ["id"]).id, "usr_1");
});
