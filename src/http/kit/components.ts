/**
 * Parts of the document that operations have in common: each is stored once, under a name, and referred to.
 *
 * No I/O. No clock.
 */
import type { JsonSchema } from "./json-schema.ts";

type Kind = "parameters" | "headers" | "responses" | "requestBodies" | "examples";

/** Collects the components of one kind. */
export function createShared(kind: Kind) {
  const parts: Record<string, JsonSchema> = {};

  /** A reference to the part. Throws if another part has the name already: that is a mistake in the routes. */
  function share(name: string, part: JsonSchema): JsonSchema {
    const known = parts[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(part)) {
      throw new Error(`Two ${kind} of the document have the name "${name}": one of them needs another`);
    }
    parts[name] ??= part;
    return { $ref: `#/components/${kind}/${name}` };
  }

  return { parts, share };
}

/** Replaces each part that occurs more than once by a reference. `nameOf` names it; null leaves it where it is. */
export function shareRepeated<Part extends JsonSchema>(
  lists: readonly (Record<string, Part> | Part[])[],
  { parts, share }: ReturnType<typeof createShared>,
  nameOf: (part: Part, key: string) => string | null,
): void {
  const counts = new Map<string, number>();
  for (const part of lists.flatMap((list) => Object.values(list))) {
    const text = JSON.stringify(part);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const list of lists) {
    for (const [key, part] of Object.entries(list)) {
      if (part.$ref !== undefined || counts.get(JSON.stringify(part)) === 1) continue;
      const name = nameOf(part, key);
      if (name !== null) (list as Record<string, Part>)[key] = share(freeName(name, part), part) as Part;
    }
  }

  /** The name, with a number if another part has it already. */
  function freeName(name: string, part: Part): string {
    const isFree = (each: string) => parts[each] === undefined || JSON.stringify(parts[each]) === JSON.stringify(part);
    for (let n = 1;; n++) {
      const each = n === 1 ? name : `${name}.${n}`;
      if (isFree(each)) return each;
    }
  }
}
