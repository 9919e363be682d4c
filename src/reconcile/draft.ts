/**
 * A plan in the making: the state that the stages of planning share. No I/O of its own; queries and writes are passed
 * in.
 */
import type { Cell, CustomField, Issue, KeyField, Piece, Row, SourceRecord } from "../model/record.ts";
import { type Arrivals, createArrivals } from "./columns/arrivals.ts";
import { type Candidates, createCandidates, type Late } from "./columns/candidates.ts";
import { type Claims, createClaims } from "./columns/claim-index.ts";
import type { Claim } from "./claims.ts";
import { createManagerReferences, type ManagerField, type ManagerReferences } from "./managers/references.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { type ColumnNotes, createColumnNotes } from "./column-notes.ts";
import type { KnownLink, KnownUser } from "./person.ts";
import type { Ranks } from "./ranks.ts";
import type { RowFilter, RowVerdict } from "./row-filter.ts";
import { createShortRows, type ShortRows } from "./short-rows.ts";
import type { StatusColumns } from "./status-columns.ts";
import type { DepartmentDraft } from "./departments/department-names.ts";
import type { OtherLink } from "./elsewhere.ts";
import type { Known, Ordinal } from "./columns/known.ts";
import { createTwins, type Twins } from "./twins.ts";
import { type Tallied, talliedFields } from "./columns/tally.ts";
import type { Tree } from "./managers/tree.ts";
import type { DepartmentChange, UserChange } from "./planned-change.ts";
import type { Spelled } from "./phone-spellings.ts";
import type { Phones } from "./phones.ts";
import type { PageFiller, PageStore } from "./columns/pages.ts";
import type { ResolvedPolicy } from "../model/policy.ts";
import type { RowChoice } from "./row-names.ts";
import type { Validated, Values } from "./validated.ts";

/** A row with issues, as the report will show it. */
export interface IssueRow {
  /** Row's place in the input, from 0; -1 for issues of the whole input. */
  readonly n: number;
  readonly line: number | null;
  /**
   * Comparable form of the row's source key, which identifies its issues; null: there is none, or it could not be read.
   */
  readonly key: string | null;
  readonly origin: string | null;
  readonly cells: readonly Cell[];
  readonly issues: readonly Issue[];
}

/** Issues of the whole input. `line` or `key`: the part of the input that they are about, where it is known. */
export function wholeInput(
  issues: readonly Issue[],
  { line = null, key = null }: Partial<Pick<IssueRow, "line" | "key">> = {},
): IssueRow {
  return { n: -1, line, key, origin: null, cells: [], issues };
}

/** Planning's queries to the database, each for a set. */
export interface Lookups {
  /** False: no user exists yet in the organization, so there is nothing to look up. */
  readonly hasUsers: boolean;
  linksByKey(keys: readonly string[]): Promise<KnownLink[]>;
  /** This connection's links of these users. */
  linksOfUsers(userIds: readonly number[]): Promise<KnownLink[]>;
  /** Other connections' links of these users. */
  otherLinks(userIds: readonly number[]): Promise<OtherLink[]>;
  usersById(ids: readonly number[]): Promise<KnownUser[]>;
  /** Users with one of these employee ids or emails, each once, without those of `ids`. */
  usersNamed(names: UserNames): Promise<KnownUser[]>;
  /** The ids of users by their employee id. */
  idsByEmployeeId(values: readonly string[]): Promise<Map<string, number>>;
  usersByEmail(values: readonly string[]): Promise<KnownUser[]>;
  /** Users by the comparable forms of their mobile phones. */
  usersByPhone(keys: readonly string[]): Promise<Map<string, KnownUser[]>>;
  /** Users whose mobile phone may be one of these in another spelling, by the form of the one asked about. */
  usersSpelledAlike(numbers: readonly Omit<Spelled<unknown>, "of">[]): Promise<Map<string, KnownUser[]>>;
  /** Users who have one of `ids` with leading zeros, by the id without them. */
  withLeadingZeros(ids: readonly string[]): Promise<Map<string, { readonly id: string; readonly user: number }>>;
  /** The employment statuses of these users, each once. */
  statusesOf(userIds: readonly number[]): Promise<string[]>;
  /** The managers of all users. */
  tree(): Promise<Tree>;
  /** The managers of these users, their managers, and so on to the top. */
  managersAbove(userIds: readonly number[]): Promise<Tree>;
  /** Managers that were named and not found, page by page. */
  pendingManagers(): AsyncIterable<readonly PendingManager[]>;
  /** Active users linked to the connection. */
  activeLinked(): Promise<number>;
}

