/** Laws about what may not be texts: secrets, and people. */
import assert from "node:assert/strict";
import { placesOf } from "./compare.ts";
import { fetches, type Law } from "./law.ts";
import type { Read } from "./read.ts";
import type { Subject } from "./subject.ts";

/** A part of a secret that is so long is found by chance nowhere else. */
const PART = 8;
/** Shorter values of people occur in other words. */
const MIN_VALUE = 6;
const OF_PEOPLE = ["email", "first_name", "last_name", "username", "phone", "mobile_phone", "manager_email"];

export const QUIET_LAWS: readonly Law[] = [
  {
    name: "no secret is in its rows, nor in a fault, the log, an origin, a checkpoint or a warning",
    applies: fetches,
    async hold(subject) {
      const parts = Object.values(subject.cases.secrets ?? {}).flatMap((secret) => [
        ...partsOf(secret),
        ...partsOf(btoa(encodeURIComponent(secret))),
      ]);
      for (const read of await noisyReads(subject)) {
        for (const { where, text } of read.texts) {
          assert.ok(!parts.some((part) => text.includes(part)), `a part of a secret is in ${where}`);
        }
        const rows = new TextDecoder().decode(read.rows);
        assert.ok(!parts.some((part) => rows.includes(part)), "a part of a secret is in a row");
      }
    },
  },
  {
    name: "no person is in a fault, the log, an origin, a checkpoint or a warning",
    applies: fetches,
    async hold(subject) {
      const people = subject.entities.includes("users") ? subject.expected("users") : [];
      const values = people.flatMap((person) => OF_PEOPLE.map((field) => person[field])).filter((value) =>
        typeof value === "string" && value.length >= MIN_VALUE
      ) as string[];
      const whole = await subject.whole();
      for (const read of [whole, ...await readsWith(subject, (honest) => cutOff(honest))]) {
        for (const { where, text } of read.texts) {
          const found = values.some((value) => text.includes(value) || text.includes(encodeURIComponent(value)));
          assert.ok(!found, `a value of a person is in ${where}`);
        }
      }
    },
  },
];

function partsOf(secret: string): string[] {
  const count = Math.max(0, secret.length - PART + 1);
  return Array.from({ length: count }, (_, from) => secret.slice(from, from + PART));
}

/** Of a source that repeats the credentials in its errors. */
async function noisyReads(subject: Subject): Promise<Read[]> {
  const secrets = Object.values(subject.cases.secrets ?? {}).join(" ");
  const reads: Read[] = [await subject.whole()];
  for (const status of [401, 403, 400, 500]) {
    const body = { error: { message: `No such key: ${secrets}` }, message: `No such key: ${secrets}` };
    reads.push(...await readsWith(subject, () => Promise.resolve(Response.json(body, { status }))));
  }
  return reads;
}

/** A read for each of the chosen requests, with another answer to it. */
async function readsWith(subject: Subject, answer: (honest: Response) => Promise<Response>): Promise<Read[]> {
  const { asked } = await subject.whole();
  const reads: Read[] = [];
  for (const place of placesOf({ asked })) {
    const between = async (n: number, ask: () => Promise<Response>) => n === place ? answer(await ask()) : ask();
    reads.push(await subject.read({ between, maxRequests: 50 + asked.length * 10 }));
  }
  return reads;
}

async function cutOff(honest: Response): Promise<Response> {
  const body = await honest.text();
  return new Response(body.slice(0, Math.floor(body.length * 0.75)), {
    status: honest.status,
    headers: { "content-type": honest.headers.get("content-type") ?? "application/json" },
  });
}
