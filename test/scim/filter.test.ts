/** Filters: the grammar, the meaning by the schema, and the limits (RFC 7644, section 3.4.2.2). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScimError } from "../../src/scim/error.ts";
import { isTrueOf } from "../../src/scim/evaluate.ts";
import { parseFilter } from "../../src/scim/filter.ts";
import { GROUP_TYPE } from "../../src/scim/group-schema.ts";
import { ENTERPRISE, OWN, USER, userType } from "../../src/scim/user-schema.ts";
import type { Resource } from "../../src/scim/value.ts";

const TYPE = userType([
  {
    key: "floor",
    label: "Floor",
    type: "number",
    required: false,
    options: [],
    maxLength: null,
  },
]);

const ann = {
  schemas: [USER, ENTERPRISE],
  id: "usr_A",
  externalId: "Ext-1",
  userName: "Ann@example.com",
  name: { givenName: "Ann", familyName: 'Ó "Neil' },
  active: true,
  emails: [{ type: "work", value: "ann@example.com", primary: true }, {
    type: "home",
    value: "ann@acme.test",
  }],
  meta: {
    created: "2026-03-02T08:00:00.000Z",
    lastModified: "2026-03-02T08:00:00.000Z",
    resourceType: "User",
  },
  [ENTERPRISE]: {
    employeeNumber: "A7",
    department: "Ops",
    manager: { value: "usr_9" },
  },
  [OWN]: { floor: 10 },
} as unknown as Resource;

const bo = {
  id: "usr_b",
  userName: "bo",
  active: false,
  title: "Café \\ Lead",
} as unknown as Resource;

function finds(filter: string): string {
  const parsed = parseFilter(TYPE, filter);
  return [ann, bo].filter((each) => isTrueOf(parsed, each)).map((
    { userName },
  ) => String(userName)[0]).join("");
}

function refused(filter: string): string {
  try {
    parseFilter(TYPE, filter);
  } catch (error) {
    assert.ok(error instanceof ScimError, String(error));
    return error.kind;
  }
  return "accepted";
}

const CASES: Readonly<Record<string, string>> = {
  // Case of names, operators and values
  'userName eq "ann@EXAMPLE.com"': "A",
  'USERNAME Eq "bo"': "b",
  'id eq "usr_a"': "",
  'id eq "usr_A"': "A",
  'externalId eq "ext-1"': "",
  'externalId eq "Ext-1"': "A",
  // Order of operators, and parentheses
  'userName eq "bo" or userName eq "ann@example.com" and active eq false': "b",
  '(userName eq "bo" or userName eq "ann@example.com") and active eq false': "b",
  'not (active eq true) and userName sw "b"': "b",
  "not(active eq true)": "b",
  "((not (((title pr)))) and (emails pr))": "A",
  // Multi-valued attributes
  'emails[type eq "work" and value co "@example.com"]': "A",
  'emails[type eq "work" and value co "@acme.test"]': "",
  'emails[not (type eq "work")]': "A",
  'emails.type eq "work" and emails.value co "@acme.test"': "A",
  'emails co "@ACME"': "A",
  'emails eq "ann@example.com"': "A",
  'emails[type eq "work"].value eq "ann@example.com"': "A",
  'emails[type eq "home"].value eq "ann@example.com"': "",
  // URNs
  [`${USER}:userName eq "bo"`]: "b",
  [`${ENTERPRISE}:department eq "ops"`]: "A",
  [`${ENTERPRISE}:employeeNumber eq "a7"`]: "",
  [`${ENTERPRISE}:manager.value eq "usr_9"`]: "A",
  [`${ENTERPRISE}:manager eq "usr_9"`]: "A",
  'manager eq "usr_9"': "A",
  [`schemas eq "${ENTERPRISE}"`]: "A",
  // Types
  [`${OWN}:floor gt 9`]: "A",
  [`${OWN}:floor gt -1`]: "A",
  [`${OWN}:floor eq 1e1`]: "A",
  "active eq false": "b",
  'active eq "False"': "b",
  'meta.lastModified ge "2026-03-02T09:00:00+01:00"': "A",
  'meta.lastModified gt "2026-03-02T09:00:00+01:00"': "",
  'meta.lastModified lt "2026-03-02T09:00:00Z"': "A",
  // Presence
  "title eq null": "A",
  "title ne null": "b",
  "title pr": "b",
  "emails pr": "A",
  "name pr": "A",
  'title ne "x"': "Ab",
  // Texts are those of JSON
  'name.familyName ew "\\"neil"': "A",
  'name.familyName sw "ó"': "A",
  'title co "\\\\ lead"': "b",
  'title eq "CAF\\u00c9 \\\\ LEAD"': "b",
};

test("filters find what the RFC means, and what providers mean", () => {
  for (const [filter, found] of Object.entries(CASES)) {
    assert.equal(finds(filter), found, filter);
  }
});

test("a filter that cannot be read is refused, and never means everybody", () => {
  const wrong = [
    "",
    "userName",
    "userName eq",
    "userName eq ann",
    'userName is "ann"',
    'userName eq "ann" and',
    'userName eq "ann" extra',
    'userName eq "ann',
    'userName eq "\\q"',
    '(userName eq "ann"',
    'userName eq "ann")',
    "active gt true",
    'active eq "perhaps"',
    'active co "t"',
    "userName eq 5",
    `${OWN}:floor eq "x"`,
    'meta.created eq "yesterday"',
    "userName gt null",
    'salary eq "1"',
    'name eq "Ann"',
    'name.toString eq "x"',
    'userName.value eq "x"',
    'userName[value eq "x"]',
    'emails[colour eq "x"]',
    'emails[type eq "work"]value',
    'emails[emails[type eq "work"] and type eq "work"]',
    'urn:example:2.0:User:userName eq "x"',
    '__proto__ eq "x"',
    'constructor.prototype eq "x"',
  ];
  for (const filter of wrong) {
    assert.equal(refused(filter), "invalidFilter", filter);
  }
});

test("a filter has limits in its length, its depth and its comparisons", () => {
  assert.equal(refused(`userName eq "${"x".repeat(4000)}"`), "invalidFilter");
  assert.equal(refused("(".repeat(1900)), "invalidFilter");
  assert.equal(
    refused(`${"(".repeat(30)}active eq true${")".repeat(30)}`),
    "invalidFilter",
  );
  assert.equal(
    refused(Array(101).fill("active pr").join(" or ")),
    "invalidFilter",
  );
  assert.equal(refused(Array(100).fill("active pr").join(" or ")), "accepted");
});

test("groups are found by their name and members", () => {
  const group = {
    id: "grp_1",
    displayName: "Ops",
    members: [{ value: "usr_1" }],
  } as unknown as Resource;
  for (
    const filter of [
      'displayName eq "OPS"',
      'members eq "usr_1"',
      'members[value eq "usr_1"]',
    ]
  ) {
    assert.equal(
      isTrueOf(parseFilter(GROUP_TYPE, filter), group),
      true,
      filter,
    );
  }
});
