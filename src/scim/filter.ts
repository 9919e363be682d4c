/**
 * Filters (RFC 7644, section 3.4.2.2): a text becomes a tree whose leaves name attributes of the schema, with values of
 * their types. What the grammar or the schema does not have fails with invalidFilter, and never means "everything". No I/O.
 */
import { toBoolean } from "./coerce.ts";
import { ScimError, type ScimErrorKind } from "./error.ts";
import { byName, findNamed, type Place } from "./names.ts";
import type { Attribute, ResourceType } from "./schema.ts";
import { expectMark, fail, isMark, isWord, peek, type Reader, shown, takeMark, takeWord } from "./reader.ts";
import { type Token, tokensOf } from "./tokens.ts";

export const OPERATORS = [
  "eq",
  "ne",
  "co",
  "sw",
  "ew",
  "gt",
  "ge",
  "lt",
  "le",
] as const;
export type Operator = (typeof OPERATORS)[number];

/** A leaf. Instants are compared as milliseconds since 1970. */
export interface Comparison {
  readonly kind: "compare";
  readonly place: Place;
  readonly operator: Operator;
  readonly value: string | number | boolean;
}

export type Filter =
  | { readonly kind: "and" | "or"; readonly filters: readonly Filter[] }
  | { readonly kind: "not"; readonly filter: Filter }
  | { readonly kind: "present"; readonly place: Place }
  /** One element of the attribute for which all of the filter is true; its leaves are sub-attributes. */
  | { readonly kind: "some"; readonly place: Place; readonly filter: Filter }
  | Comparison;

const MAX_DEPTH = 20;
const MAX_LEAVES = 100;

/** The filter that the text means for resources of the type. */
export function parseFilter(type: ResourceType, text: string): Filter {
  const reader: Reader = {
    tokens: tokensOf(text, "invalidFilter"),
    kind: "invalidFilter",
    find: (name) => placeNamed(type, name, "invalidFilter"),
    at: 0,
    depth: 0,
    leaves: 0,
  };
  const filter = readOr(reader);
  if (reader.at < reader.tokens.length) {
    throw fail(reader, `"${shown(peek(reader))}" is not expected`);
  }
  return filter;
}

/** The place with this name; fails with `kind` if the hub has none. */
export function placeNamed(
  type: ResourceType,
  name: string,
  kind: ScimErrorKind,
): Place {
  const found = findNamed(type, name);
  if (found.kind === "place") return found.place;
  throw new ScimError(
    kind,
    `A ${type.name} has no attribute "${name.slice(0, 200)}"`,
  );
}

export function readOr(reader: Reader): Filter {
  if (++reader.depth > MAX_DEPTH) {
    throw fail(reader, `it is nested more than ${MAX_DEPTH} deep`);
  }
  const filters = [readAnd(reader)];
  while (takeWord(reader, "or")) filters.push(readAnd(reader));
  reader.depth--;
  return filters.length === 1 ? filters[0]! : { kind: "or", filters };
}

function readAnd(reader: Reader): Filter {
  const filters = [readTerm(reader)];
  while (takeWord(reader, "and")) filters.push(readTerm(reader));
  return filters.length === 1 ? filters[0]! : { kind: "and", filters };
}

function readTerm(reader: Reader): Filter {
  if (takeMark(reader, "(")) {
    const filter = readOr(reader);
    expectMark(reader, ")");
    return filter;
  }
  if (
    isWord(peek(reader), "not") && isMark(reader.tokens[reader.at + 1], "(")
  ) {
    reader.at += 2;
    const filter = readOr(reader);
    expectMark(reader, ")");
    return { kind: "not", filter };
  }
  return readLeaf(reader);
}

function readLeaf(reader: Reader): Filter {
  if (++reader.leaves > MAX_LEAVES) {
    throw fail(reader, `it has more than ${MAX_LEAVES} comparisons`);
  }
  const token = reader.tokens[reader.at++];
  if (token?.kind !== "word") {
    throw fail(reader, "the name of an attribute is missing");
  }
  const place = reader.find(token.text);
  if (takeMark(reader, "[")) return readValuePath(reader, place);
  const operator = readOperator(reader);
  return operator === "pr" ? { kind: "present", place } : readComparison(reader, place, operator);
}

