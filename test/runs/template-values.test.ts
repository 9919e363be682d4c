/** Laws of how a template's values and a connection's own come together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Content, mergeValues, toContent, toValues } from "../../src/runs/template-values.ts";
import { seed } from "../support/chance.ts";

const PLAIN = { noNullPrototype: true };
const names = fc.constantFrom("a", "b", "a/b", "~1", "__proto__", "constructor", "");
const small = fc.constantFrom(null, 1, "x", ["x"]);
const contents = fc.record({
  preset: fc.constantFrom(null, "custom", "connecteam"),
  key: fc.constantFrom(null, "email"),
  schedule: fc.constantFrom(null, { every_minutes: 5 }),
  settings: fc.dictionary(names, small, PLAIN),
  mapping: fc.dictionary(names, fc.constantFrom(null, "email", "title"), PLAIN),
  policy: fc.constantFrom({}, { missing: "keep" }, { missing: "deactivate", create: false }),
  limits: fc.constantFrom({}, { deactivate: { percent: 3 } }, {
    deactivate: { floor: 1, cap: null },
    create: { floor: 2 },
  }),
}, PLAIN) as fc.Arbitrary<Content>;

const values = contents.map(toValues);

test("a connection's content and its values by place are the same", () => {
  fc.assert(fc.property(contents, (content) => assert.deepEqual(toContent(toValues(content)), content)), { seed });
});

test("each value is the template's or the connection's own, what was not touched follows, and merging again changes nothing", () => {
  fc.assert(
    fc.property(values, values, values, (before, template, own) => {
      const { values: merged, changes, kept } = mergeValues(before, template, own);
      for (const [place, value] of merged) {
        assert.ok([template.get(place), own.get(place)].some((each) => each === value), place);
      }
      for (const { field } of changes) {
        assert.deepEqual([own.get(field), merged.get(field)], [before.get(field), template.get(field)]);
      }
      for (const { field } of kept) assert.deepEqual(merged.get(field), own.get(field));
      const again = mergeValues(template, template, merged);
      assert.deepEqual([again.changes, [...again.values]], [[], [...merged]]);
      assert.deepEqual([...mergeValues(before, template, before).values].sort(), [...template].sort());
    }),
    { seed },
  );
});
