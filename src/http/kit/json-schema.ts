/**
 * Schemas of the document: those that have an id become components, which others refer to.
 *
 * No I/O. No clock.
 */
import { z } from "zod";

export type JsonSchema = { [key: string]: unknown };

const DEFS = "#/$defs/";
const COMPONENTS = "#/components/schemas/";

/** Formats that make zod's pattern for them redundant. */
const KNOWN_FORMATS: ReadonlySet<unknown> = new Set(["date-time", "email", "date"]);

/** Collects the components of a document. */
export function createComponents() {
  const schemas: Record<string, JsonSchema> = {};

  /**
   * The schema of a request (`input`) or an answer (`output`). Objects of answers are open, as they may get more
   * fields; those of requests are closed, as unknown fields are refused.
   */
  function add(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    const whole = z.toJSONSchema(z.object({ it: schema }), {
      io,
      unrepresentable: "any",
      override: ({ jsonSchema }) => tidy(jsonSchema as JsonSchema, io),
    }) as JsonSchema;
    for (const [id, definition] of Object.entries(whole.$defs ?? {})) {
      const component = refer(definition) as JsonSchema;
      const known = schemas[id];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(component)) {
        throw new Error(`Two schemas have the id "${id}": one of them should have another`);
      }
      schemas[id] = component;
    }
    return refer((whole.properties as Record<string, JsonSchema>).it) as JsonSchema;
  }

  return { schemas, add };
}

function tidy(schema: JsonSchema, io: "input" | "output"): void {
  if (io === "output" && schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (KNOWN_FORMATS.has(schema.format)) delete schema.pattern;
  // Names in JSON are texts anyway, and without a word about them further properties may be anything.
  if (isJson(schema.propertyNames, '{"type":"string"}')) delete schema.propertyNames;
  if (isJson(schema.additionalProperties, "{}")) delete schema.additionalProperties;
  delete schema.readOnly;
  delete schema.id;
}

function isJson(value: unknown, text: string): boolean {
  return JSON.stringify(value) === text;
}

/** Turns references to definitions into references to components. */
function refer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refer);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === "$ref" && typeof each === "string" && each.startsWith(DEFS)
        ? COMPONENTS + each.slice(DEFS.length)
        : refer(each),
    ]),
  );
}

/** A value that the schema allows: its own example, or one made of its parts. */
export function exampleOf(schema: JsonSchema, components: Readonly<Record<string, JsonSchema>>): unknown {
  if (Array.isArray(schema.examples)) return schema.examples[0];
  if (typeof schema.$ref === "string") {
    return exampleOf(components[schema.$ref.slice(COMPONENTS.length)]!, components);
  }
  for (const key of ["const", "default"]) if (key in schema) return schema[key];
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choices = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (choices) return exampleOf(choices[0]!, components);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties as Record<string, JsonSchema> | undefined ?? {})
          .filter(([name]) => (schema.required as string[] | undefined)?.includes(name))
          .map(([name, property]) => [name, exampleOf(property, components)]),
      );
    case "array":
      return [exampleOf(schema.items as JsonSchema, components)];
    case "string":
      return schema.format === "date-time" ? "2026-03-02T08:00:00.000Z" : "text";
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return true;
    default:
      return null;
  }
}
