/** What a run made of somebody, as a code and in words for people who do not know Muster. No I/O. No clock. */
import type { ChangeView } from "../model/change.ts";
import { decodeId } from "../model/id.ts";
import { fieldInWords, guardInWords, whenInWords } from "../notify/words.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import { createWording } from "../report/wording.ts";
import type { MentionedLink } from "../store/people/mentions.ts";
import type { StoredUser } from "../store/people/users.ts";
import type { StoredRun } from "../store/runs/runs.ts";

export const ANSWER_CODES = [
  "created",
  "updated",
  "reactivated",
  "deactivated",
  "deactivated_missing",
  "deactivated_filtered",
  "deactivated_due",
  "edited_by_hand",
  "waiting_for_approval",
  "being_applied",
  "run_cancelled",
  "run_superseded",
  "run_failed",
  "row_refused",
  "row_warned",
  "conflict",
  "unchanged",
  "filtered",
  "missing",
  "skipped",
  "in_file",
  "not_in_file",
  "drop_deleted",
  "drop_unfinished",
  "drop_unread",
] as const;
export type AnswerCode = (typeof ANSWER_CODES)[number];

export interface Answer {
  readonly code: AnswerCode;
  readonly sentence: string;
  /** What can be done about it; null: nothing needs to be done. */
  readonly next: string | null;
  /** Null: of no connection. */
  readonly connectionId: number | null;
  readonly runId: number | null;
  readonly file: string | null;
  readonly line: number | null;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Whom it is about; null: somebody of whom no user is made, or it is not known. */
  readonly userId: number | null;
  /** The code of the issue that it is about. */
  readonly issue: string | null;
}

export interface Answers {
  /** A change in a user's history that was applied. */
  changed(userId: number, change: ChangeView): Answer;
  /** A change that was planned and not applied; null: the run says nothing about it any more. */
  planned(runId: number, change: ChangeView): Answer | null;
  /** A row with issues. Empty: its run is not known any more. */
  row(runId: number, row: IssueRow, userId: number | null): Answer[];
  failed(run: StoredRun): Answer;
  missing(link: MentionedLink, lastRun: StoredRun | undefined): Answer;
  filtered(link: MentionedLink, user: StoredUser, lastRun: StoredRun | undefined): Answer;
  unchanged(userId: number, run: StoredRun): Answer;
}

/** `runs`: all that the answers are about. */
export function createAnswers(timezone: string, runs: ReadonlyMap<number, StoredRun>): Answers {
  const on = (ms: number) => whenInWords(ms, timezone);
  return {
    changed(userId, change) {
      const run = change.run === null ? undefined : runs.get(decodeId("run", change.run)!);
      const at = change.applied_at === null ? 0 : Date.parse(change.applied_at);
      const place = placeIn(run, change.line, at, userId);
      if (change.run === null) return answer("edited_by_hand", place, `Changed by hand on ${on(at)}${what(change)}`);
      return answer(
        codeOf(change),
        place,
        `${done(change)} by ${rowOf(place)}${why(change)} on ${on(at)}${what(change)}`,
      );
    },
    planned(runId, change) {
      const run = runs.get(runId);
      if (run === undefined) return null;
      const at = atOf(run.run), place = placeIn(run, change.line, at, change.action === "create" ? null : idOf(change));
      const reason = why(change), row = `${cap(rowOf(place))}${reason === "" ? "" : `${reason},`}`;
      const from = `${row} would have ${WOULD[change.action]}${what(change)}`;
      switch (run.run.status) {
        case "held":
        case "planned":
          return answer(
            "waiting_for_approval",
            place,
            `${row} waits for approval since ${on(at)}: it would ${DO[change.action]}${what(change)}. ${held(run)}`,
            { next: "Somebody who may approve runs looks at this run, and approves or cancels it" },
          );
        case "applying":
          return answer("being_applied", place, `${cap(rowOf(place))} is being applied now${what(change)}`);
        case "cancelled":
          return answer("run_cancelled", place, `${from}, but the run was cancelled`, {
            next: "Upload the file again, if it is right",
          });
        case "superseded":
          return answer("run_superseded", place, `${from}, but a newer input took the place of this one`);
        default:
          return null;
      }
    },
    row(runId, row, userId) {
      const run = runs.get(runId);
      if (run === undefined) return [];
      const at = atOf(run.run), place = placeIn(run, row.line, at, userId);
      const errors = row.issues.filter(({ severity }) => severity === "error");
      const shown = errors.length > 0 ? errors : row.issues;
      const first = createWording(run.run.input).inTheirWords(shown[0]!);
      const others = shown.length === 1 ? "" : ` (and ${shown.length - 1} more)`;
      const text = `${cap(rowOf(place))}, of ${on(at)},`;
      const more = { issue: first.code, next: first.suggestion };
      if (errors.length === 0) {
        return [answer("row_warned", place, `${text} was used, with a warning: ${first.message}${others}`, more)];
      }
      if (first.code === "identity_conflict") {
        return [answer("conflict", place, `${text} was refused: ${first.message}`, more)];
      }
      const next = `${first.suggestion}. The run's failure report has the row, to correct and upload again`;
      return [answer("row_refused", place, `${text} was refused: ${first.message}${others}`, { ...more, next })];
    },
    failed(run) {
      const place = placeIn(run, run.run.error?.line ?? null, atOf(run.run), null);
      const reason = run.run.error?.message ?? "it could not be read";
      return answer("run_failed", place, `${cap(inputOf(place))}, of ${on(place.at)}, could not be used: ${reason}`, {
        issue: run.run.error?.code ?? null,
        next: "Nobody in it was changed. Correct the file or the source, and send it again",
      });
    },
    missing({ connectionId, userId, missingSince }, lastRun) {
      const place = { ...placeIn(lastRun, null, missingSince!, userId), connectionId };
      const name = lastRun?.connection?.name ?? "the connection";
      return answer("missing", place, `Not in the complete inputs of ${quoted(name)} since ${on(missingSince!)}`, {
        next:
          "If the person still belongs there, add them to the next file. Otherwise the connection's policy for missing " +
          "people decides what happens",
      });
    },
    filtered({ connectionId, userId }, { user }, lastRun) {
      const at = lastRun === undefined ? user.updatedAt : atOf(lastRun.run);
      const place = { ...placeIn(lastRun, null, at, userId), connectionId };
      return answer(
        "filtered",
        place,
        `Left out by ${quoted(lastRun?.connection?.name ?? "the connection")}: ${notImported(user.employmentStatus)}`,
        { next: IMPORT_STATUS },
      );
    },
    unchanged(userId, run) {
      const place = placeIn(run, null, atOf(run.run), userId);
      return answer("unchanged", place, `${cap(inputOf(place))}, of ${on(place.at)}, has them with nothing new`);
    },
  };
}

