/** The parts of the BambooHR connector that need nobody: settings, fields, what a row says, and a report cut into rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import bamboohr from "../../connectors/bamboohr/bamboohr.ts";
import { SETTINGS } from "../../connectors/bamboohr/settings.ts";
import { BrokenReply, cutObject } from "../../connectors/bamboohr/cut.ts";
import { wantedFields } from "../../connectors/bamboohr/fields.ts";
import { readSubdomain } from "../../connectors/bamboohr/settings.ts";
import { rounds } from "../support/rounds.ts";

test("a subdomain is a bare label, however the address is given", () => {
  for (
    const input of ["acme", " Acme ", "acme.bamboohr.com", "https://acme.bamboohr.com", "https://ACME.bamboohr.com/"]
  ) {
    assert.equal(readSubdomain(input), "acme", input);
  }
  const refused = [
    "",
    "acme.example.com",
    "acme.bamboohr.com.example.com",
    "https://acme/",
    "http://acme.bamboohr.com",
    "a.b",
    "acme/evil",
    "acme@evil",
    "evil.com#",
    "acme:443",
    "https://x:y@acme.bamboohr.com",
    "-acme",
    "acme-",
    "a_b",
    "https://acme.bamboohr.com/login?x=1",
    "äcme",
    "acme%2e",
    "a".repeat(64),
    "acme\n.evil",
    "https://evil.com/.bamboohr.com",
    "127.0.0.1",
  ];
  for (const input of refused) assert.equal(readSubdomain(input), null, input);
  const parsed = SETTINGS.safeParse({ subdomain: "evil.example.com" });
  assert.match(parsed.error!.issues[0]!.message, /"evil\.example\.com" is not a subdomain of BambooHR: it should be/);
});

test("whatever is taken for a subdomain leads to a host of BambooHR's", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.webUrl(), fc.domain(), fc.string().map((s) => `${s}.bamboohr.com`)),
      (input) => {
        const parsed = SETTINGS.safeParse({ subdomain: input });
        if (!parsed.success) return;
        const [host] = bamboohr.hosts!(parsed.data);
        assert.match(new URL(`https://${host}/x`).hostname, /^[a-z0-9-]+\.bamboohr\.com$/);
        assert.equal(new URL(`https://${host}/x`).hostname, host);
      },
    ),
    { numRuns: rounds(200, 15) },
  );
});

test("the default is Betterworks' mapping, with the internal ids for a person and their manager", () => {
  const fills = Object.fromEntries(wantedFields(bamboohr.mapping!).map(({ name, fills }) => [name, fills]));
  assert.deepEqual(fills, {
    id: "source_id",
    status: "is_active",
    employeeNumber: "employee_id",
    workEmail: "email",
    firstName: "first_name",
    lastName: "last_name",
    preferredName: "preferred_name",
    jobTitle: "title",
    department: "department_name",
    supervisorEId: "manager_key",
    workPhone: "phone",
    city: "location",
    hireDate: "hire_date",
    terminationDate: "deactivation_date",
    employmentHistoryStatus: "employment_status",
  });
});

test("a mapping of one's own takes the default's place, and never the key's", () => {
  const own = {
    ...bamboohr.mapping,
    location: "location",
    workPhone: null,
    customShirt: "shirt",
    id: null,
    status: "title",
  };
  const fills = new Map(wantedFields(own).map(({ name, fills }) => [name, fills]));
  assert.deepEqual(
    ["location", "city", "workPhone", "customShirt", "id", "status", "jobTitle"].map((name) => fills.get(name)),
    ["location", undefined, undefined, "shirt", "source_id", "is_active", "title"],
  );
});

function record(cells: Record<string, unknown>, today = "2026-03-02") {
  const columns = Object.keys(cells);
  return bamboohr.normalize!(
    { line: null, origin: null, columns, cells: Object.values(cells) as never[] },
    {
      fields: columns.map((name) => bamboohr.mapping![name] ?? null),
      customFields: [],
      today,
      settings: SETTINGS.parse({ subdomain: "acme" }),
    },
  );
}

test("every kind of nothing is empty, and what was not shown is absent", () => {
  const { is_active: _, ...input } = record({
    status: "Active",
    jobTitle: "",
    department: "  ",
    city: null,
    hireDate: "0000-00-00",
    firstName: " Ana ",
    workPhone: undefined,
    employeeNumber: 7,
    preferredName: " USD",
  });
  assert.deepEqual(input, {
    title: null,
    department_name: null,
    location: null,
    hire_date: null,
    first_name: "Ana",
    employee_id: "7",
    preferred_name: null,
  });
});

test("active is what says Active, inactive what says Inactive, and nothing else is either", () => {
  for (const [status, is_active] of [["Active", "yes"], [" ACTIVE", "yes"], ["inactive", "no"]]) {
    assert.equal(record({ status }).is_active, is_active);
  }
  for (const status of ["", null, "  ", "On Leave", "yes", "true", "1", undefined]) {
    const input = String(record({ status }).is_active);
    assert.match(input, /^\(.+\)$/, `${status}: ${input}`);
  }
});

test("of somebody active a day that has passed is of an earlier time; a day to come is kept, as is the day itself", () => {
  const leaves = (terminationDate: string, status = "Active") => record({ status, terminationDate }).deactivation_date;
  assert.equal(leaves("2024-05-31"), null);
  assert.equal(leaves("2026-03-02"), "2026-03-02");
  assert.equal(leaves("2026-09-30"), "2026-09-30");
  assert.equal(leaves("2024-05-31", "Inactive"), "2024-05-31");
});

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function cut(text: string, size: number): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { name, value } of cutObject(inPieces(text, size), new Set(["employees"]))) all.push([name, value]);
  return all;
}

test("a report is cut into its rows wherever it is cut on the way", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      fc.jsonValue(),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(3),
      async (employees, title, size, indent) => {
        const text = JSON.stringify({ title, fields: [{ id: "id" }], employees, more: "]}" }, null, indent);
        assert.deepEqual(await cut(text, size), [
          ["title", JSON.parse(JSON.stringify(title))],
          ["fields", [{ id: "id" }]],
          ...employees.map((each) => ["employees", JSON.parse(JSON.stringify(each))]),
          ["more", "]}"],
        ]);
      },
    ),
    { numRuns: rounds(300, 20) },
  ));

test("a report that breaks off is none, wherever it does", async () => {
  const text = JSON.stringify({ title: "t", fields: [], employees: [{ id: "1", name: 'a"b' }, { id: "2", n: 5 }] });
  for (let length = 0; length < text.length; length++) {
    await assert.rejects(cut(text.slice(0, length), 7), BrokenReply, text.slice(0, length));
  }
  for (const wrong of ["<html></html>", "[]", `${text}x`, '{"a" 1}', '{"employees":[{"id":}]}']) {
    await assert.rejects(cut(wrong, 7), BrokenReply, wrong);
  }
});
