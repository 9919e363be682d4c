/** Filters and paths cut into tokens (RFC 7644, section 3.4.2.2). No I/O. */
import { ScimError, type ScimErrorKind } from "./error.ts";

export type Token =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "literal"; readonly value: string | number }
  | { readonly kind: "mark"; readonly text: "(" | ")" | "[" | "]" | "." };

/** The longest filter or path that is looked at. */
export const MAX_LENGTH = 4_000;
const MAX_TOKENS = 1_000;

/** Each of them matches from where it is applied. A word is an attribute's name with its URN, an operator or a constant. */
const SPACE = /[ \t\r\n]+/y;
const WORD = /[A-Za-z$][\w$:-]*(?:\.[\w$][\w$:-]*)*/y;
const TEXT = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MARK = /[()[\].]/y;

/** Fails with `kind` for what is not of the grammar. */
export function tokensOf(text: string, kind: ScimErrorKind): Token[] {
  if (text.length > MAX_LENGTH) {
    throw new ScimError(kind, `It is longer than ${MAX_LENGTH} characters`);
  }
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const space = cut(SPACE, text, at);
    if (space !== null) {
      at += space.length;
      continue;
    }
    const found = tokenAt(text, at, kind);
    if (found === null) {
      throw new ScimError(
        kind,
        `Character ${at + 1} is not expected: texts stand in quotation marks, as in userName eq "ann@example.com"`,
      );
    }
    if (tokens.push(found.token) > MAX_TOKENS) {
      throw new ScimError(kind, `It has more than ${MAX_TOKENS} parts`);
    }
    at += found.length;
  }
  return tokens;
}

function tokenAt(
  text: string,
  at: number,
  kind: ScimErrorKind,
): { token: Token; length: number } | null {
  const word = cut(WORD, text, at);
  if (word !== null) {
    return { token: { kind: "word", text: word }, length: word.length };
  }
  const quoted = cut(TEXT, text, at);
  if (quoted !== null) {
    return {
      token: { kind: "literal", value: unquote(quoted, kind) },
      length: quoted.length,
    };
  }
  const number = cut(NUMBER, text, at);
  if (number !== null) {
    return {
      token: { kind: "literal", value: Number(number) },
      length: number.length,
    };
  }
  const mark = cut(MARK, text, at);
  return mark === null ? null : { token: { kind: "mark", text: mark as "(" }, length: mark.length };
}

function cut(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** Texts follow the rules of JSON. */
function unquote(quoted: string, kind: ScimErrorKind): string {
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw new ScimError(kind, "A quoted text is not valid JSON", { cause });
  }
}
