/**
 * What the columns of a connection mean, as far as single cells cannot show it: whether an empty status cell says
 * anything, what A, I, T and F stand for, in which order dates are written, whether a column holds employment statuses.
 *
 * Facts are kept from earlier inputs and added to by the rows that are read. A row is planned by the facts so far; when
 * later rows show something else, the plan does not hold, and the input is planned again with all that is known by then.
 * So the order of rows does not matter. Pure.
 */
import type { ColumnMemory } from "../model/connection.ts";
import type { DateOrder } from "./values/date.ts";
import { createStatusCells } from "./status-cells.ts";
import type { Letter } from "./values/boolean.ts";

/** What an empty cell of the status column says. `new`: only that somebody new is active. */
export type BlankMeans = "active" | "new" | "nothing";

export interface ColumnFacts {
  noteStatus(value: boolean | Letter): void;
  noteLeavingDay(): void;
  /** Notes a cell of a column that may hold employment statuses. */
  noteStatusCell(header: string, isWord: boolean): void;
  /** Whether a letter says that the person is active; null: nothing shows what it means. */
  meaningOf(letter: Letter): boolean | null;
  blankMeans(): BlankMeans;
  /** Whether this connection has read a deactivation_date. */
  hasReadDate(): boolean;
  /** Whether this connection has read who is active: a status, or a deactivation_date. */
  hasReadStatus(): boolean;
  /** Whether most cells of the column hold employment statuses. */
  holdsStatuses(header: string): boolean;
  readonly orderOf: (field: string) => DateOrder;
  /** Fields whose dates fit only the order that is not declared, as far as rows were read. */
  suspects(): readonly string[];
  /** Whether all that was planned by these facts still holds. `isRead`: all rows have been read. */
  hold(isRead: boolean): boolean;
  /** Begins to plan the same input again, with all that is known by now. */
  startAgain(): void;
  /** What decides the meaning of rows that have been applied: digests of rows change with it. */
  seed(): readonly unknown[];
  memory(): ColumnMemory;
}

/** `before`: the memory of the connection; of other settings it counts only in part. */
export function createColumnFacts(before: ColumnMemory | null, settingsVersion: number): ColumnFacts {
  const words = { active: before?.active ?? false, inactive: before?.inactive ?? false };
  let date = before?.date ?? false;
  const isSame = before?.settingsVersion === settingsVersion;
  const letters = new Set<string>(isSame ? before.letters : "");
  const columns = createStatusCells(isSame ? before.statusCells : {});
  const orders = new Map<string, DateOrder>();
  let suspected: readonly string[] = [];
  /** The first answer to each question that rows were planned by. */
  let answers = new Map<string, unknown>();
  let firstSeed = "", wasRead = false;
  /** Kept, as a million rows may ask: what an empty cell means, until another word is read. */
  let blank: BlankMeans | null = null;

  const has = (...some: Letter[]) => some.some((letter) => letters.has(letter));
  const areWords = () => has("A", "I"), areTrueAndFalse = () => has("T") && has("F");
  const questions = {
    T: () => areWords() ? (has("F") ? null : false) : areTrueAndFalse() ? true : null,
    F: () => areTrueAndFalse() && !areWords() ? false : null,
    blank: () => readActive() ? "nothing" : readInactive() ? "new" : "active",
    date: () => date,
    status: () => readActive() || readInactive() || date,
  } as const;
  const readActive = () => words.active || has("A") || questions.T() === true;
  const readInactive = () => words.inactive || has("I") || questions.T() === false || questions.F() === false;

  function ask<T>(question: string, answer: T): T {
    if (!answers.has(question)) answers.set(question, answer);
    return answer;
  }

  function findSuspects(): string[] {
    return [...orders].filter(([, order]) => order.fitsOther && !order.fitsDeclared).map(([field]) => field).sort();
  }

  const facts: ColumnFacts = {
    noteStatus(value) {
      const known = typeof value === "string" ? letters.has(value) : words[value ? "active" : "inactive"];
      if (known) return;
      if (typeof value === "string") letters.add(value);
      else words[value ? "active" : "inactive"] = true;
      blank = null;
    },
    noteLeavingDay: () => void (date = true),
    noteStatusCell: columns.note,
    meaningOf: (letter) => letter === "A" ? true : letter === "I" ? false : ask(letter, questions[letter]()),
    blankMeans: () => blank ??= ask("blank", questions.blank()),
    hasReadDate: () => date || ask("date", date),
    hasReadStatus: () => ask("status", questions.status()),
    holdsStatuses: (header) => columns.decided(header) ?? ask(`column ${header}`, columns.areStatuses(header)),
    orderOf(field) {
      const known = orders.get(field);
      if (known !== undefined) return known;
      const order = {
        fitsDeclared: false,
        fitsOther: false,
        get isSuspect() {
          return suspected.includes(field);
        },
      };
      orders.set(field, order);
      return order;
    },
    suspects: () => findSuspects(),
    hold(isRead) {
      wasRead = isRead;
      const questionsHold = Object.entries(questions).every(([name, question]) =>
        !answers.has(name) || answers.get(name) === question()
      );
      if (!questionsHold || JSON.stringify(facts.seed()) !== firstSeed) return false;
      if (!isRead) return true;
      const columnsHold = columns.headers().every((header) => {
        const are = columns.areStatuses(header);
        return columns.decided(header) !== null || (answers.get(`column ${header}`) ?? are) === are;
      });
      return columnsHold && findSuspects().join() === suspected.join();
    },
    startAgain() {
      if (wasRead) suspected = findSuspects();
      columns.startAgain(wasRead);
      answers = new Map();
      blank = null;
      firstSeed = JSON.stringify(facts.seed());
    },
    seed: () => [areWords() && has("F"), suspected, columns.decidedAgainst()],
    memory: () => ({
      active: readActive(),
      inactive: readInactive(),
      date,
      letters: [...letters].sort().join(""),
      settingsVersion,
      statusCells: columns.counts(),
    }),
  };
  firstSeed = JSON.stringify(facts.seed());
  return facts;
}

/** All that either has seen. The later one knows the columns of its settings better. */
export function mergeMemories(earlier: ColumnMemory | null, later: ColumnMemory): ColumnMemory {
  if (earlier === null) return later;
  const isSame = earlier.settingsVersion === later.settingsVersion;
  return {
    active: earlier.active || later.active,
    inactive: earlier.inactive || later.inactive,
    date: earlier.date || later.date,
    letters: isSame ? [...new Set(earlier.letters + later.letters)].sort().join("") : later.letters,
    settingsVersion: later.settingsVersion,
    statusCells: isSame ? { ...earlier.statusCells, ...later.statusCells } : later.statusCells,
  };
}
