/** What a drop that was read again says of somebody, in words. No I/O. No clock. */
import { statusInWords, whenInWords } from "../notify/words.ts";
import { foldName } from "../reconcile/fold.ts";
import type { DropRow } from "../store/runs/search-drop.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import { type Answer, answer, atOf, cap, IMPORT_STATUS, inputOf, placeIn, rowOf } from "./explain-answers.ts";
import type { ReadAgain } from "./explain-drops.ts";

export interface DropAnswers {
  /** Whom they are about; null: nobody in Muster, or several fit. */
  readonly userId: number | null;
  /** A row without issues. `onlyStatuses`: those that the connection imports; null: all. */
  row(row: DropRow, onlyStatuses: readonly string[] | null): Answer;
  /** Nothing was found, or not all of it was read. Empty: there is nothing to say about that. */
  end(read: ReadAgain): Answer[];
}

/** Of one run. `userIds`: who fits. */
export function createDropAnswers(timezone: string, found: StoredRun, userIds: readonly number[]): DropAnswers {
  const { run } = found, at = atOf(run), time = whenInWords(at, timezone);
  const userId = userIds.length === 1 ? userIds[0]! : null;
  return {
    userId,
    row({ line, employmentStatus, verdict }, onlyStatuses) {
      const place = placeIn(found, line, at, userId), row = `${cap(rowOf(place))}, of ${time},`;
      const isImported = onlyStatuses === null || employmentStatus === null ||
        onlyStatuses.some((status) => foldName(status) === foldName(employmentStatus));
      if (!isImported) {
        const why = `its employment status "${employmentStatus}" is not one that is imported`;
        return answer("filtered", place, `${row} was left out: ${why}`, { next: IMPORT_STATUS });
      }
      if (verdict === "filtered") {
        return answer(
          "filtered",
          place,
          `${row} was left out: the connection imports only some rows, and this is not one ` +
            "of them",
          { next: IMPORT_STATUS },
        );
      }
      if (run.status !== "succeeded" && run.status !== "partial") {
        return answer("in_file", place, `${row} names them. ${statusInWords(run).sentence}`);
      }
      if (userIds.length > 0) return answer("unchanged", place, `${row} has nothing new`);
      return answer(
        "skipped",
        place,
        `${row} was skipped: nobody in Muster is this person, and the row does not say that ` +
          "they are active, so nobody was created",
        {
          next: "If they should be imported, correct the row's status or leaving date, and upload it again",
        },
      );
    },
    end({ rows, end, reason }) {
      const place = placeIn(found, null, at, userId), input = `${cap(inputOf(place))}, of ${time},`;
      switch (end) {
        case "read":
          return rows.length > 0
            ? []
            : [answer("not_in_file", place, `${input} has nobody with this id, address or name`, {
              next: "If it should, add the row at the source, and send it again",
            })];
        case "gone":
          return [answer("drop_deleted", place, `${input} is not kept any more, so what it says of them is not known`)];
        case "out_of_time":
          return [answer("drop_unfinished", place, `${input} was not read to its end in the time that there is`, {
            next: "Ask again later, or look into the file",
          })];
        default:
          return [answer("drop_unread", place, `${input} was not read again: ${reason ?? UNREAD[end]}`)];
      }
    },
  };
}

const UNREAD = {
  unreadable: "it cannot be read with the settings of today",
  encrypted: "it is encrypted",
  too_large: "it is too large to be read beside requests here",
  left_out: "there are too many connections; ask for an id or address that Muster knows",
} as const;