/** What people have decided of rows that would make their user somebody else. */
export interface Identities {
  /** Whether the record, which contradicts the user, is about them all the same. */
  isAccepted(userId: number, record: Validated): boolean;
  /** True: the plan has so many of them that it is held as a whole, and they are planned like all others. */
  areAllAccepted: boolean;
  /** What a decision is bound to: the values by which a person is known. */
  fingerprint(record: Validated): string;
}

export interface UserNames {
  readonly ids: readonly number[];
  readonly employeeIds: readonly string[];
  readonly emails: readonly string[];
}

export interface PendingManager {
  readonly userId: number;
  readonly connectionId: number;
  readonly field: ManagerField;
  readonly value: string;
}

/** An input that is one of several which together are a full one, applied one after the other. */
export interface PlannedPart {
  readonly run: number;
  /** The run of the part before; null: this is the first. */
  readonly after: number | null;
  /** No other part follows: who is in none of them is missing. */
  readonly isLast: boolean;
}

export interface UserPlanContext {
  readonly connectionId: number;
  readonly key: KeyField;
  readonly phones: Phones;
  readonly policy: ResolvedPolicy;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly customFields: readonly CustomField[];
  /** Whether they are those of the last input that was applied. */
  readonly hasSameFields: boolean;
  /** Errors for what a new user needs and these values lack. */
  readonly requirements: (values: Values) => readonly Issue[];
  readonly ranks: Ranks;
  /** Whether the input came by hand. */
  readonly byHand: boolean;
  readonly normalize: (row: Row) => SourceRecord;
  /** Records of one batch: what they show of their columns counts for all of them. */
  readonly validate: (records: readonly SourceRecord[], rows?: readonly RowVerdict[]) => Validated[];
  /** Which rows the connection imports. */
  readonly rowFilter: RowFilter;
  readonly facts: ColumnFacts;
  readonly identities: Identities;
  /** Which of an input's columns say, or seem to say, who is active. */
  readonly statusColumns: (columns: readonly string[]) => StatusColumns;
  readonly known: Known;
  /** Rows, by their place, that share their key with another one, as an earlier plan of this input has shown. */
  readonly twins: Set<number>;
  /** The place of a row → missing users whose names it has, as an earlier plan of this input has shown. */
  readonly renumbered: Map<number, readonly number[]>;
  /** Absent: the plan is made of all rows. */
  readonly choice?: RowChoice;
  /** False: every row is planned, even if its digest is known. */
  readonly shortcut: boolean;
  /** Complete full inputs of users that the connection has applied so far. */
  readonly fullInputs: number;
  /** Null: the input is not a part of another. */
  readonly part: PlannedPart | null;
  readonly lookups: Lookups;
  readonly departments: DepartmentDraft;
  readonly pageStore: PageStore;
  readonly filler: PageFiller;
  /** Writes a row of the report; within a pass rows come in the input's order. */
  readonly report: (row: IssueRow) => void;
  /** Writes the report's full pages; to be called after every few thousand rows. */
  readonly writeReport: () => Promise<void>;
  readonly nextPass: () => Promise<void>;
  /** Writes the page that is applied first. */
  readonly writeDepartments: (changes: readonly DepartmentChange[]) => Promise<void>;
  /** Reserves so many ids in a row for new users and returns the first. */
  readonly reserveUserIds: (count: number) => Promise<number>;
}

/** A change that claims a value of another user: set aside until the whole input is known. */
export interface Contested {
  readonly change: UserChange;
  readonly claims: readonly Claim[];
}

/** What shows at the end that rows of the input are mixed up (exchanges.ts). */
export interface Exchanges {
  /** Full names that changing rows give up and take. An owner is a candidate twice over, plus one where it takes the name. */
  readonly names: Claims;
  /** Candidates whose rows take both names of their users away: somebody new may have those. */
  readonly renamed: Set<number>;
  /** Refused rows of somebody new, of whom nothing can be accepted. */
  readonly newcomers: Set<number>;
  /** Candidates whose rows a person has accepted. */
  readonly accepted: Set<number>;
  /** How the users of candidates were found, where that was not by the key. */
  readonly foundBy: Map<number, KeyField>;
}

