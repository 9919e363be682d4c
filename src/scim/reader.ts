/** Reading tokens from the left, and the refusal of what is not expected. No I/O. */
import { ScimError, type ScimErrorKind } from "./error.ts";
import type { Place } from "./names.ts";
import type { Token } from "./tokens.ts";

/** A list of tokens that is read from the left. */
export interface Reader {
  readonly tokens: readonly Token[];
  readonly kind: ScimErrorKind;
  /** What a name means here: within brackets, a sub-attribute. */
  readonly find: (name: string) => Place;
  at: number;
  depth: number;
  leaves: number;
}

export function peek({ tokens, at }: Reader): Token | undefined {
  return tokens[at];
}

export function isWord(token: Token | undefined, text: string): boolean {
  return token?.kind === "word" && token.text.toLowerCase() === text;
}

export function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === "mark" && token.text === text;
}

export function takeWord(reader: Reader, text: string): boolean {
  if (!isWord(peek(reader), text)) return false;
  reader.at++;
  return true;
}

export function takeMark(reader: Reader, text: string): boolean {
  if (!isMark(peek(reader), text)) return false;
  reader.at++;
  return true;
}

export function expectMark(reader: Reader, text: string): void {
  if (!takeMark(reader, text)) throw fail(reader, `"${text}" is missing`);
}

export function fail({ kind }: Pick<Reader, "kind">, what: string): ScimError {
  return new ScimError(
    kind,
    `The ${kind === "invalidFilter" ? "filter" : "path"} cannot be read: ${what}`,
  );
}

export function shown(token: Token | undefined): string {
  if (token === undefined) return "its end";
  return String(token.kind === "literal" ? token.value : token.text).slice(
    0,
    100,
  );
}
