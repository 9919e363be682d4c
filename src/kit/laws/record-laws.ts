/** Laws about what the hub gets: records by its own fields, made of the source's rows. */
import assert from "node:assert/strict";
import { prepareSettings } from "../../runs/settings.ts";
import type { Normalized } from "../../hub.ts";
import { type Cell, DEPARTMENT_FIELDS, type Entity, USER_FIELDS } from "../../model/record.ts";
import { assertSame } from "./compare.ts";
import { fetches, type Law } from "./law.ts";
import { rawRows, recordsOfDrop } from "./records.ts";
import type { Subject } from "./subject.ts";
import { mainEntity, TODAY } from "./tried.ts";

/** Cells as sources have them now and then. */
const ODD: readonly Cell[] = [
  null,
  "",
  " ",
  "x".repeat(10_000),
  "\u0000",
  "0000-00-00",
  "'000123",
  0,
  -1.5,
  true,
  {},
  [],
  [null],
];
const MAX_ROWS = 50;

const FIELDS: Readonly<Record<Entity, ReadonlySet<string>>> = {
  users: new Set(USER_FIELDS),
  departments: new Set(DEPARTMENT_FIELDS),
};

export const RECORD_LAWS: readonly Law[] = [
  {
    name: "the hub gets the records of the cases",
    applies: ({ records, departments }) => records !== undefined || departments !== undefined,
    async hold(subject) {
      for (const entity of subject.entities) {
        const found = subject.cases.source === undefined
          ? await recordsOfDrop(subject)
          : await subject.records(await subject.whole(entity), entity);
        assertSame(found, subject.expected(entity), entity);
      }
    },
  },
  {
    name: "each column that its mapping names comes from the source, and leads to a field of the hub",
    applies: fetches,
    async hold(subject) {
      const entity = mainEntity(subject), { mapping = {} } = subject.connector;
      const wrong = Object.entries(mapping).filter(([, field]) =>
        field !== null && !FIELDS.users.has(field) && !FIELDS.departments.has(field)
      );
      assert.deepEqual(wrong, [], "these fields are none of the hub");
      for (const record of await subject.records(await subject.whole())) {
        const strange = Object.keys(record).filter((name) =>
          !FIELDS[entity].has(name) && !Object.hasOwn(mapping, name)
        );
        assert.deepEqual(strange, [], "a record has fields that are none of the hub");
      }
    },
  },
  {
    name: "each record has its key, and no two have the same",
    async hold(subject, skip) {
      const { connector: { key } } = subject;
      if (key === undefined) return skip("it has no key of its own");
      if (!subject.entities.includes("users")) return skip('the cases have no "records"');
      const records = subject.cases.source === undefined
        ? await recordsOfDrop(subject)
        : await subject.records(await subject.whole("users"), "users");
      const lacking = records.filter((record) =>
        record[key] === undefined || record[key] === "" || record[key] === null
      );
      assert.deepEqual(lacking.slice(0, 3), [], `records without "${key}"`);
      assert.equal(new Set(records.map((record) => String(record[key]))).size, records.length, `"${key}" comes twice`);
    },
  },
  {
    name: "what the source does not say is absent: no field is invented or emptied",
    applies: fetches,
    async hold(subject, skip) {
      const { connector: { key, normalize } } = subject;
      if (key === undefined) return skip("it has no key of its own");
      if (normalize === undefined) return skip("its mapping says it all");
      const whole = await subject.whole();
      for (const row of rawRows(whole).slice(0, MAX_ROWS)) {
        const [full] = await made(subject, [row]);
        const keyColumn = Object.keys(row).find((column) => String(row[column]) === String(full?.[key]));
        if (keyColumn === undefined) continue;
        const [least] = await made(subject, [{ [keyColumn]: row[keyColumn] }]);
        assert.equal(String(least![key]), String(full![key]), `a row with nothing but "${keyColumn}" lost its key`);
        const invented = Object.entries(least!).filter(([field, value]) =>
          field !== key && !String(row[keyColumn]).includes(String(value)) && !isRefused(field, value)
        ).map(([field]) => field);
        assert.deepEqual(invented, [], `a row with nothing but "${keyColumn}" has more fields than its key`);
        return;
      }
    },
  },
  {
    name: "normalizing does not throw, and says the same of a row again, whatever came before",
    async hold(subject, skip) {
      const { connector, cases, settings } = subject;
      if (connector.normalize === undefined) return skip("its mapping says it all");
      await prepareSettings(connector, cases.settings);
      const mapping = connector.mapping ?? {};
      const known = cases.source === undefined ? [] : rawRows(await subject.whole()).slice(0, MAX_ROWS);
      const columns = [...new Set([...Object.keys(mapping), ...known.flatMap((row) => Object.keys(row))])];
      const fields = columns.map((column) => mapping[column] ?? column);
      const context = { settings, fields, customFields: [], today: TODAY };
      const { normalize } = connector.isolated!.openNormalizer("kit");
      const rows = [
        ...ODD.map((odd) => columns.map(() => odd)),
        ...known.map((row) => columns.map((column) => row[column] ?? null)),
      ].map((cells, i) => [i + 1, null, cells] as const);
      const first = await normalize({ columns, rows, context });
      const turned = await normalize({ columns, rows: [...rows].reverse(), context });
      const texts = (all: readonly Normalized[]) => all.map((each) => JSON.stringify(each));
      assert.deepEqual(first.flatMap((each) => "threw" in each ? [each.threw] : []), [], "it throws");
      assert.deepEqual(texts(turned).reverse(), texts(first), "in another order it says something else");
      for (const each of first) {
        const strange = "record" in each
          ? Object.keys(each.record).filter((name) => !fields.includes(name) && !FIELDS.users.has(name))
          : [];
        assert.deepEqual(strange, [], "a record has fields that are none of the hub");
      }
    },
  },
];

/** A missing `is_active` means active, so a connector may give what is neither yes nor no: the hub refuses that row. */
function isRefused(field: string, value: unknown): boolean {
  return field === "is_active" && typeof value === "string" && /^\(.*\)$/.test(value);
}

/** What the hub makes of rows that are given by the columns that they have. */
async function made(subject: Subject, rows: readonly Record<string, Cell>[]): Promise<Record<string, unknown>[]> {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return await subject.records({ ...await subject.whole(), rows: new TextEncoder().encode(text), origins: [] });
}
