/** The places of reads: who has one, and which read ends so that nobody waits without end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createReadPlaces, type ReadPlace, type ReadPlaces } from "../../src/sources/read-places.ts";

const clock = { ms: 0 };
const SILENT_MS = 10_000, YIELDS_AFTER_MS = 120_000;

/** Takes places for the organizations in turn, as the fetcher does, for as long as there are any. */
function fill(places: ReadPlaces, organizations: readonly number[], count = Infinity): Map<number, ReadPlace[]> {
  const taken = new Map<number, ReadPlace[]>(organizations.map((id) => [id, []]));
  for (let isFull = false; !isFull;) {
    isFull = true;
    for (const id of organizations) {
      if (taken.get(id)!.length >= count || !places.hasRoom() || places.busy().includes(id)) continue;
      taken.get(id)!.push(places.take(id));
      isFull = false;
    }
  }
  return taken;
}

/** Those whose places were taken by others. */
const ended = (all: Iterable<ReadPlace>) => [...all].filter(({ yields }) => yields.aborted);

/** Organizations 1 to 4 have the 64 places that there are for reads, sixteen each, all of which hang. */
function allHang(): { places: ReadPlaces; taken: Map<number, ReadPlace[]> } {
  const places = createReadPlaces(() => clock.ms), organizations = [1, 2, 3, 4];
  const taken = new Map<number, ReadPlace[]>(organizations.map((id) => [id, []]));
  while ([...taken.values()].flat().length < 64) {
    for (const [id, more] of fill(places, organizations)) taken.get(id)!.push(...more);
    clock.ms += SILENT_MS;
    assert.equal(ended([...taken.values()].flat()).length, 0);
  }
  assert.deepEqual([...taken.values()].map((each) => each.length), [16, 16, 16, 16]);
  return { places, taken };
}

test("an organization has four reads that work, and no more than are left to others", () => {
  const taken = fill(createReadPlaces(() => clock.ms), [1, 2, 3, 4, 5, 6]);
  const counts = [...taken.values()].map((each) => each.length);
  assert.ok(counts.every((count) => count >= 1 && count <= 4), String(counts));
});

test("where all 64 places hang, one more waits two minutes at most, and then gets the place of the longest silent", () => {
  const { places, taken } = allHang();
  assert.equal(places.hasRoom(), false);
  clock.ms += YIELDS_AFTER_MS;
  assert.equal(places.hasRoom(), true);
  assert.ok(!places.busy().includes(5));
  places.take(5);
  const gone = ended([...taken.values()].flat());
  assert.deepEqual(gone, [taken.get(1)![0]]);
});

test("the place comes from the organization that has most, and what works or has just begun is left alone", () => {
  const { places, taken } = allHang();
  for (const place of taken.get(1)!.slice(0, 3)) place.giveBack();
  const others = [0, 1, 2].map(() => places.take(9));
  clock.ms += YIELDS_AFTER_MS;
  for (const place of [...others, ...taken.get(2)!]) place.sign();
  clock.ms += SILENT_MS;
  assert.ok(places.hasRoom());
  places.take(9);
  assert.deepEqual(ended([...others, ...[...taken.values()].flat()]), [taken.get(3)![0]]);
});

test("an organization with sixteen reads gets another place for one of its own, once that may end", () => {
  const places = createReadPlaces(() => clock.ms);
  const own: ReadPlace[] = [];
  const other = places.take(2);
  while (own.length < 16) {
    own.push(...fill(places, [1], 4).get(1)!);
    clock.ms += SILENT_MS;
  }
  assert.ok(places.busy().includes(1));
  clock.ms += YIELDS_AFTER_MS;
  assert.ok(!places.busy().includes(1));
  places.take(1);
  assert.deepEqual(ended([other, ...own]), [own[0]]);
});

test("nobody's read ends for as long as there are places", () => {
  const places = createReadPlaces(() => clock.ms);
  const first = places.take(1);
  clock.ms += 10 * YIELDS_AFTER_MS;
  const others = fill(places, [2, 3], 4);
  assert.equal(ended([first, ...[...others.values()].flat()]).length, 0);
});
