/** Issues of a row's cells, its identity, and its person. Pure. */
import type { Issue, Piece, Row } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";
import { encodeId } from "../../model/id.ts";
import { describePerson, type KnownUser } from "../person.ts";
import { isInternational } from "../phones.ts";
import { showCell, valueOf } from "../values/issue.ts";

/** Why the row cannot be read; null: it can, although it may be short. */
export function whyBroken(row: Row): Issue | null {
  return row.broken ?? (row.cells.length <= row.columns.length ? null : cellCount(row));
}

export function cellCount(row: Row): Issue {
  const count = row.cells.length;
  return issueOf(
    { severity: "error", code: "cell_count", field: null, value: null },
    [`The row has ${count} ${count === 1 ? "cell" : "cells"}, the header has ${row.columns.length}`],
    "Look for a missing or surplus delimiter, or for a delimiter in a cell without quotes",
  );
}

/** A total or a remark below the people. */
export function totalRow({ cells }: Row): Issue {
  const first = cells.find((cell) => typeof cell === "string" && cell.trim() !== "");
  return issueOf(
    { severity: "error", code: "row_is_total", field: null, value: valueOf(first) },
    [`The row begins with ${showCell(first)}: it seems to be a total or a remark below the people, and was not used`],
    "Take the row out of the file, or let the report be written without totals",
  );
}

/** A short row that looks like a part of a line. */
export function brokenLine(row: Row): Issue {
  const { message } = cellCount(row);
  return issueOf(
    { severity: "error", code: "cell_count", field: null, value: null },
    [`${message}; it and the row beside it look like one line that was broken in two`],
    "Look for a line break in a cell without quotes",
  );
}

/** A short row of somebody or something new, the only one of its length. */
export function shortAndNew(row: Row): Issue {
  const { message } = cellCount(row);
  return issueOf(
    { severity: "error", code: "cell_count", field: null, value: null },
    [`${message}; as no other row has so few, nothing is created from it`],
    "Fill the row up with empty cells if they are meant to be empty",
  );
}

/** `why`: the conflict, as the end of a sentence. */
export function identityConflict(
  field: string | null,
  value: string | null,
  why: readonly Piece[],
  suggestion: string | readonly Piece[],
): Issue {
  return issueOf(
    { severity: "error", code: "identity_conflict", field, value },
    [`Cannot apply "${value}": `, ...why],
    suggestion,
  );
}

/** `rows`: the other rows, as `line 7`. `noun`: what a row is about. */
export function duplicateInInput(
  field: string,
  value: string,
  rows: string,
  noun: "person" | "department" = "person",
): Issue {
  return issueOf(
    { severity: "error", code: "duplicate_in_input", field, value },
    [`"${value}" is also the ${field} of ${rows}: each ${noun} should have one row`],
    "Keep one of the rows",
  );
}

/** `line`: that of the row with the same key that counts. */
export function twinSkipped(
  field: string,
  key: string,
  { line, saysSame }: { readonly line: number; readonly saysSame: boolean },
): Issue {
  const why = saysSame ? "this row says the same" : "this row is about the past";
  return issueOf(
    { severity: "warning", code: "duplicate_in_input", field, value: key },
    [`"${key}" is also the ${field} of line ${line}, which counts: ${why} and was left out`],
    "Do nothing, or keep the one row that counts",
  );
}

/** A duplicate of a value that the row itself does not have: its user is reactivated with it. */
export function duplicateOnReturn(field: string, rows: string): Issue {
  return issueOf(
    { severity: "error", code: "duplicate_in_input", field, value: null },
    [`The person is active again with the same ${field} as ${rows}: each person needs their own`],
    `Give each row an ${field} of its own`,
  );
}

/** `who` begins the sentence; `cause` is why the person would be deactivated. */
export function protectedUser(who: Piece, field: string | null, cause: string): Issue {
  return issueOf(
    { severity: "warning", code: "protected_user", field, value: null },
    [who, ` is protected and was not deactivated, though ${cause}`],
    "Deactivate by hand, or take the person off the connection's protected list",
  );
}

/** Several people fit a row, or the one who fits contradicts it. `people`: the name of each. */
export function disputed(key: string | null, people: readonly Piece[], why: Piece): Issue {
  const named = people.flatMap((person, place) => place === 0 ? [person] : [" and ", person]);
  return identityConflict(
    null,
    key,
    [...named, " may be meant, but ", why],
    "Correct the ids of the row, or the person's ids in the hub",
  );
}

/** The row of somebody who has left, or does not say, has the address of an active person with another number. */
export function addressOfOther(key: string, holder: KnownUser): Issue {
  return identityConflict(
    null,
    key,
    ["its email is that of ", describePerson(holder), ", who is active under another employee_id"],
    "If the row is about them, give it their employee_id; if not, leave the row or its email out",
  );
}

