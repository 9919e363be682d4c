/** A database that has no room left while a file is planned and applied: nothing is lost, and it goes on by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../src/model/errors.ts";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";
import { leaveRoom } from "../support/room.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const DAYS = [
  csv(HEADER, ...crowd(1500)),
  // Some move, some are new, and one row in a hundred fails.
  csv(
    HEADER,
    ...crowd(1700).map((line, i) => i % 100 === 7 ? line.replace("@", "") : i % 5 === 0 ? `${line}-Lee` : line),
  ),
];

test("a run finds no room at any point, is none the worse for it, and ends as if there had always been some", {
  skip: onlyInCheckOnDeno,
}, async () => {
  const ends: unknown[] = [];
  for (const isFull of [false, true]) {
    await importing(async (world) => {
      const interrupted = new Set<string>();
      for (const text of DAYS) {
        const id = await world.handIn(text);
        // A little more room each time, as far as it takes.
        for (let room = 0; isFull; room += 6) {
          await leaveRoom(world.hub, room);
          const error = await world.carry().then(() => null, (error) => error);
          if (error === null) break;
          assert.ok(error instanceof Fault && error.code === "storage_full", String(error?.stack));
          assert.match(error.message, /make room on it, and the run goes on/);
          interrupted.add((await world.run(id)).status);
          assert.ok(room < 3000);
        }
        await leaveRoom(world.hub, null);
        await world.carry();
        const { status, counts, issues, changes } = await world.run(id);
        ends.push({ status, counts, issues, changes: changes.length });
      }
      if (isFull) assert.deepEqual([...interrupted].sort(), ["applying", "planning"]);
      const people = await world.people();
      ends.push(
        people.map(({ employee_id, email, last_name, version }) => ({ employee_id, email, last_name, version })),
      );
    });
  }
  const half = ends.length / 2;
  assert.deepEqual(ends.slice(half), ends.slice(0, half));
});
