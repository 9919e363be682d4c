/** What a list is asked for: by the query of a GET, or by the body of a POST to `.search` (RFC 7644, section 3.4). */
import type { Context } from "hono";
import { ScimError } from "../../scim/error.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "../../scim/discovery.ts";
import { type Projection, readProjection } from "../../scim/project.ts";
import type { ResourceType } from "../../scim/schema.ts";
import type { Env } from "../kit/env.ts";

export interface ListQuery {
  readonly filter: string | null;
  readonly sortBy: string | null;
  readonly isDescending: boolean;
  /** From 1. */
  readonly startIndex: number;
  readonly count: number;
  /** Null: pages go by index; an empty text: the first page by cursor. */
  readonly cursor: string | null;
  readonly attributes: string[] | null;
  readonly excluded: string[] | null;
}

export function listQueryOf(c: Context<Env>): ListQuery {
  return readQuery(c.req.query());
}

/** The body of a SearchRequest has the same names. Unknown ones are ignored, as the RFC wants it. */
export function searchQueryOf(body: unknown): ListQuery {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ScimError("invalidSyntax", "The body should be a SearchRequest");
  }
  return readQuery(body as Record<string, unknown>);
}

function readQuery(given: Readonly<Record<string, unknown>>): ListQuery {
  const text = (name: string) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null) return null;
    if (typeof value === "string") return value;
    throw new ScimError("invalidValue", `"${name}" should be a text`);
  };
  const filter = text("filter");
  return {
    filter: filter === null || filter.trim() === "" ? null : filter,
    sortBy: text("sortBy"),
    isDescending: text("sortOrder")?.toLowerCase() === "descending",
    startIndex: Math.max(1, wholeNumber(given, "startIndex") ?? 1),
    count: Math.min(MAX_PAGE, Math.max(0, wholeNumber(given, "count") ?? DEFAULT_PAGE)),
    cursor: text("cursor"),
    attributes: namesOf(given, "attributes"),
    excluded: namesOf(given, "excludedAttributes"),
  };
}

function wholeNumber(given: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === undefined || value === null || value === "") return null;
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  throw new ScimError("invalidValue", `"${name}" should be a whole number`);
}

/** Names come with commas between them, or as a list. */
function namesOf(given: Readonly<Record<string, unknown>>, name: string): string[] | null {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  const names = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value.map(String) : [];
  const known = names.map((each) => each.trim()).filter((each) => each !== "");
  return known.length === 0 ? null : known;
}

/** What the answer to any request shows, by its query. */
export function projectionOf(c: Context<Env>, type: ResourceType): Projection {
  const { attributes, excluded } = listQueryOf(c);
  return readProjection(type, attributes, excluded);
}
