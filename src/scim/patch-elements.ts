/** One operation of a PATCH on a multi-valued attribute: on all of it, or on the elements that a filter finds. No I/O. */
import { coerce, identityOf, node, simple } from "./coerce.ts";
import { ScimError } from "./error.ts";
import { isTrueOfElement } from "./evaluate.ts";
import type { Filter } from "./filter.ts";
import { type Change, requireOptional } from "./patch-change.ts";
import { elementsOf, type Node, setAt, type Simple, type Value, valueAt } from "./value.ts";

type Element = Simple | Node;

export function changeElements(change: Change, filter: Filter | null): void {
  const { given: { resource }, place, op } = change;
  const before = elementsOf(valueAt(resource, place));
  const after = op === "remove"
    ? withoutRemoved(change, filter, before)
    : filter === null
    ? withAdded(change, before)
    : withChanged(change, filter, before);
  if (
    change.place.attribute.name === "members" &&
    after.some((each) => (each as Node).value === undefined)
  ) {
    throw new ScimError(
      "invalidValue",
      'A member needs a "value", the id of its resource',
    );
  }
  setAt(resource, place, after as Value);
}

function withoutRemoved(
  { place, value }: Change,
  filter: Filter | null,
  before: readonly Element[],
): Element[] {
  const { sub, attribute } = place;
  const isMeant = (each: Element) => filter === null || isTrueOfElement(filter, each);
  if (sub !== null) {
    return before.map((each) => {
      if (!isMeant(each)) return each;
      const { [sub.name]: _, ...rest } = each as Node;
      return rest;
    }).filter((each) => Object.keys(each).length > 0);
  }
  if (filter === null) {
    requireOptional(place);
    // By the RFC's letter the list beside a path means nothing, and all would go. Entra means these elements alone.
    const named = value === undefined ? undefined : elementsOf(coerce(attribute, value));
    if (named === undefined || value === null) return [];
    return before.filter((each) => !named.some((other) => isSame(each, other)));
  }
  return before.filter((each) => !isMeant(each));
}

/** Whether `named` means this element: it has the same value, and the same type if one is named. */
function isSame(element: Element, named: Element): boolean {
  if (typeof element !== "object" || typeof named !== "object") {
    return element === named;
  }
  return Object.entries(named).every(([key, value]) => key === "$ref" || key === "primary" || element[key] === value);
}

function withAdded(
  change: Change,
  before: readonly Element[],
): readonly Element[] {
  const { op, place: { attribute, sub }, value } = change;
  if (sub !== null) {
    const rest: Node[] = before.length === 0 ? [{}] : [...before as Node[]];
    return settlePrimary(
      rest.map((each) => ({ ...each, [sub.name]: simple(sub, value) })),
      [],
    );
  }
  requireMembers(change);
  const added = elementsOf(coerce(attribute, value));
  if (op === "replace") return settlePrimary(added, []);
  const merged = new Map<string | Simple, Element>();
  for (const each of [...before, ...added]) {
    merged.set(typeof each === "object" ? identityOf(each) : each, each);
  }
  return settlePrimary([...merged.values()], added);
}

/** `[{}]` names nobody, and is a mistake. */
function requireMembers({ place: { attribute }, value }: Change): void {
  if (attribute.name !== "members" || !Array.isArray(value)) return;
  if (
    value.every((each) =>
      typeof each === "string" ||
      typeof (each as Node | null)?.value === "string"
    )
  ) return;
  throw new ScimError(
    "invalidValue",
    'A member needs a "value", the id of its resource',
  );
}

function withChanged(
  change: Change,
  filter: Filter,
  before: readonly Element[],
): readonly Element[] {
  const { place: { attribute, sub }, value } = change;
  const given: Node = sub === null ? node(attribute, value) ?? {} : { [sub.name]: simple(sub, value ?? "") };
  const meant = before.filter((each) => isTrueOfElement(filter, each));
  if (meant.length === 0) {
    const found = sub === null && change.op === "replace" ? null : equalities(filter);
    if (found === null) {
      throw new ScimError(
        "noTarget",
        `No element of "${attribute.name}" matches the path`,
      );
    }
    const made = { ...found, ...given };
    return settlePrimary([...before, made], [made]);
  }
  const changed: Element[] = [];
  const all = before.map((each) => {
    if (!meant.includes(each)) return each;
    const made = { ...each as Node, ...given };
    changed.push(made);
    return made;
  });
  return settlePrimary(all, changed);
}

/** What an element is that the filter would find; null: the filter says more than what is equal. */
function equalities(filter: Filter): Node | null {
  if (
    filter.kind === "compare" && filter.operator === "eq" &&
    filter.place.sub !== null
  ) {
    return { [filter.place.sub.name]: filter.value };
  }
  if (filter.kind !== "and") return null;
  const parts = filter.filters.map(equalities);
  return parts.includes(null) ? null : Object.assign({}, ...parts as Node[]) as Node;
}

/** One that has just become primary takes this from all others. */
function settlePrimary(
  elements: readonly Element[],
  changed: readonly Element[],
): readonly Element[] {
  const now = changed.findLast((each) => typeof each === "object" && each.primary === true);
  if (now === undefined) return elements;
  return elements.map((each) => {
    if (each === now || typeof each !== "object" || each.primary !== true) {
      return each;
    }
    return { ...each, primary: false };
  });
}