/** `emails[type eq "work"]`, and what Entra makes of it: `emails[type eq "work"].value eq "ann@example.com"`. */
function readValuePath(reader: Reader, place: Place): Filter {
  const filter = readInside(reader, place);
  if (!takeMark(reader, ".")) return { kind: "some", place, filter };
  const token = reader.tokens[reader.at++];
  if (token?.kind !== "word") {
    throw fail(reader, "the name of a sub-attribute is missing");
  }
  const sub = subNamed(place, token.text, reader.kind);
  const operator = readOperator(reader);
  const last: Filter = operator === "pr" ? { kind: "present", place: sub } : readComparison(reader, sub, operator);
  return {
    kind: "some",
    place,
    filter: { kind: "and", filters: [filter, last] },
  };
}

/** What is between the brackets, up to and with the closing one. Its names are those of sub-attributes. */
export function readInside(reader: Reader, place: Place): Filter {
  if (place.attribute.type !== "complex" || place.sub !== null) {
    throw fail(reader, `"${place.attribute.name}" has no sub-attributes`);
  }
  const inside: Reader = {
    ...reader,
    find: (name) => subNamed(place, name, reader.kind),
  };
  const filter = readOr(inside);
  expectMark(inside, "]");
  reader.at = inside.at;
  reader.leaves = inside.leaves;
  return filter;
}

export function subNamed(
  place: Place,
  name: string,
  kind: ScimErrorKind,
): Place {
  const sub = byName(place.attribute.subAttributes ?? [], name);
  if (sub === null) {
    throw new ScimError(
      kind,
      `"${place.attribute.name}" has no "${name.slice(0, 200)}"`,
    );
  }
  return { ...place, sub };
}

function readOperator(reader: Reader): Operator | "pr" {
  const token = reader.tokens[reader.at++];
  const name = token?.kind === "word" ? token.text.toLowerCase() : "";
  if (name === "pr" || (OPERATORS as readonly string[]).includes(name)) {
    return name as Operator | "pr";
  }
  throw fail(
    reader,
    `"${shown(token)}" is not an operator: it should be ${OPERATORS.join(", ")} or pr`,
  );
}

function readComparison(
  reader: Reader,
  named: Place,
  operator: Operator,
): Filter {
  const place = leafOf(reader, named);
  const token = reader.tokens[reader.at++];
  const literal = token?.kind === "literal" ? token.value : constantOf(token);
  if (literal === undefined) {
    throw fail(
      reader,
      `"${shown(token)}" is not a value: a text needs double quotes`,
    );
  }
  if (literal === null) {
    if (operator === "eq") {
      return { kind: "not", filter: { kind: "present", place } };
    }
    if (operator === "ne") return { kind: "present", place };
    throw fail(reader, `null cannot be compared with "${operator}"`);
  }
  return {
    kind: "compare",
    place,
    operator,
    value: typed(reader, place, operator, literal),
  };
}

/** A complex attribute is compared by its `value`. */
function leafOf(reader: Reader, place: Place): Place {
  if (place.sub !== null || place.attribute.type !== "complex") return place;
  const value = byName(place.attribute.subAttributes ?? [], "value");
  if (value === null) {
    throw fail(
      reader,
      `"${place.attribute.name}" needs a sub-attribute to compare`,
    );
  }
  return { ...place, sub: value };
}

function constantOf(token: Token | undefined): boolean | null | undefined {
  const text = token?.kind === "word" ? token.text.toLowerCase() : "";
  return text === "true" ? true : text === "false" ? false : text === "null" ? null : undefined;
}

/** The value in the attribute's type. */
function typed(
  reader: Reader,
  place: Place,
  operator: Operator,
  value: string | number | boolean,
): Comparison["value"] {
  const { name, type } = place.sub ?? place.attribute;
  const isOrder = operator !== "eq" && operator !== "ne";
  if (type === "boolean") {
    const made = toBoolean(value);
    if (made !== null && !isOrder) return made;
    throw fail(reader, `"${name}" is compared by eq or ne with true or false`);
  }
  const isPart = operator === "co" || operator === "sw" || operator === "ew";
  if (type === "integer" || type === "decimal") {
    if (typeof value === "number" && !isPart) return value;
    throw fail(reader, `"${name}" is compared with a number`);
  }
  if (typeof value !== "string") {
    throw fail(reader, `"${name}" is compared with a text in double quotes`);
  }
  if (type !== "dateTime") return value;
  const ms = Date.parse(value);
  if (!Number.isNaN(ms) && !isPart) return ms;
  throw fail(
    reader,
    `"${name}" is compared with an instant, like "2026-03-02T08:00:00Z"`,
  );
}

/** Whether an attribute's texts are compared by their exact letters. */
export function isExact({ caseExact, type }: Attribute): boolean {
  return caseExact || type === "reference";
}
