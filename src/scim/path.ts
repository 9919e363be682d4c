/** The paths of PATCH (RFC 7644, section 3.5.2): an attribute, some of its elements, a sub-attribute of those. No I/O. */
import { ScimError } from "./error.ts";
import { type Filter, readInside, subNamed } from "./filter.ts";
import { findNamed, isIn, type Place } from "./names.ts";
import { fail, type Reader, takeMark } from "./reader.ts";
import type { ResourceType, Schema } from "./schema.ts";
import { tokensOf } from "./tokens.ts";

export type Path =
  | {
    readonly kind: "place";
    readonly place: Place;
    /** Which elements of a multi-valued attribute; null: the attribute as a whole. */
    readonly filter: Filter | null;
  }
  | { readonly kind: "extension"; readonly extension: Schema }
  /** Nothing that the hub keeps. */
  | { readonly kind: "ignored" };

const IGNORED: Path = { kind: "ignored" };

export function parsePath(type: ResourceType, text: string): Path {
  const tokens = tokensOf(text, "invalidPath");
  const [first] = tokens;
  if (first?.kind !== "word") {
    throw new ScimError(
      "invalidPath",
      "The path should begin with an attribute's name",
    );
  }
  const found = findNamed(type, first.text);
  if (found.kind === "ignored") return IGNORED;
  if (found.kind === "unknown") {
    throw new ScimError(
      "invalidPath",
      `A ${type.name} has no attribute "${first.text.slice(0, 200)}"`,
    );
  }
  if (found.kind === "extension") {
    if (tokens.length === 1) return found;
    throw new ScimError(
      "invalidPath",
      "An extension as a whole has no elements",
    );
  }
  if (tokens.length === 1) {
    return { kind: "place", place: found.place, filter: null };
  }
  return readElements(type, tokens, found.place);
}

/** `[filter]`, and perhaps `.subAttribute` behind it. */
function readElements(
  type: ResourceType,
  tokens: Reader["tokens"],
  place: Place,
): Path {
  const reader: Reader = {
    tokens,
    kind: "invalidPath",
    find: () =>
      fail(
        { kind: "invalidPath" },
        `a ${type.name} is not searched here`,
      ) as never,
    at: 1,
    depth: 0,
    leaves: 0,
  };
  if (!takeMark(reader, "[")) {
    throw fail(reader, `"[" is missing behind the attribute's name`);
  }
  const filter = readInside(reader, place);
  if (reader.at === tokens.length) return { kind: "place", place, filter };
  if (!takeMark(reader, ".")) throw fail(reader, `"." is missing behind "]"`);
  const sub = tokens[reader.at++];
  if (sub?.kind !== "word" || reader.at < tokens.length) {
    throw fail(reader, "one sub-attribute should be at its end");
  }
  if (isIn(place.attribute.ignored ?? [], sub.text)) return IGNORED;
  return {
    kind: "place",
    place: subNamed(place, sub.text, "invalidPath"),
    filter,
  };
}