export const IMPORT_STATUS =
  "If they should be imported, an admin adds this status, or changes the rows that are chosen, in the " +
  "settings of the connection";

export type Place = Pick<Answer, "connectionId" | "runId" | "file" | "line" | "at" | "userId"> & {
  readonly name: string | null;
};

export function placeIn(run: StoredRun | undefined, line: number | null, at: number, userId: number | null): Place {
  return {
    connectionId: run?.run.connectionId ?? null,
    runId: run?.run.id ?? null,
    file: run?.drop?.name ?? null,
    line,
    at,
    userId,
    name: run?.connection?.name ?? null,
  };
}

export function answer(
  code: AnswerCode,
  { name: _, ...place }: Place,
  sentence: string,
  { next = null, issue = null }: Partial<Pick<Answer, "next" | "issue">> = {},
): Answer {
  return { code, sentence: closed(sentence), next: next === null ? null : closed(next), ...place, issue };
}

function closed(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

export function cap(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function quoted(name: string): string {
  return `"${name}"`;
}

/** `row 812 of "people.csv"`, or as much of that as is known. */
export function rowOf(place: Place): string {
  return place.line === null ? inputOf(place) : `row ${place.line} of ${inputOf(place)}`;
}

export function inputOf({ file, name }: Place): string {
  if (file !== null) return quoted(file);
  return name === null ? "a run" : `a run of ${quoted(name)}`;
}

/** When the run came to what it is now. */
export function atOf({ finishedAt, plannedAt, createdAt }: StoredRun["run"]): number {
  return finishedAt ?? plannedAt ?? createdAt;
}

function idOf({ subject }: ChangeView): number | null {
  return decodeId("usr", subject.id);
}

const DONE = {
  create: "Created",
  update: "Changed",
  deactivate: "Deactivated",
  reactivate: "Made active again",
} as const;
const DO = {
  create: "create the person",
  update: "change the person",
  deactivate: "deactivate the person",
  reactivate: "make the person active again",
} as const;
const WOULD = {
  create: "created the person",
  update: "changed the person",
  deactivate: "deactivated the person",
  reactivate: "made the person active again",
} as const;

function done({ action }: ChangeView): string {
  return DONE[action];
}

function codeOf({ action, reason }: ChangeView): AnswerCode {
  if (action === "deactivate") {
    if (reason === "missing" || reason === "filtered") return `deactivated_${reason}`;
    return reason === "due" || reason === "deactivation_date" ? "deactivated_due" : "deactivated";
  }
  return ({ create: "created", update: "updated", reactivate: "reactivated" } as const)[action];
}

/** Why a change is made that its row does not ask for by itself. */
function why({ reason, fields, action }: ChangeView): string {
  if (reason === "missing") return ", because they are missing from it";
  if (reason === "filtered") return `, because ${notImported(fields.employment_status?.after ?? null)}`;
  if (reason === "due" || reason === "deactivation_date") return ", because their last day has come";
  if (reason === "revert") return ", which takes back an earlier run";
  return action === "deactivate" ? ", which says that they left" : "";
}

function notImported(status: unknown): string {
  const which = typeof status === "string" ? ` ("${status}")` : "";
  return `their employment status${which} or another value of the row is not one that is imported`;
}

/** The fields of a change of somebody who is there: `: Title, Department`. */
function what({ action, fields }: ChangeView): string {
  const names = Object.keys(fields).filter((field) => field !== "status").map(fieldInWords);
  return action === "create" || names.length === 0 ? "" : `: ${names.join(", ")}`;
}

function held({ run }: StoredRun): string {
  const [first] = run.heldBy;
  return first === undefined ? "It was asked for as a plan, to look at first" : `It is held: ${guardInWords(first)}`;
}
