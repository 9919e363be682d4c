/** New people on their way to pages: in the order of their keys, with numbers in that order, and each at its noted place. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { createArrivals } from "../../src/reconcile/columns/arrivals.ts";
import { addCandidate, createCandidates, indexOf, pageOf, userOf } from "../../src/reconcile/columns/candidates.ts";
import { decodeChange, type Entry } from "../../src/reconcile/columns/entry.ts";
import { IMAGE, type Image, IMAGE_INDEX } from "../../src/reconcile/image.ts";
import type { UserChange } from "../../src/reconcile/planned-change.ts";
import { createPageFiller, type PageDraft } from "../../src/reconcile/columns/pages.ts";

function newPerson(key: string, line: number | null, firstName: string): UserChange {
  const after: Image = new Array(IMAGE.length).fill(null);
  after[IMAGE_INDEX.employee_id] = key;
  after[IMAGE_INDEX.first_name] = firstName;
  after[IMAGE_INDEX.custom] = { note: firstName };
  return {
    action: "create",
    line,
    userId: 0,
    version: 0,
    reason: null,
    before: null,
    previousPage: null,
    key,
    digest: line === null ? null : "00ff",
    canonical: null,
    active: true,
    after,
  };
}

/** Everybody by candidate, as read back from the pages; and the pages as they were written. */
async function place(people: readonly UserChange[], share: number) {
  const pages: { page: number; entries: Entry[] }[] = [];
  const filler = createPageFiller({
    write({ page, kind, count, body, parked }: PageDraft) {
      const entries = JSON.parse(new TextDecoder().decode(body)) as Entry[];
      assert.deepEqual([kind, count, parked], ["creates", entries.length, null]);
      pages.push({ page, entries });
      return Promise.resolve();
    },
    read: () => Promise.reject(new Error("Nothing is read")),
    replace: () => Promise.reject(new Error("Nothing is replaced")),
    setManagers: () => Promise.reject(new Error("Nobody has a manager")),
  }, share);
  let next = 1000;
  const arrivals = createArrivals(filler, (count) => Promise.resolve((next += count) - count));
  const candidates = createCandidates();
  for (const [n, person] of people.entries()) {
    arrivals.add(addCandidate(candidates, n, person.line), person);
    if (arrivals.isFull) await arrivals.place(candidates);
  }
  await arrivals.place(candidates);
  const placed = people.map((_, candidate) => {
    const { entries } = pages.find(({ page }) => page === pageOf(candidates, candidate))!;
    const entry = entries[indexOf(candidates, candidate)]!;
    const change = decodeChange(entry);
    assert.equal(change.userId, userOf(candidates, candidate));
    return { ...change, userId: 0 };
  });
  return { placed, pages: pages.map(({ entries }) => entries.map(decodeChange)) };
}

test("everybody is on the pages as they came, and found at their noted places", async () => {
  const person = fc.record({
    key: fc.string({ unit: "binary", minLength: 1 }),
    line: fc.option(fc.nat()),
    name: fc.string({ unit: "grapheme" }),
  });
  await fc.assert(fc.asyncProperty(
    fc.uniqueArray(person, { selector: ({ key }) => key, maxLength: 60 }),
    fc.constantFrom(1, 1 / 500, 1 / 5000),
    async (people, share) => {
      const changes = people.map(({ key, line, name }) => newPerson(key, line, name));
      const { placed, pages } = await place(changes, share);
      assert.deepEqual(placed, changes);
      const ids = pages.flat().map(({ userId }) => userId);
      assert.deepEqual(ids, ids.map((_, index) => 1000 + index));
    },
  ));
});

test("people in no order are put on pages in the order of their keys", async () => {
  const keys = Array.from({ length: 12_345 }, (_, n) => String((n * 7919) % 12_345).padStart(6, "0"));
  const { pages } = await place(keys.map((key, n) => newPerson(key, n + 2, "Zoë")), 1);
  assert.deepEqual(pages.map((page) => page.length), [5000, 5000, 2345]);
  assert.deepEqual(pages.flat().map(({ key }) => key), [...keys].sort());
});

test("people in order do not wait for more than a page of them", async () => {
  const keys = Array.from({ length: 25 }, (_, n) => `key ${String.fromCharCode(65 + n)}`);
  const { pages } = await place(keys.map((key, n) => newPerson(key, n + 2, "Ada")), 1 / 500);
  assert.deepEqual(pages.map((page) => page.length), [10, 10, 5]);
});

test("a person who is larger than a page is a page alone", async () => {
  const large = "x".repeat(1_600_000);
  const { placed, pages } = await place(["b", "a", "c"].map((key) => newPerson(key, 2, key === "b" ? large : "")), 1);
  assert.deepEqual(pages.map((page) => page.map(({ key }) => key)), [["a"], ["b"], ["c"]]);
  assert.equal(placed[0]!.after[IMAGE_INDEX.first_name], large);
});
