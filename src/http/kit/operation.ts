/**
 * One operation of the document, from what its middleware and its route describe.
 *
 * No I/O. No clock.
 */
import type { z } from "zod";
import type { Facts } from "./describe.ts";
import type { JsonSchema } from "./json-schema.ts";
import { contentOf, headersOf, type Parts, schemaName } from "./parts.ts";
import { pathParametersOf } from "./path-parameters.ts";
import { refusalsOf } from "./refusals.ts";

export interface Operation extends JsonSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters: JsonSchema[];
  readonly requestBody?: JsonSchema;
  readonly responses: Record<string, JsonSchema>;
}

const TAGS: Readonly<Record<string, string>> = {
  organization: "Organizations",
  audit: "Audit",
  changes: "Changes",
  uploads: "Drops",
  "run-days": "Runs",
  templates: "Connections",
  connectors: "Connections",
};
export const HUB = "The hub";
export const LINKS = "Signed links";

/** `path` as the application has it, such as `/v1/runs/:id`. */
export function operationOf(parts: Parts, path: string, facts: Facts): Operation {
  const inPath = pathParametersOf(path);
  const codes = new Set([
    ...facts.faults ?? [],
    ...(facts.headers ?? []).flatMap((header) => header.faults ?? []),
    ...(inPath.length > 0 && !facts.pages && !facts.hides ? ["not_found" as const] : []),
  ]);
  const isPublic = facts.token === undefined;
  return {
    operationId: facts.operationId!,
    summary: facts.summary!,
    ...(facts.description === undefined ? {} : { description: facts.description }),
    tags: [facts.tag ?? tagOf(path)],
    // An empty list means that no credentials are needed.
    security: isPublic ? [] : [{ token: facts.token }],
    parameters: [
      ...inPath.map(({ name, component, description }) =>
        parts.parameters.share(component, { name, in: "path", description, required: true, schema: { type: "string" } })
      ),
      ...queryOf(parts, facts.query),
      ...(facts.headers ?? []).map(({ name, description, schema }) =>
        parts.parameters.share(name, { name, in: "header", description, schema: parts.components.add(schema, "input") })
      ),
    ],
    ...(facts.body === undefined ? {} : { requestBody: bodyOf(parts, facts.body) }),
    responses: {
      ...answersOf(parts, facts),
      ...refusalsOf(parts, codes, { around: facts.answerHeaders ?? {}, isPublic }),
    },
  };
}

function queryOf({ components }: Parts, query: z.ZodType | undefined): JsonSchema[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = components.add(query, "input") as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    ...(description === undefined ? {} : { description }),
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }));
}

/** A body whose schema has a name is shared under it. */
function bodyOf(parts: Parts, { required, content }: NonNullable<Facts["body"]>): JsonSchema {
  const body = { required, content: contentOf(parts, content, "input") };
  const [media] = Object.values(body.content) as { schema: JsonSchema }[];
  const name = schemaName(media!.schema);
  return name === null ? body : parts.bodies.share(name, body);
}

function answersOf(parts: Parts, { answers = {}, answerHeaders = {} }: Facts): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, content, headers = {} }]) => [status, {
      description: description ?? (status === "201" ? "Created" : status === "202" ? "Accepted" : "OK"),
      headers: headersOf(parts, { ...answerHeaders, ...headers }),
      ...(content === undefined ? {} : { content: contentOf(parts, content, "output") }),
    }]),
  );
}

function tagOf(path: string): string {
  const part = /^\/v1\/([\w-]+)/.exec(path)?.[1];
  if (/^\/(r|reports)\//.test(path)) return LINKS;
  if (part === undefined) return HUB;
  const name = part.replaceAll("-", " ");
  return TAGS[part] ?? name[0]!.toUpperCase() + name.slice(1);
}
