/** Compares people and reads, in any order. */
import assert from "node:assert/strict";
import type { Read } from "./read.ts";
import type { Subject } from "./subject.ts";

/** With its names in order, so that equal records are equal texts. */
export function textOf(record: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1)));
}

/** Fails with the first records that are missing or too many. */
export function assertSame(found: readonly object[], expected: readonly object[], about: string): void {
  const counts = new Map<string, number>();
  const add = (record: object, by: number) => {
    const text = textOf(JSON.parse(JSON.stringify(record)));
    counts.set(text, (counts.get(text) ?? 0) + by);
  };
  for (const record of expected) add(record, 1);
  for (const record of found) add(record, -1);
  const some = (sign: number) =>
    [...counts].filter(([, count]) => count * sign > 0).map(([text]) => text.slice(0, 500)).slice(0, 3);
  const missing = some(1), more = some(-1);
  if (missing.length === 0 && more.length === 0) return;
  const counted = `${found.length} records, and ${expected.length} are expected`;
  assert.deepEqual({ more }, { more: missing }, `${about}: ${counted}. Too many, then missing:`);
}

/** Fails for a read that passes for whole, and is not. */
export async function assertWholeOrFault(subject: Subject, read: Read, about: string): Promise<void> {
  assert.ok(!read.endless, `${about}: it asks again and again without end`);
  if (read.fault !== null) return;
  const whole = await subject.records(await subject.whole());
  const found = read.unchanged === null ? await subject.records(read) : [];
  assertSame(found, whole, `${about}, and the read passes for a whole one`);
}

/** Fails if a read of the same source with this state of an earlier one is not whole. */
export async function assertTaken(subject: Subject, last: unknown, about: string): Promise<void> {
  const read = await subject.read({ last });
  assert.equal(read.fault, null, `${about}: ${read.fault?.message}`);
  if (read.unchanged !== null) return assert.equal(read.count, 0, 'it gives rows, and returns "unchanged"');
  if (Object.values(subject.connector.coverage).includes("diff")) return;
  await assertWholeOrFault(subject, read, about);
}

/** Which requests of a read are tried: the first and last two, and one in the middle. From 1. */
export function placesOf({ asked }: Pick<Read, "asked">): number[] {
  const count = asked.length;
  const places = [1, 2, Math.ceil(count / 2), count - 1, count].filter((n) => n >= 1 && n <= count);
  return [...new Set(places)];
}
