/** PATCH: the RFC's rules, and each shape that providers send (RFC 7644, section 3.5.2). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScimError } from "../../src/scim/error.ts";
import { GROUP_TYPE } from "../../src/scim/group-schema.ts";
import { applyPatch } from "../../src/scim/patch.ts";
import type { ResourceType } from "../../src/scim/schema.ts";
import { ENTERPRISE as ENT, OWN, userType } from "../../src/scim/user-schema.ts";
import type { Resource } from "../../src/scim/value.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const TYPE = userType([
  {
    key: "skills",
    label: "Skills",
    type: "multi_select",
    required: false,
    options: ["a", "b", "c"],
    maxLength: null,
  },
]);

const ANN = {
  id: "usr_1",
  userName: "ann@example.com",
  name: { givenName: "Ann", familyName: "Lee" },
  active: true,
  title: "Lead",
  emails: [{ value: "ann@example.com", type: "work", primary: true }],
  [ENT]: { department: "Ops", manager: { value: "usr_9" } },
  [OWN]: { skills: ["a"] },
};
const OPS = {
  id: "grp_1",
  displayName: "Ops",
  members: [{ value: "usr_1" }, { value: "usr_2" }],
};

const body = (...operations: unknown[]) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  Operations: operations,
});

function patch(
  before: unknown,
  operations: unknown[],
  type: ResourceType = TYPE,
): Json {
  return applyPatch(type, before as Resource, body(...operations)).resource;
}
const ann = (...operations: unknown[]): Json => patch(ANN, operations);
const ops = (...operations: unknown[]): Json => patch(OPS, operations, GROUP_TYPE);

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ScimError, String(error));
    return error.kind;
  }
  return "accepted";
}

test("Entra's two dialects for active mean the same", () => {
  assert.equal(
    ann({ op: "Replace", path: "active", value: "False" }).active,
    false,
  );
  assert.equal(
    ann({ op: "replace", path: "active", value: false }).active,
    false,
  );
  assert.equal(ann({ op: "replace", value: { active: false } }).active, false);
  assert.equal(
    ann({ op: "Replace", path: "active", value: "TRUE" }).active,
    true,
  );
  assert.equal(
    refused(() => ann({ op: "replace", path: "active", value: "perhaps" })),
    "invalidValue",
  );
});

test("without a path, keys are names, dotted paths, URN paths, and objects of extensions", () => {
  const changed = ann({
    op: "replace",
    value: {
      displayName: "Ann L",
      "name.givenName": "Anna",
      [`${ENT}:employeeNumber`]: "7",
      [ENT]: { department: "Sales" },
    },
  });
  assert.equal(changed.displayName, "Ann L");
  assert.deepEqual(changed.name, { givenName: "Anna", familyName: "Lee" });
  assert.deepEqual(changed[ENT], {
    employeeNumber: "7",
    department: "Sales",
    manager: { value: "usr_9" },
  });
});

test("an operation names its attributes in any case, with the URN of the core or a dot behind that of an extension", () => {
  assert.equal(ann({ op: "replace", path: "TITLE", value: "x" }).title, "x");
  assert.equal(
    ann({
      op: "replace",
      path: "urn:ietf:params:scim:schemas:core:2.0:User:title",
      value: "x",
    }).title,
    "x",
  );
  assert.equal(
    ann({ op: "add", path: `${ENT}:department`, value: "x" })[ENT].department,
    "x",
  );
  assert.equal(
    ann({ op: "add", path: `${ENT}.department`, value: "x" })[ENT].department,
    "x",
  );
});

test("a filtered path that finds nothing yet makes the element, once", () => {
  const nobody = { userName: "x" };
  const path = 'emails[type eq "work"].value';
  for (const op of ["Add", "replace"]) {
    assert.deepEqual(
      patch(nobody, [{ op, path, value: "a@example.com" }]).emails,
      [
        { type: "work", value: "a@example.com" },
      ],
    );
  }
  const parts = [
    "locality",
    "streetAddress",
    "region",
    "postalCode",
    "country",
  ];
  const changed = patch(
    { userName: "x", addresses: [{ type: "home", locality: "Rome" }] },
    parts.map((part) => ({
      op: "Add",
      path: `addresses[type eq "work"].${part}`,
      value: part,
    })),
  );
  assert.deepEqual(changed.addresses, [{ type: "home", locality: "Rome" }, {
    type: "work",
    locality: "locality",
  }]);
  assert.equal(
    refused(() => ann({ op: "replace", path: 'emails[type eq "home"]', value: {} })),
    "noTarget",
  );
  assert.equal(
    refused(() => ann({ op: "replace", path: 'emails[value co "zzz"].value', value: "y" })),
    "noTarget",
  );
});

test("a filtered path changes all that it finds, in any case", () => {
  assert.equal(
    ann({
      op: "replace",
      path: 'Emails[Type EQ "WORK"].Value',
      value: "x@y.test",
    }).emails[0].value,
    "x@y.test",
  );
  assert.equal(
    ann({ op: "remove", path: 'emails[type eq "work" and value co "ann"]' })
      .emails,
    undefined,
  );
  assert.equal(
    ann({ op: "remove", path: 'emails[type eq "home"]' }).emails.length,
    1,
  );
  assert.deepEqual(
    ann({ op: "remove", path: 'emails[type eq "work"].primary' }).emails,
    [
      { value: "ann@example.com", type: "work" },
    ],
  );
});

test("the manager comes as a text, an object, or a list of one, by a bare path or a URN", () => {
  const values = ["usr_5", { value: "usr_5" }, [{
    $ref: "https://hub.example.com/Users/usr_5",
    value: "usr_5",
  }]];
  for (const value of values) {
    for (const path of ["manager", `${ENT}:manager`]) {
      assert.equal(
        ann({ op: "Add", path, value })[ENT].manager.value,
        "usr_5",
        path,
      );
    }
  }
  assert.equal(
    ann({ op: "replace", path: `${ENT}:manager.value`, value: "usr_5" })[ENT]
      .manager.value,
    "usr_5",
  );
  assert.deepEqual(ann({ op: "remove", path: "manager" })[ENT], {
    department: "Ops",
  });
});

test("add appends to what has many values, and changes nothing where the value is there", () => {
  assert.deepEqual(
    ann({ op: "add", path: `${OWN}:skills`, value: ["b", "a"] })[OWN].skills,
    ["a", "b"],
  );
  const one = { type: "work", value: "ann@example.com", primary: true };
  assert.deepEqual(
    ann({ op: "add", path: "emails", value: one }).emails,
    ANN.emails,
  );
  assert.equal(
    ann({
      op: "add",
      path: "emails",
      value: [{ type: "home", value: "a@acme.test" }],
    }).emails.length,
    2,
  );
});

test("one that becomes primary takes this from the others", () => {
  const changed = ann({
    op: "add",
    path: "emails",
    value: [{ type: "home", value: "h@acme.test", primary: "True" }],
  });
  assert.deepEqual(changed.emails.map((each: Json) => each.primary), [
    false,
    true,
  ]);
});

test("replace keeps the parts of a complex value that it does not name", () => {
  assert.deepEqual(
    ann({ op: "replace", path: "name", value: { givenName: "Jo" } }).name,
    {
      givenName: "Jo",
      familyName: "Lee",
    },
  );
  assert.deepEqual(
    ann({ op: "replace", path: "emails", value: [{ value: "n@acme.test" }] })
      .emails,
    [
      { value: "n@acme.test" },
    ],
  );
});

test("null, an empty list and a removal are the same", () => {
  for (const value of [null, []]) {
    assert.equal(
      ann({ op: "replace", path: "emails", value }).emails,
      undefined,
    );
  }
  assert.equal(
    ann({ op: "replace", path: "title", value: null }).title,
    undefined,
  );
  assert.equal(ann({ op: "remove", path: "title" }).title, undefined);
  assert.equal(
    ann({ op: "remove", path: "name.givenName" }).name.givenName,
    undefined,
  );
});

test("what is required stays, and what is read-only is not written", () => {
  assert.equal(
    refused(() => ann({ op: "remove", path: "userName" })),
    "mutability",
  );
  assert.equal(
    refused(() => ann({ op: "replace", path: "userName", value: "  " })),
    "invalidValue",
  );
  assert.equal(
    refused(() => ann({ op: "replace", path: "id", value: "usr_2" })),
    "mutability",
  );
  assert.equal(
    refused(() => ann({ op: "replace", path: "meta.created", value: "x" })),
    "mutability",
  );
  assert.equal(
    refused(() => ann({ op: "add", path: "groups", value: [{ value: "grp_1" }] })),
    "mutability",
  );
  // Okta repeats the id of what it has read.
  assert.equal(
    ops({ op: "replace", value: { id: "grp_1", displayName: "Ops2" } })
      .displayName,
    "Ops2",
  );
  assert.equal(
    refused(() => ops({ op: "replace", value: { id: "grp_2", displayName: "x" } })),
    "mutability",
  );
});

test("an attribute that the hub does not have is refused; one of the RFC's that it does not keep is passed over", () => {
  assert.equal(
    refused(() => ann({ op: "add", path: "salary", value: 1 })),
    "invalidPath",
  );
  assert.equal(
    refused(() => ann({ op: "add", value: { salary: 1 } })),
    "invalidPath",
  );
  assert.equal(
    refused(() => ann({ op: "add", path: "name.salary", value: 1 })),
    "invalidPath",
  );
  assert.deepEqual(
    ann({ op: "Add", path: 'roles[primary eq "True"].value', value: "x" }),
    ANN,
  );
  assert.deepEqual(
    ann({
      op: "Add",
      path: "roles",
      value: [{ value: '{"id":"r1","value":"25"}' }],
    }),
    ANN,
  );
  assert.deepEqual(
    ann({ op: "replace", value: { password: "x", locale: "de" } }),
    ANN,
  );
});

test("the body has a form, and each operation too", () => {
  for (
    const wrong of [null, [], {}, { Operations: [] }, {
      schemas: ["x"],
      Operations: [{}],
    }]
  ) {
    assert.equal(
      refused(() => applyPatch(TYPE, ANN as unknown as Resource, wrong)),
      "invalidSyntax",
    );
  }
  assert.equal(
    refused(() => ann({ op: "move", path: "title" })),
    "invalidSyntax",
  );
  assert.equal(
    refused(() => ann({ op: "add", path: "title" })),
    "invalidSyntax",
  );
  assert.equal(refused(() => ann({ op: "add", value: "x" })), "invalidSyntax");
  assert.equal(refused(() => ann({ op: "remove" })), "noTarget");
  for (
    const path of [
      "emails[type",
      "emails[type eq]",
      "title..x",
      "[x]",
      'title[a eq "b"]',
      "emails[]",
      "a b",
    ]
  ) {
    assert.equal(
      refused(() => ann({ op: "replace", path, value: "x" })),
      "invalidPath",
      path,
    );
  }
});

test("all operations are done, in their order, or none", () => {
  const before = structuredClone(ANN);
  assert.equal(
    refused(() =>
      ann({ op: "replace", path: "title", value: "x" }, {
        op: "replace",
        path: "id",
        value: "y",
      })
    ),
    "mutability",
  );
  assert.deepEqual(ANN, before);
  const twice = ann({ op: "replace", path: "title", value: "x" }, {
    op: "remove",
    path: "title",
  });
  assert.equal(twice.title, undefined);
});

test("members are added and removed as each provider does it", () => {
  const values = (group: Json) => (group.members ?? []).map(({ value }: Json) => value).join();
  assert.equal(
    values(
      ops({
        op: "Add",
        path: "members",
        value: [{ $ref: null, value: "usr_3" }],
      }),
    ),
    "usr_1,usr_2,usr_3",
  );
  assert.equal(
    values(ops({ op: "add", path: "members", value: [{ value: "usr_1" }] })),
    "usr_1,usr_2",
  );
  assert.equal(
    values(ops({ op: "Remove", path: "members", value: [{ value: "usr_1" }] })),
    "usr_2",
  );
  assert.equal(
    values(ops({ op: "remove", path: 'members[value eq "usr_1"]' })),
    "usr_2",
  );
  assert.equal(
    values(ops({ op: "remove", path: 'members[value eq "usr_8"]' })),
    "usr_1,usr_2",
  );
  assert.equal(
    values(
      ops({ op: "remove", path: 'members[value eq "usr_1"]' }, {
        op: "add",
        path: "members",
        value: [{ value: "usr_3" }],
      }),
    ),
    "usr_2,usr_3",
  );
  assert.equal(
    values(
      ops({ op: "replace", path: "members", value: [{ value: "usr_4" }] }),
    ),
    "usr_4",
  );
  assert.equal(values(ops({ op: "replace", path: "members", value: [] })), "");
  assert.equal(
    values(
      ops({
        op: "replace",
        value: { members: [], id: "grp_1", displayName: "Ops" },
      }),
    ),
    "",
  );
  assert.equal(values(ops({ op: "remove", path: "members" })), "");
  // A group that names no members keeps them.
  assert.equal(
    values(ops({ op: "replace", value: { displayName: "Ops" } })),
    "usr_1,usr_2",
  );
  assert.equal(
    refused(() => ops({ op: "add", path: "members", value: [{}] })),
    "invalidValue",
  );
});

test("no path and no key reaches what objects have by birth", () => {
  for (
    const path of [
      "__proto__.x",
      "toString.x",
      "constructor.prototype.x",
      "name.__proto__",
      "emails[__proto__ eq 1]",
    ]
  ) {
    assert.equal(
      refused(() => ann({ op: "add", path, value: "x" })),
      "invalidPath",
      path,
    );
  }
  const keys = JSON.parse(
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
  );
  assert.equal(refused(() => ann({ op: "add", value: keys })), "invalidPath");
  const inside = JSON.parse('{"__proto__": "x"}');
  assert.equal(
    refused(() => ann({ op: "add", path: "name", value: inside })),
    "invalidValue",
  );
  assert.equal(({} as Json).polluted, undefined);
});