export interface Draft {
  readonly context: UserPlanContext;
  readonly candidates: Candidates;
  readonly arrivals: Arrivals;
  readonly keys: Claims;
  readonly emails: Claims;
  /** The same as `keys` where the key is the employee_id. */
  readonly employeeIds: Claims;
  /** The same of rows that say inactive: they are no duplicates, but others may name them as managers. */
  readonly leavers: { readonly emails: Claims; readonly employeeIds: Claims };
  readonly users: Claims;
  readonly columnNotes: ColumnNotes;
  readonly shortRows: ShortRows;
  readonly twins: Twins;
  readonly exchanges: Exchanges;
  /** Full names of new people and of missing ones: an owner is a candidate twice over, or a place in `missing` and one. */
  readonly newNames: { readonly names: Claims; readonly missing: number[] };
  readonly contested: Map<number, Contested>;
  /** Refused rows that claim a user all the same. */
  readonly doubtful: Set<number>;
  /** User → candidate whose change gives up an email or employee_id. */
  readonly releasers: Map<number, number>;
  /** User → candidate whose change brings another email, or none. */
  readonly readdressed: Map<number, number>;
  /** User whom a row takes along to another key → its candidate; null until it is planned. */
  readonly movers: Map<number, number | null>;
  /** Users whom a row that waits gives another employee_id, if their own key is not in the input. */
  readonly renumbered: Set<number>;
  /** Places of the link entries that some candidates have beside their change. */
  readonly linkEntries: Map<number, { page: number; index: number }>;
  /** Candidate → users, other than its own, who have its address or number: they are not missing if it is refused. */
  readonly others: Map<number, readonly number[]>;
  /** Links whose user another row's record touched. */
  readonly touched: Set<Ordinal>;
  /** Links whose rows must be planned although their digests are known. */
  readonly recalled: Set<Ordinal>;
  /** Candidates whose users do not get the email or employee_id of their rows. */
  readonly unheld: Set<number>;
  /** Rows, by their place, that are planned once all others have been. */
  readonly postponed: Set<number>;
  /** Users whose email or employee_id changes, so look-ups by the old value no longer find them. */
  readonly disturbed: Set<number>;
  /** Inactive users whose email a new person takes: it is theirs too, but no longer names them. */
  readonly outranked: Set<number>;
  readonly managers: ManagerReferences;
  /** Candidate → details for the message of an issue that only the whole input shows. */
  readonly details: Map<number, readonly Piece[]>;
  /** Issue → candidate → all candidates with the same claim. */
  readonly rivals: Map<Late, Map<number, readonly number[]>>;
  /** Phones that are new here, where they are keys that may be spelled in two ways. */
  readonly phones: Spelled<number>[];
  /** Selected employment statuses that occurred in the input, folded. */
  readonly statusesSeen: Set<string>;
  /** Links of people who were missing before, whose rows are there, by candidate. */
  readonly back: Map<number, { readonly link: KnownLink; readonly isActive: boolean }>;
  /** Links of people who were missing before, whose rows are refused: of them nobody knows whether they are there. */
  readonly absent: KnownLink[];
  /** Rows that would make their user somebody else. */
  conflicts: number;
  /** The input is a full one, or the last part of one, and was read to its end: who is in none by then is missing. */
  isWhole: boolean;
  /** Lengths of the input's employee ids that are digits and begin with a zero. */
  readonly zeroLengths: Set<number>;
  /** Line or number of the first row whose key could not be read: then nobody is missing from this input. */
  keyUnread: number | null;
  readonly tallied: Tallied;
  /** Planned rows with a leaving date. */
  dated: number;
  /** Rows of the input so far. */
  rows: number;
}

export function createDraft(context: UserPlanContext): Draft {
  const keys = createClaims();
  return {
    context,
    candidates: createCandidates(),
    arrivals: createArrivals(context.filler, context.reserveUserIds),
    keys,
    emails: createClaims(),
    employeeIds: context.key === "employee_id" ? keys : createClaims(),
    leavers: { emails: createClaims(), employeeIds: createClaims() },
    users: createClaims(),
    columnNotes: createColumnNotes(),
    shortRows: createShortRows(),
    twins: createTwins(),
    newNames: { names: createClaims(), missing: [] },
    exchanges: {
      names: createClaims(),
      renamed: new Set(),
      newcomers: new Set(),
      accepted: new Set(),
      foundBy: new Map(),
    },
    contested: new Map(),
    doubtful: new Set(),
    releasers: new Map(),
    readdressed: new Map(),
    movers: new Map(),
    renumbered: new Set(),
    linkEntries: new Map(),
    others: new Map(),
    touched: new Set(),
    recalled: new Set(),
    unheld: new Set(),
    postponed: new Set(),
    disturbed: new Set(),
    outranked: new Set(),
    managers: createManagerReferences(),
    details: new Map(),
    rivals: new Map(),
    phones: [],
    statusesSeen: new Set(),
    back: new Map(),
    absent: [],
    conflicts: 0,
    isWhole: false,
    zeroLengths: new Set(),
    keyUnread: null,
    tallied: talliedFields(context.customFields.map(({ key }) => key), context.hasSameFields),
    dated: 0,
    rows: 0,
  };
}