/** The row would make the user somebody else. `differs`: the fields that say so. */
export function contradicted(
  key: string,
  values: Readonly<Record<string, unknown>>,
  user: KnownUser,
  differs: readonly string[],
): Issue {
  const names = [values.first_name, values.last_name].filter((name) => typeof name === "string").join(" ");
  const comes = typeof values.email === "string" ? `${names} (email "${values.email}")` : names;
  return identityConflict(
    null,
    key,
    [
      "it belongs to ",
      describePerson(user, "somebody who is known by other names"),
      `, and the row seems to be about somebody else, ${comes}: ${listed(differs)} ${
        differs.length === 1 ? "differs" : "differ"
      }`,
    ],
    waysOut(
      "If both are the same person, accept the row; if somebody new has this id or address now, release it",
      user.id,
    ),
  );
}

function waysOut(which: string, user: number): readonly Piece[] {
  const routes = `, or by POST /v1/users/${encodeId("usr", user)}/accept or /release`;
  return [`${which}: both on the run's page`, { user, is: "", otherwise: "", byApi: routes }];
}

/** The row has a new key, and something of a person whose own key is in no row. */
export function perhapsReKeyed(field: string, key: string, user: KnownUser, shares: "email" | "names"): Issue {
  const what = shares === "email" ? "the email and one of the names" : "the names";
  return identityConflict(
    null,
    key,
    [
      `it may be the new ${field} of `,
      describePerson(user, "somebody who is known by another one"),
      `, who has ${what} of the row and is in no row of their own`,
    ],
    waysOut(
      "If it is the same person, accept the row; if it is somebody new, release the person who was there",
      user.id,
    ),
  );
}

/** A new person has the address of somebody who has left, whose row is in the same input. */
export function rehiredAsNew(key: string, before: KnownUser): Issue {
  return issueOf(
    { severity: "warning", code: "rehired_as_new", field: null, value: key },
    [
      `"${key}" was made a new person, as `,
      describePerson(before, "somebody with the same address and name"),
      ", who has the same address and name, has left by a row of their own",
    ],
    "If both are one person, give the old record the new id, or take the row of the old id out of the file",
  );
}

/** The row takes an address, an id or names from another row that changes, too. `what`: which, and from whom. */
export function exchanged(key: string, what: readonly Piece[], user: number): Issue {
  return identityConflict(
    null,
    key,
    [...what, ": the rows may be mixed up, as by sorting a part of the sheet"],
    waysOut("Correct the rows; if they are right, accept each; if somebody new has this id now, release it", user),
  );
}

/** Somebody new has both names of a person whose own row has others now. */
export function namedLikeAnother(key: string, what: readonly Piece[]): Issue {
  return identityConflict(
    null,
    key,
    [...what, ": the rows may be mixed up, as by sorting a part of the sheet"],
    "Correct the rows; if they are right, decide about the row of the person who is named, and send the file again",
  );
}

/** `a, b and c`. */
function listed(fields: readonly string[]): string {
  return fields.length < 2 ? fields.join("") : `${fields.slice(0, -1).join(", ")} and ${fields.at(-1)}`;
}

/** `others`: who may have the same number, with the country's code if this one has none. */
export function phoneSpelledTwice(phone: string, others: readonly Piece[]): Issue {
  const there = isInternational(phone) ? "without" : "with";
  return identityConflict(
    "mobile_phone",
    phone,
    ["it may be the number of ", ...others, `, which is written ${there} the country's code`],
    "Set phone_country of the connection or the organization, or write both numbers with + and the country's code",
  );
}

/** The person's own id without its zeros, where people are known by something else. */
export function zerosKept(id: string, own: { readonly id: string; readonly user: number }): Issue {
  return issueOf(
    { severity: "warning", code: "zeros_lost", field: "employee_id", value: id },
    [
      `The person has employee_id `,
      { user: own.user, is: `"${own.id}"`, otherwise: "with zeros in front" },
      `, and keeps it: "${id}" seems to have lost its leading zeros`,
    ],
    "Set the column's format to text, or write the id with its zeros",
  );
}

/** `known`: the users who have the id with leading zeros. */
export function zerosLost(id: string, known: { readonly id: string; readonly user: number }): Issue {
  return issueOf(
    { severity: "error", code: "zeros_lost", field: "employee_id", value: id },
    [
      `Nobody has employee_id "${id}", but somebody has `,
      { user: known.user, is: `"${known.id}"`, otherwise: "it with zeros in front" },
      ": the leading zeros seem to be lost",
    ],
    [
      "Write ",
      { user: known.user, is: `'${known.id}`, otherwise: "the id with its zeros" },
      ", with an apostrophe in front, if this person is meant",
    ],
  );
}
