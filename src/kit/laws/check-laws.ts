/** Laws about `check`, which tells an admin whether the source can be read. */
import assert from "node:assert/strict";
import type { CheckResult } from "../../connector.ts";
import { fetches, type Law } from "./law.ts";
import { type Between, openLine } from "./line.ts";
import { logTo, sourceContext } from "./read.ts";
import { playerOf, type Tried } from "./tried.ts";

const MAX_FOUND = 64 * 1024;

export const CHECK_LAWS: readonly Law[] = [
  {
    name: "a check finds a good source well",
    applies: fetches,
    async hold(subject, skip) {
      if (subject.connector.check === undefined) return skip("it has no check");
      const { ok, detail, found } = await tryCheck(subject);
      assert.equal(ok, true, detail);
      assert.match(detail, /\S/, "its detail is empty");
      assert.ok(JSON.stringify(found).length < MAX_FOUND, "what it found is over 64 KiB");
    },
  },
  {
    name: "a check says that a source which refuses or does not answer is not well",
    applies: fetches,
    async hold(subject, skip) {
      if (subject.connector.check === undefined) return skip("it has no check");
      for (const status of [401, 503]) {
        const between = () => new Response(null, { status });
        const ok = await tryCheck(subject, between).then((result) => result.ok, () => false);
        assert.equal(ok, false, `each answer has the status ${status}, and it finds the source well`);
      }
    },
  },
];

export async function tryCheck(subject: Tried, between?: Between): Promise<CheckResult> {
  const { signal } = new AbortController();
  const source = playerOf(subject.cases.source);
  const line = openLine(subject, {
    source,
    between,
    signal,
    maxRequests: Infinity,
    rows: () => 0,
    onTooMany: () => {},
  });
  return await subject.connector.check!(sourceContext(subject, line.fetch, signal, logTo(new Set(), () => {})));
}
