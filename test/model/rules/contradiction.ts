/** Whether a record would make a person somebody else. */
import type { Record_ } from "./record.ts";
import type { KeyField, Person } from "./state.ts";

/** How the person of a row was found. */
export type FoundBy = "link" | "employee_id" | "email" | "mobile_phone" | "names";

export interface How {
  readonly by: FoundBy;
  readonly key: KeyField;
  readonly wasMissing: boolean;
  /** Whether the row gives the person's phone, which nobody else has. */
  readonly isOwnPhone: boolean;
}

export function contradicts(record: Record_, person: Person, how: How): boolean {
  if (record.status === "inactive" && (record.values.email ?? null) === null) return false;
  return seemsSomebodyElse(record, person, how);
}

/** The same for a row that says that somebody without an address has left, of which only the leaving is used then. */
export function seemsSomebodyElse({ values }: Record_, person: Person, how: How): boolean {
  const there = person.values;
  const email = compare(values.email, there.email), hired = compare(values.hire_date, there.hire_date);
  const { first, last } = compareNames(values, there);
  const by = how.by === "link" ? how.key : how.by, isByAddress = by === "email" || by === "mobile_phone";
  const oneDiffers = first === "differs" || last === "differs";

  if (email === "differs" && first === "differs") return true;
  if (email === "differs" && oneDiffers && hired === "differs") return true;
  // Never what they were found by.
  const somethingAgrees = hired === "agrees" || (email === "agrees" && by !== "email") ||
    (isByAddress && compare(values.employee_id, there.employee_id) === "agrees") ||
    (how.isOwnPhone && by !== "mobile_phone");
  const noEmail = (values.email ?? null) === null || there.email === null;
  if ((noEmail || isByAddress) && first === "differs" && last === "differs" && !somethingAgrees) return true;
  return (!person.active || how.wasMissing) && oneDiffers && !somethingAgrees;
}

export type Compared = "agrees" | "differs" | "unknown";

/** Unknown unless both sides give it. */
export function compare(a: string | null | undefined, b: string | null | undefined): Compared {
  if (a === null || a === undefined || b === null || b === undefined) return "unknown";
  return a === b ? "agrees" : "differs";
}

interface Names {
  readonly first_name?: string | null;
  readonly last_name?: string | null;
}

export function compareNames(a: Names, b: Names): { first: Compared; last: Compared } {
  const [firstA, lastA, firstB, lastB] = [a.first_name, a.last_name, b.first_name, b.last_name].map(wordsOf) as Words4;
  const isOne = (firstA.size === 0) !== (lastA.size === 0) || (firstB.size === 0) !== (lastB.size === 0);
  if (isOne) return { first: compareOneName([firstA, lastA], [firstB, lastB]), last: "unknown" };
  if (firstA.size === 0 || firstB.size === 0) return { first: "unknown", last: "unknown" };
  const swapped = areAlike(firstA, lastB) && areAlike(lastA, firstB);
  const one = (x: Set<string>, y: Set<string>): Compared => swapped || areAlike(x, y) ? "agrees" : "differs";
  return { first: one(firstA, firstB), last: one(lastA, lastB) };
}

/** The words of both names together are the same, whichever is first. */
export function haveSameWords(a: Names, b: Names): boolean {
  const words = ({ first_name, last_name }: Names) => [...wordsOf(first_name), ...wordsOf(last_name)].sort().join(" ");
  return words(a) === words(b);
}

type Words4 = [Set<string>, Set<string>, Set<string>, Set<string>];
type Words2 = readonly [Set<string>, Set<string>];

/** Where only one name is kept, it counts as the first, wherever it is kept. */
function compareOneName([firstA, lastA]: Words2, [firstB, lastB]: Words2): Compared {
  if (firstA.size + lastA.size === 0 || firstB.size + lastB.size === 0) return "unknown";
  const agrees = [firstA, lastA].some((one) => areAlike(one, firstB) || areAlike(one, lastB));
  return agrees ? "agrees" : "differs";
}

/** All words of one are in the other. */
function areAlike(a: Set<string>, b: Set<string>): boolean {
  const isIn = (x: Set<string>, y: Set<string>) => [...x].every((word) => y.has(word));
  return a.size > 0 && b.size > 0 && (isIn(a, b) || isIn(b, a));
}

/** Without case, accents and punctuation; ä is ae. */
function wordsOf(name: string | null | undefined): Set<string> {
  const umlauts: Record<string, string> = { ä: "ae", ö: "oe", ü: "ue", ß: "ss" };
  const plain = (name ?? "").normalize("NFC").toLowerCase().replace(/[äöüß]/g, (letter) => umlauts[letter]!)
    .normalize("NFD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}\s]/gu, "");
  return new Set(plain.split(/\s+/).filter((word) => word !== ""));
}
