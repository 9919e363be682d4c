/**
 * Counts the issues of a run that the previous run did not have. Issues are compared by code, row key, field and value, and
 * by how often each occurs. Lines are not compared, because they change each night.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Novelty } from "../model/event.ts";
import type { Database } from "../store/database.ts";
import { listIssues, streamIssueRows } from "../store/runs/issues.ts";
import { findRunBefore, type Run } from "../store/runs/runs.ts";

/** Different issues of the previous run that are held in memory. If it has more, some repeated issues count as new. */
const MAX_REMEMBERED = 200_000;

export async function countNovelty(db: Database, run: Run): Promise<Novelty> {
  // Most runs have no issues; then the previous run is not read.
  if ((await listIssues(db, run.organizationId, run.id, { after: 0, limit: 1 })).issues.length === 0) {
    return { new: 0, repeated: 0 };
  }
  const before = new Map<string, number>();
  const previous = await findRunBefore(db, run);
  if (previous !== null) {
    for await (const print of fingerprints(db, run.organizationId, previous)) {
      if (before.has(print) || before.size < MAX_REMEMBERED) before.set(print, (before.get(print) ?? 0) + 1);
    }
  }
  let fresh = 0, repeated = 0;
  for await (const print of fingerprints(db, run.organizationId, run.id)) {
    const left = before.get(print) ?? 0;
    if (left === 0) fresh++;
    else {
      repeated++;
      before.set(print, left - 1);
    }
  }
  return { new: fresh, repeated };
}

async function* fingerprints(db: Database, organizationId: number, runId: number): AsyncGenerator<string> {
  const encoder = new TextEncoder();
  for await (const { key, issues } of streamIssueRows(db, organizationId, runId)) {
    for (const { code, field, value } of issues) {
      const digest = sha256(encoder.encode(JSON.stringify([code, key, field, value])));
      yield String.fromCharCode(...digest.subarray(0, 12));
    }
  }
}
