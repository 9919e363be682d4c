/**
 * Rows with the same key: a person with two contracts, or a row that is there twice. Rows that say the same are one, of
 * several the active one counts, and of inactive ones the one that left last; of any others nobody can tell. Pure.
 */
import { digestCells } from "../intake/digest.ts";
import type { Issue, Salt } from "../model/record.ts";
import { addTo } from "../std/add-to.ts";
import { hexOf } from "../std/hex.ts";
import type { InactiveReason, Validated } from "./validated.ts";

export interface Twin {
  /** Its place in the input. */
  readonly n: number;
  readonly line: number | null;
  readonly key: string;
  /** Null: the row does not say. */
  readonly active: boolean | null;
  readonly leaves: string | null;
  /** Why it is inactive, and what of it could not be read: the plainest reason and the least unread first in order. */
  readonly leaving: string;
  /** Digest of what it says. */
  readonly digest: string;
}

/**
 * `counts`: the row is planned like any other. `leaves`: only that the person has left is planned. `skipped`: another row,
 * at `line`, counts, as this one says the same or its person has left.
 */
export type Verdict =
  | { readonly kind: "counts" | "leaves" }
  | { readonly kind: "skipped"; readonly line: number; readonly saysSame: boolean };

export interface Twins {
  add(twin: Twin): void;
  /** Of a row that was added. Final once all rows have been added. */
  verdictOf(n: number): Verdict | null;
}

const COUNTS: Verdict = { kind: "counts" }, LEAVES: Verdict = { kind: "leaves" };

export function createTwins(): Twins {
  const groups = new Map<string, Twin[]>();
  let verdicts: Map<number, Verdict> | null = null;
  return {
    add(twin) {
      addTo(groups, twin.key, twin);
      verdicts = null;
    },
    verdictOf(n) {
      verdicts ??= new Map([...groups.values()].flatMap(judge));
      return verdicts.get(n) ?? null;
    },
  };
}

export function twinOf(
  { n, row }: { readonly n: number; readonly row: { readonly line: number | null } },
  record: Validated,
): Twin {
  const { key, active, values } = record;
  const leaves = typeof values.deactivation_date === "string" ? values.deactivation_date : null;
  return { n, line: row.line, key: key!, active, leaves, leaving: leavingOf(record), digest: digestOf(record) };
}

const REASONS: readonly (InactiveReason | null)[] = ["is_active", "deactivation_date", "filtered"];

function leavingOf({ activeReason, issues }: Validated): string {
  return JSON.stringify([REASONS.indexOf(activeReason), issues.length, ...unreadIn(issues)]);
}

function unreadIn(issues: readonly Issue[]): (readonly [string, string | null | undefined])[] {
  return issues.map(({ code, field }) => [code, field] as const);
}

const SALT: Salt = new Int32Array([0x7477696e, 0x73206f66, 0x20612072, 0x6f770000]);
const words = new Int32Array(4);

/** Of the values, whatever their cells look like, and of what could not be read. */
function digestOf({ active, activeReason, values, issues }: Validated): string {
  const stated = Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1);
  digestCells(
    [JSON.stringify([active, activeReason, stated, unreadIn(issues)])],
    SALT,
    words,
    0,
  );
  return hexOf(words);
}

function judge(group: readonly Twin[]): (readonly [number, Verdict])[] {
  const ordered = group.toSorted((a, b) => a.n - b.n);
  const different = [...new Map(ordered.toReversed().map((twin) => [twin.digest, twin])).values()].toReversed();
  const chosen = choose(different);
  // None of them counts for certain: each is rejected, and names the others.
  if (chosen === null) return ordered.map(({ n }) => [n, COUNTS] as const);
  const { twin, verdict } = chosen;
  return ordered.map((each) => {
    if (each === twin) return [each.n, verdict] as const;
    const saysSame = each.digest === twin.digest;
    return [each.n, { kind: "skipped", line: twin.line ?? twin.n + 1, saysSame }] as const;
  });
}

function choose(rows: readonly Twin[]): { readonly twin: Twin; readonly verdict: Verdict } | null {
  const [first, ...others] = rows;
  if (others.length === 0) return { twin: first!, verdict: COUNTS };
  const active = rows.filter((twin) => twin.active !== false);
  if (active.length > 0) return active.length === 1 ? { twin: active[0]!, verdict: COUNTS } : null;
  const last = rows.map(({ leaves }) => leaves ?? "").sort().at(-1)!;
  const latest = rows.filter(({ leaves }) => (leaves ?? "") === last);
  if (latest.length === 1 && last !== "") return { twin: latest[0]!, verdict: COUNTS };
  // The one that says it most plainly gives the reason, in any order of the rows.
  const plainest = rows.map(({ leaving }) => leaving).sort()[0];
  return { twin: rows.find(({ leaving }) => leaving === plainest)!, verdict: LEAVES };
}
