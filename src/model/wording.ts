/**
 * Messages about more people than the row's own: each reader gets the text with the people whom they may know of. Pure.
 */
import { CODES, type IssueCode } from "./codes.ts";
import type { Issue, Piece } from "./record.ts";

/** The text for a person whom the reader may not know of. */
export const STRANGER = "somebody from another source";

/** An issue whose texts have pieces that not every reader may see. Plain text in `message` and `suggestion` is for all. */
export function issueOf(
  issue: Omit<Issue, "message" | "suggestion" | "pieces">,
  message: readonly Piece[],
  suggestion: string | readonly Piece[],
): Issue {
  const advice = typeof suggestion === "string" ? [suggestion] : suggestion;
  const forAll = { ...issue, message: textFor(message, NOBODY), suggestion: textFor(advice, NOBODY) };
  const isOpen = [...message, ...advice].every((piece) => typeof piece === "string");
  return isOpen ? forAll : { ...forAll, pieces: { message, suggestion: advice } };
}

const NOBODY = () => false;

/** Who reads a message: a client of the API, or a person, who has mails, reports and the run's page. */
export type Audience = "api" | "person";

/** The text for a reader who may know of the users for whom `knows` is true. */
export function textFor(
  pieces: readonly Piece[],
  knows: (user: number) => boolean,
  audience: Audience = "person",
): string {
  return pieces.map((piece) => {
    if (typeof piece === "string") return piece;
    if (!knows(piece.user)) return piece.otherwise;
    return audience === "api" ? piece.byApi ?? piece.is : piece.is;
  }).join("");
}

/** As textFor, for an issue. */
export function issueFor(
  { pieces, conflict: _, ...issue }: Issue,
  knows: (user: number) => boolean,
  audience: Audience = "person",
): Issue {
  if (pieces === undefined) return issue;
  const read = (texts: readonly Piece[]) => textFor(texts, knows, audience);
  return { ...issue, message: read(pieces.message), suggestion: read(pieces.suggestion) };
}

/** The users that an issue mentions besides the row's own. */
export function usersIn({ pieces }: Issue): number[] {
  if (pieces === undefined) return [];
  return [...pieces.message, ...pieces.suggestion].flatMap((piece) => typeof piece === "string" ? [] : piece.user);
}

/** The issue for a reader who may not read the row: with the text of its code, and without values of the row. */
export function issueWithoutRow<I extends Omit<Issue, "code"> & { readonly code: string }>(issue: I): I {
  const { pieces: _, conflict: __, ...shown } = issue;
  const known = CODES[issue.code as IssueCode] as (typeof CODES)[IssueCode] | undefined;
  return {
    ...shown,
    value: null,
    message: known?.when ?? "The input could not be used",
    suggestion: known?.todo ?? "",
  } as I;
}
