/** Settings that a JSON Schema seems to accept, to try a connector with before anybody has a connection of it. Pure. */

type Schema = Readonly<Record<string, unknown>>;

/** None may be valid: a JSON Schema cannot say everything. The first has all required properties and nothing else. */
export function sampleSettings(schema: Schema): Record<string, unknown>[] {
  const forms = [schema.anyOf, schema.oneOf].find(Array.isArray) as Schema[] | undefined;
  if (schema.type !== "object" && forms !== undefined) return forms.flatMap(sampleSettings);
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const required = new Set(schema.required as readonly string[] | undefined);
  const base = Object.fromEntries(
    properties.filter(([name]) => required.has(name)).map(([name, property]) => [name, sampleOf(property)]),
  );
  const all = { ...Object.fromEntries(properties.map(([name, property]) => [name, sampleOf(property)])), ...base };
  // Each choice by itself: often one of them decides how requests are authorized.
  const choices = properties.flatMap(([name, { enum: values }]) =>
    Array.isArray(values) ? values.flatMap((value) => [{ ...base, [name]: value }, { ...all, [name]: value }]) : []
  );
  return [base, all, ...choices];
}

function sampleOf(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  switch (schema.type) {
    case "string":
      return schema.format === "uri" ? "https://source.example.com" : "example";
    case "integer":
    case "number":
      return schema.minimum ?? 1;
    case "boolean":
      return false;
    case "array":
      return schema.minItems === undefined ? [] : [sampleOf((schema.items ?? {}) as Schema)];
    case "object":
      return sampleSettings(schema)[0];
    default:
      return "example";
  }
}
