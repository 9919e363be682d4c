/**
 * The parts of a document that its operations share, and what is made of them: headers, and content with examples.
 *
 * No I/O. No clock.
 */
import { createShared } from "./components.ts";
import type { AnswerHeader, Content } from "./describe.ts";
import { createComponents, exampleOf, type JsonSchema } from "./json-schema.ts";
import { PROBLEM } from "./problem.ts";

export type Parts = ReturnType<typeof createParts>;

export function createParts() {
  const components = createComponents();
  return {
    components,
    /** The schema of problem details. */
    problem: components.add(PROBLEM, "output"),
    headers: createShared("headers"),
    responses: createShared("responses"),
    parameters: createShared("parameters"),
    bodies: createShared("requestBodies"),
    examples: createShared("examples"),
  };
}

export function headersOf(
  { headers, components }: Parts,
  named: Readonly<Record<string, AnswerHeader>>,
): JsonSchema {
  return Object.fromEntries(
    Object.entries(named).map(([name, { component = name, description, schema, optional }]) => [
      name,
      headers.share(component, {
        description,
        ...(optional ? {} : { required: true }),
        schema: components.add(schema, "output"),
      }),
    ]),
  );
}

export function contentOf(parts: Parts, content: Content, io: "input" | "output"): JsonSchema {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => {
      const shown = parts.components.add(schema, io);
      return [type, { schema: shown, ...exampleIn(parts, shown, io) }];
    }),
  );
}

/**
 * An example of a shared schema is shared too. A schema that has an example of its own needs none, nor does an answer that
 * is made of shared schemas: they have theirs.
 */
function exampleIn({ components, examples }: Parts, schema: JsonSchema, io: "input" | "output"): JsonSchema {
  if (schema.format === "binary") return {};
  const name = schemaName(schema);
  const written = name === null ? schema : components.schemas[name]!;
  if (Array.isArray(written.examples)) return {};
  if (io === "output" && JSON.stringify(written).includes('"$ref"')) return {};
  const example = exampleOf(schema, components.schemas);
  return name === null ? { example } : { examples: { [name]: examples.share(name, { value: example }) } };
}

/** The name of a shared schema; null for one that is written out. */
export function schemaName({ $ref }: JsonSchema): string | null {
  return typeof $ref === "string" ? $ref.split("/").at(-1)! : null;
}
