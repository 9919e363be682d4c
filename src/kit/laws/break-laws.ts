/** Laws about a source that fails: each request of a read is answered wrong in turn. */
import assert from "node:assert/strict";
import type { FaultCode } from "../../model/errors.ts";
import { assertWholeOrFault, placesOf } from "./compare.ts";
import { fetches, type Law } from "./law.ts";
import { type Between, placeOf } from "./line.ts";
import type { Subject } from "./subject.ts";

type Answer = (honest: Response) => Response | Promise<Response>;

const status = (code: number, headers?: HeadersInit): Answer => () =>
  Response.json({ message: "This was not found" }, { status: code, headers });
const broken: Answer = () => Promise.reject(new Error("The connection broke off"));

/** Kinds in the connector's words, of the hub's codes. */
const KINDS: Partial<Record<FaultCode, string>> = {
  source_unreachable: "connection",
  source_refused: "credentials",
  source_unreadable: "answer",
  source_misconfigured: "settings",
  connector_failed: "an error of the connector's own",
};

const FAILURES: readonly { what: string; answer: Answer; kinds: readonly string[] }[] = [
  { what: "401", answer: status(401), kinds: ["credentials"] },
  { what: "403", answer: status(403), kinds: ["credentials"] },
  { what: "404", answer: status(404), kinds: ["answer", "settings"] },
  { what: "429", answer: status(429, { "retry-after": "1" }), kinds: ["connection"] },
  { what: "503", answer: status(503), kinds: ["connection"] },
  { what: "a connection that breaks off", answer: broken, kinds: ["connection"] },
];

const SPOILED: readonly { what: string; spoil: (body: string) => string }[] = [
  { what: "half of its JSON", spoil: (body) => body.slice(0, body.length >> 1) },
  { what: "nothing", spoil: () => "" },
  { what: "a web page", spoil: () => "<!doctype html><title>Sign in</title>" },
];

/** How sources say in a 200 that they failed. */
const ERRORS: readonly unknown[] = [
  { error: "quota exceeded" },
  { error: { code: 500, message: "Internal error" } },
  { errors: [{ message: "Timeout" }] },
  { success: false, message: "Try again later" },
  null,
];

export const BREAK_LAWS: readonly Law[] = [
  {
    name: "404, 410 or 400 is not the end of the list",
    applies: fetches,
    hold: async (subject) => {
      for (const code of [404, 410, 400]) await tryEach(subject, `${code}`, status(code));
    },
  },
  {
    name: "an answer that is cut off, empty or no JSON is not the end of the list",
    applies: fetches,
    async hold(subject, skip) {
      const { asked } = await subject.whole();
      let tried = 0;
      for (const { what, spoil } of SPOILED) {
        await tryEach(subject, what, async (honest) => {
          const body = await honest.text();
          const isJson = /json/i.test(honest.headers.get("content-type") ?? "") || /^\s*[[{]/.test(body);
          if (isJson) tried++;
          return new Response(isJson ? spoil(body) : body, { status: honest.status, headers: headersOf(honest) });
        });
      }
      if (tried === 0) skip(`none of its ${asked.length} answers is JSON`);
    },
  },
  {
    name: "an error in an answer of status 200 is not an empty list",
    applies: fetches,
    hold: async (subject) => {
      for (const error of ERRORS) {
        await tryEach(subject, JSON.stringify(error), () => Response.json(error));
      }
    },
  },
  {
    name: "each failure has its kind: credentials, connection, answer or settings",
    applies: fetches,
    hold: async (subject) => {
      for (const { what, answer, kinds } of FAILURES) {
        await tryEach(subject, what, answer, (code) => {
          const kind = KINDS[code] ?? code;
          assert.ok(kinds.includes(kind), `${what} is reported as ${kind}; it should be ${kinds.join(" or ")}`);
        });
      }
    },
  },
  {
    name: "what passes by itself changes nothing of what is read",
    applies: fetches,
    async hold(subject) {
      const attempts = new Map<number, number>();
      const read = await subject.read({
        between(n, ask) {
          const attempt = (attempts.get(n) ?? 0) + 1;
          attempts.set(n, attempt);
          if (attempt > 1) return ask();
          return n % 2 === 0 ? new Response(null, { status: 503 }) : Promise.reject(new Error("It broke off"));
        },
      });
      assert.equal(read.fault, null, read.fault?.message);
      await assertWholeOrFault(subject, read, "each request fails once");
    },
  },
  {
    name: "a page that comes again, or a circle of pages, does not pass for the whole list, and ends",
    applies: fetches,
    async hold(subject, skip) {
      const { asked } = await subject.whole();
      const place = (n: number) => asked[n - 1] === undefined ? "" : placeOf(asked[n - 1]!);
      const pages = placesOf({ asked }).filter((n) => n > 1 && place(n) === place(n - 1));
      if (pages.length === 0) return skip("it asks for no two pages");
      for (const from of pages) {
        for (const isCircle of [false, true]) {
          const read = await subject.read({ between: repeating(from, isCircle), maxRequests: 50 + asked.length * 10 });
          const what = isCircle ? "all answers from there on are" : "the answer is";
          await assertWholeOrFault(subject, read, `from request ${from} on ${what} that of the request before`);
        }
      }
    },
  },
];

/** Gives the answer of the request before, once or for ever. */
function repeating(from: number, isCircle: boolean): Between {
  let kept: { body: ArrayBuffer; status: number; headers: Headers } | null = null;
  return async (n, ask) => {
    if (n < from - 1 || (n > from && !isCircle)) return ask();
    if (n === from - 1 || kept === null) {
      const honest = await ask();
      kept = { body: await honest.arrayBuffer(), status: honest.status, headers: headersOf(honest) };
    }
    return new Response(kept.body.slice(0), { status: kept.status, headers: kept.headers });
  };
}

/** Answers each of the chosen requests wrong, in a read of its own, however often it is asked. */
async function tryEach(
  subject: Subject,
  what: string,
  answer: Answer,
  judge: (code: FaultCode) => void = () => {},
): Promise<void> {
  const { asked } = await subject.whole();
  for (const place of placesOf({ asked })) {
    const read = await subject.read({
      between: async (n, ask) => n === place ? answer(await ask()) : ask(),
      maxRequests: 50 + asked.length * 10,
    });
    await assertWholeOrFault(subject, read, `request ${place} of ${asked.length} is answered with ${what}`);
    if (read.fault !== null) judge(read.fault.code);
  }
}

/** Without the length of the body, which may be another one now. */
function headersOf({ headers }: Response): Headers {
  const kept = new Headers(headers);
  kept.delete("content-length");
  return kept;
}
