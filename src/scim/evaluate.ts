/** Whether a filter is true of a resource, or of one element of an attribute. No I/O. */
import { type Comparison, type Filter, isExact, type Operator } from "./filter.ts";
import { foldText } from "./fold.ts";
import type { Place } from "./names.ts";
import { elementsOf, type Node, own, type Resource, type Simple, valueAt } from "./value.ts";

export function isTrueOf(filter: Filter, resource: Resource): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.every((each) => isTrueOf(each, resource));
    case "or":
      return filter.filters.some((each) => isTrueOf(each, resource));
    case "not":
      return !isTrueOf(filter.filter, resource);
    case "some":
      return elementsOf(valueAt(resource, filter.place)).some((each) => isTrueOfElement(filter.filter, each));
    case "present":
      return elementsOf(valueAt(resource, filter.place)).some((each) => isPresent(each, filter.place));
    case "compare": {
      const values = elementsOf(valueAt(resource, filter.place)).map((each) => partOf(each, filter.place));
      return isTrueOfValues(filter, values);
    }
  }
}

/** `element`: one of a complex attribute's values; the filter's leaves are its sub-attributes. */
export function isTrueOfElement(
  filter: Filter,
  element: Simple | Node,
): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.every((each) => isTrueOfElement(each, element));
    case "or":
      return filter.filters.some((each) => isTrueOfElement(each, element));
    case "not":
      return !isTrueOfElement(filter.filter, element);
    case "some":
      return false;
    case "present":
      return isPresent(element, filter.place);
    case "compare":
      return isTrueOfValues(filter, [partOf(element, filter.place)]);
  }
}

function partOf(element: Simple | Node, { sub }: Place): Simple | undefined {
  if (sub === null) return typeof element === "object" ? undefined : element;
  return typeof element === "object" ? own(element, sub.name) : undefined;
}

function isPresent(element: Simple | Node, place: Place): boolean {
  if (place.sub === null && typeof element === "object") {
    return Object.values(element).some((each) => each !== "");
  }
  const value = partOf(element, place);
  return value !== undefined && value !== "";
}

/** Something that has no value differs from every value. */
function isTrueOfValues(
  comparison: Comparison,
  values: readonly (Simple | undefined)[],
): boolean {
  const known = values.filter((each) => each !== undefined);
  if (known.length === 0) return comparison.operator === "ne";
  return known.some((each) => compare(comparison, each));
}

function compare(
  { place, operator, value }: Comparison,
  found: Simple,
): boolean {
  const attribute = place.sub ?? place.attribute;
  if (attribute.type === "dateTime") {
    return ordered(operator, Date.parse(String(found)), value as number);
  }
  if (typeof value !== "string" || typeof found !== "string") {
    return ordered(operator, found, value);
  }
  const [left, right] = isExact(attribute) ? [found, value] : [foldText(found), foldText(value)];
  switch (operator) {
    case "co":
      return left.includes(right);
    case "sw":
      return left.startsWith(right);
    case "ew":
      return left.endsWith(right);
    default:
      return ordered(operator, left, right);
  }
}

function ordered(operator: Operator, left: Simple, right: Simple): boolean {
  switch (operator) {
    case "eq":
      return left === right;
    case "ne":
      return left !== right;
    case "gt":
      return left > right;
    case "ge":
      return left >= right;
    case "lt":
      return left < right;
    case "le":
      return left <= right;
    default:
      return false;
  }
}
