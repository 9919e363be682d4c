import assert from "node:assert/strict";
import { test } from "node:test";
import { composeMail } from "../../src/notify/mail.ts";
import { guardInWords, guardTitle, statusInWords, whenInWords } from "../../src/notify/words.ts";
import type { HeldBy } from "../../src/model/run.ts";

test("every guard is said in words, with its count, its limit and what it is out of", () => {
  const said = (guard: HeldBy["guard"], more: Partial<HeldBy> = {}) => {
    const held: HeldBy = { guard, count: 1234, limit: 24, base: 4800, ...more };
    return [guardTitle(held), guardInWords(held)].join(": ");
  };
  for (const guard of ["deactivate", "reactivate", "identity", "update", "create", "errors", "departments"] as const) {
    assert.match(said(guard), /1,234 .*4,800.*at most 24/s, guard);
  }
  assert.equal(
    said("column", { field: "hire_date", count: 20, limit: 21, base: 30 }),
    'Many values of "Hire date" are gone: Only 20 of the 30 who were in the last input and are in this one have ' +
      'a value for "Hire date". At least 21 should, going by what they had; applied, values are cleared where cells are empty.',
  );
  assert.match(said("create", { count: 100, limit: 50, base: 7 }), /100 people would be new, 7 are there\./);
  assert.match(
    said("deactivate", { count: 3, limit: 2, base: 20, earlier: 2 }),
    /3 of the 20 people .* within an hour: 1 by this run, 2 before it\./,
  );
  assert.match(
    said("column", { field: "deactivation_date", count: 3, limit: 1, base: 3 }),
    /^All leaving dates are gone: .* 3 people who had left would get access again\./,
  );
  assert.match(said("revert", { count: 1, limit: 0, base: 1 }), /was taken back/);
});

test("a run that is held after a revert does not look like an accident", () => {
  const sentence = (...guards: HeldBy["guard"][]) =>
    statusInWords({
      status: "held",
      approvedAt: null,
      cancelRequested: false,
      heldBy: guards.map((guard) => ({ guard, count: 1, limit: 0, base: 1 })),
    }).sentence;
  assert.match(sentence("revert"), /taken back/);
  assert.doesNotMatch(sentence("revert"), /accident/);
  assert.match(sentence("update", "revert"), /accident/);
});

test("a time is said as the organization's clock shows it", () => {
  const ms = Date.UTC(2026, 6, 1, 22, 5);
  assert.equal(whenInWords(ms, "Europe/Berlin"), "2 July 2026 at 00:05 (Europe/Berlin)");
  assert.equal(whenInWords(ms, "America/Los_Angeles"), "1 July 2026 at 15:05 (America/Los_Angeles)");
});

test("a mail about leavers who are too many at once says how many, and that nobody was erased", () => {
  const { subject, text } = composeMail({
    type: "retention.held",
    facts: { retention: { people: 1_200, limit: 500 } },
    organization: { name: "Acme", timezone: "UTC" },
    about: null,
  });
  assert.equal(subject, "Acme: 1,200 leavers would be erased at once");
  assert.match(text, /At most 500 are erased at once without approval, so nobody has been erased\./);
});

test("an endpoint that was switched off is written about without a run", () => {
  const { subject, text, html } = composeMail({
    type: "endpoint.disabled",
    facts: { endpoint: { id: "whe_00000000001", url: "https://example.com/<hook>", reason: "it answered 410" } },
    organization: { name: "Acme", timezone: "UTC" },
    about: null,
  });
  assert.equal(subject, "Acme: a webhook endpoint is switched off");
  assert.match(text, /https:\/\/example\.com\/<hook> \(whe_00000000001\)\.\n\nWhy: it answered 410/);
  assert.match(html, /example\.com\/&#60;hook&#62;/);
});
