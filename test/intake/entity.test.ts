import assert from "node:assert/strict";
import { test } from "node:test";
import { getDictionary } from "../../src/intake/dictionary.ts";
import { detectEntity } from "../../src/intake/entity.ts";
import type { HeaderOptions } from "../../src/intake/header.ts";

const OPTIONS: Omit<HeaderOptions, "key"> = { mapping: {}, customKeys: [], exactNames: false, before: {} };
const dictionaries = {
  users: getDictionary("default", "users"),
  departments: getDictionary("default", "departments"),
};
const detect = (columns: string[], options: Partial<typeof OPTIONS> = {}) =>
  detectEntity(columns, dictionaries, { ...OPTIONS, ...options });

test("a file is about departments if it looks like nothing else", () => {
  for (
    const columns of [
      ["name", "parent"],
      ["Name", "Parent", "is_active", "Cost centre"],
      ["name", "department_id"],
      ["Department", "is_active"],
      ["Department Name *", "Dept ID"],
      ["Department", "Parent department", "is_active"],
      ["name", "parent", "_line", "_message"],
    ]
  ) assert.equal(detect(columns), "departments", columns.join());
});

test("a file of people whose key is not known is none of departments", () => {
  for (
    const columns of [
      ["Personal-Nr.", "E-Mail-Adresse", "Name", "Vorname", "Abteilung", "Stelle"],
      ["Name", "Department"],
      ["Name", "Department", "Phone"],
      ["Name", "Extension"],
      ["name"],
      ["name", "is_active"],
      ["Department", "Room"],
      ["email", "name", "parent"],
      ["Employee Number", "department_name"],
      ["x"],
      [],
    ]
  ) assert.equal(detect(columns), "users", columns.join());
});

test("columns that are mapped to nothing do not count, and mapped ones do", () => {
  assert.equal(detect(["Department", "Room"], { mapping: { Room: null } }), "departments");
  assert.equal(detect(["Team", "parent"], { mapping: { Team: "name" } }), "departments");
  assert.equal(detect(["name", "parent", "Staff"], { mapping: { Staff: "employee_id" } }), "users");
});

test("headers under which a connection has read people are people's", () => {
  const before = { department_name: "Department", title: "Name", location: "Parent" };
  assert.equal(detect(["Name", "Parent", "Department"]), "departments");
  assert.equal(detect(["Name", "Parent"], { before }), "users");
});
