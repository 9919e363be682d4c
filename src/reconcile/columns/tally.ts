/**
 * What becomes of the cells of people who were in the last input and are in this one: for each field, how many of them
 * had a value, and how many have lost or gained one. Rows that are passed over have what they had; rows that are refused
 * are not counted, as nothing is cleared by them. No I/O.
 *
 * A person had a value where the row's digest says so; and, as a digest is not kept of every row, where the hub has a
 * value that this connection gave.
 */
import { USER_FIELDS } from "../../model/record.ts";
import { IMAGE_INDEX, type ImageColumn } from "../image.ts";
import { customOf, editedByHand, fieldSourcesOf, type KnownUser, sourceOf } from "../person.ts";
import { type Candidates, filledBefore, filledNow, hasFailed, isMarked, managerBefore, MARK } from "./candidates.ts";
import { fieldBits, MAX_BITS } from "./field-bits.ts";

export interface Tally {
  people: number;
  /** By bit. */
  readonly had: Float64Array;
  readonly lost: Float64Array;
  readonly gained: Float64Array;
  /** Manager → those of their reports whose manager's cell is empty now. */
  readonly leftManager: Map<number, { people: number; lost: number[] }>;
}

/** The fields whose cells are compared with those of the last input. */
export interface Tallied {
  /** Bits of earlier rows that mean what they mean now. */
  readonly certain: number;
  readonly fields: readonly TalliedField[];
}

interface TalliedField {
  readonly field: string;
  readonly bit: number;
  /** Place of its value in a user; null: it is one of the organization's own. */
  readonly place: number | null;
  /** The name under which its writer is stored. */
  readonly owned: string;
}

const MANAGER_FIELDS: ReadonlySet<string> = new Set(["manager_id", "manager_email", "manager_key"]);
/** Leavers' dates and absences come and go for everybody at once. */
const NOT_TALLIED: ReadonlySet<string> = new Set(["deactivation_date", "on_leave"]);

/** Bits of the fields that name a manager. */
export const MANAGER_BITS: readonly number[] = USER_FIELDS.flatMap((field, bit) =>
  MANAGER_FIELDS.has(field) ? bit : []
);
const MANAGER_MASK = MANAGER_BITS.reduce((mask, bit) => mask | (1 << bit), 0);
const FIRST_CUSTOM = USER_FIELDS.length;

/** `areSame`: there are the same custom fields as in the last input; otherwise their bits mean others. */
export function talliedFields(customKeys: Iterable<string>, areSame: boolean): Tallied {
  const fields = [...fieldBits(customKeys)].filter(([field]) => !NOT_TALLIED.has(field)).map(([field, bit]) => ({
    field,
    bit,
    place: bit < FIRST_CUSTOM ? placeOf(field) : null,
    owned: MANAGER_FIELDS.has(field) ? "manager" : field,
  }));
  return { certain: areSame ? ~0 : (1 << FIRST_CUSTOM) - 1, fields };
}

/** -1: the user has no such column. */
function placeOf(field: string): number {
  if (MANAGER_FIELDS.has(field)) return IMAGE_INDEX.manager_id;
  if (field === "department_name") return IMAGE_INDEX.department_id;
  // A user's source_id is their connection.
  return field === "source_id" ? -1 : IMAGE_INDEX[field as ImageColumn] ?? -1;
}

/**
 * The fields, by bit, that the user had a value for. `filled`, `given`: the row's cells with a value, and those that are
 * there. `mask`: its last row's; 0: not known. A cell that is not there clears nothing, but a source may hide it: then what
 * it last had is missed.
 */
export function fieldsHad(
  { certain, fields }: Tallied,
  { filled, given }: { readonly filled: number; readonly given: number },
  user: KnownUser,
  mask: number,
  connectionId: number,
): number {
  let had = 0;
  for (const each of fields) {
    const bit = 1 << each.bit;
    const isGiven = (given & bit) !== 0, giver = (filled & bit) !== 0 ? null : connectionId;
    if ((mask & certain & bit) !== 0 || (isGiven && hasValue(each, user, giver, filled))) had |= bit;
  }
  return had;
}

/** `giver`: only a value counts that this connection gave. A manager who is named in another column is not lost. */
function hasValue(
  { field, place, owned }: TalliedField,
  user: KnownUser,
  giver: number | null,
  filled: number,
): boolean {
  const { image } = user;
  const value = place === null ? customOf(image)[field] : image[place];
  if (value === null || value === undefined) return false;
  if (giver === null) return true;
  if (owned === "manager" && (filled & MANAGER_MASK) !== 0) return false;
  return (fieldSourcesOf(image)?.[owned] ?? sourceOf(image)) === giver && !editedByHand(image).includes(owned);
}

/** Of all candidates that are not refused: a row that is refused clears nothing. */
export function tallyPeople(candidates: Candidates, { fields }: Tallied): Tally {
  const tally: Tally = {
    people: 0,
    had: new Float64Array(MAX_BITS),
    lost: new Float64Array(MAX_BITS),
    gained: new Float64Array(MAX_BITS),
    leftManager: new Map(),
  };
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!isMarked(candidates, candidate, MARK.stayed) || hasFailed(candidates, candidate)) continue;
    tally.people++;
    const had = filledBefore(candidates, candidate), has = filledNow(candidates, candidate);
    for (const { bit } of fields) {
      const was = (had & (1 << bit)) !== 0, is = (has & (1 << bit)) !== 0;
      if (was) tally.had[bit]!++;
      if (was && !is) tally.lost[bit]!++;
      else if (!was && is) tally.gained[bit]!++;
    }
    const manager = managerBefore(candidates, candidate), lost = had & ~has;
    if ((lost & MANAGER_MASK) !== 0 && manager !== null) noteLeft(tally, manager, lost);
  }
  return tally;
}

function noteLeft({ leftManager }: Tally, manager: number, lost: number): void {
  let left = leftManager.get(manager);
  if (left === undefined) leftManager.set(manager, left = { people: 0, lost: MANAGER_BITS.map(() => 0) });
  left.people++;
  MANAGER_BITS.forEach((bit, i) => {
    if ((lost & (1 << bit)) !== 0) left.lost[i]!++;
  });
}
