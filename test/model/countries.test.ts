import { getCountries } from "libphonenumber-js/min";
import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTRIES } from "../../src/model/countries.ts";

test("a phone_country may be each country whose numbers can be read, and no other", () => {
  assert.deepEqual([...COUNTRIES].toSorted(), getCountries().toSorted());
});
