/**
 * The OpenAPI 3.1 document, made by walking the application's own routes and asking each middleware what it tells.
 *
 * A route that describes nothing is named, so that a test can refuse it. No I/O. No clock.
 */
import type { Hono } from "hono";
import { z } from "zod";
import { createShared, shareRepeated } from "./components.ts";
import { type AnswerHeader, type Content, type Facts, factsOf } from "./describe.ts";
import type { Env } from "./env.ts";
import { createComponents, exampleOf, type JsonSchema } from "./json-schema.ts";
import { pathParametersOf } from "./path-parameters.ts";
import { PROBLEM } from "./problem.ts";
import { refusalsOf } from "./refusals.ts";

/** An event that endpoints can be sent, with its body. */
export interface EventShape {
  readonly type: string;
  readonly summary: string;
  readonly description: string;
  readonly body: z.ZodType;
}

export interface Document extends JsonSchema {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Readonly<Record<string, Record<string, JsonSchema>>> & {
    readonly schemas: Record<string, JsonSchema>;
  };
}

export interface Operation extends JsonSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters: JsonSchema[];
  readonly requestBody?: JsonSchema;
  readonly responses: Record<string, JsonSchema>;
}

const INFO = {
  title: "Muster",
  version: "1",
  summary: "Keeps an organization's people in step with the systems that know them",
  description: [
    "JSON in `snake_case`, with instants in UTC as ISO 8601. Answers may gain fields; requests with unknown fields are",
    "refused. Errors are problem details (RFC 9457) with a stable `code`, whose help page is the `type`. Every answer has",
    "`X-Request-Id`. An unknown method is answered with 405 and `Allow`.",
  ].join(" "),
  license: { name: "MIT", identifier: "MIT" },
};

const TOKEN = {
  type: "http",
  scheme: "bearer",
  description:
    "`Authorization: Bearer mus_…`. Each operation names the scope that its token needs; `admin` includes every scope " +
    "of one organization. An operator's token acts in the organization that `Muster-Organization` names.",
};

const TAGS: Readonly<Record<string, string>> = {
  organization: "Organizations",
  audit: "Audit",
  changes: "Changes",
  uploads: "Drops",
  templates: "Connections",
  connectors: "Connections",
};
const HUB = "The hub";
const LINKS = "Signed links";

/** What stands under a heading, where its name does not say all of it. */
const ABOUT: Readonly<Record<string, string>> = {
  [HUB]: "Health, metrics, help pages and this document",
  [LINKS]: "Pages behind the signed links in mails and events, which need no token",
  Connections: "Where people come from, and how their inputs are read, guarded and applied",
  Drops: "Inputs, uploaded whole or in parts",
  Runs: "What an input led to: its plan, issues and changes",
  Changes: "Everything that was applied, in order: the pull twin of the events",
  Events: "Bodies sent to webhook endpoints, signed as Standard Webhooks",
};

/** The document of all routes that describe themselves, and the names of those that do not. */
export function createDocument(
  app: Hono<Env>,
  { serverUrl, events = [] }: { serverUrl: string; events?: readonly EventShape[] },
): { document: Document; undescribed: string[] } {
  const components = createComponents();
  const headers = createShared("headers");
  const responses = createShared("responses");
  const parameters = createShared("parameters");
  const bodies = createShared("requestBodies");
  const examples = createShared("examples");
  const problem = components.add(PROBLEM, "output");
  const paths: Document["paths"] = {};
  const undescribed: string[] = [];
  const tags = new Set<string>();
  const shared = { problem, headersOf, responses, examples };

  for (const [name, facts] of routesOf(app)) {
    const [method, path] = name.split(" ") as [string, string];
    if (facts.operationId === undefined) undescribed.push(name);
    else (paths[path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")] ??= {})[method.toLowerCase()] = operationOf(path, facts);
  }
  const operations = Object.values(paths).flatMap((each) => Object.values(each));
  shareRepeated(operations.map((operation) => operation.responses), responses, nameOfAnswer);
  shareRepeated(operations.map((operation) => operation.parameters), parameters, ({ name }) => String(name));

  function operationOf(path: string, facts: Facts): Operation {
    const tag = facts.tag ?? tagOf(path);
    tags.add(tag);
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
      tags: [tag],
      // Without a scheme there is nothing to send, and none is asked for.
      security: isPublic ? [] : [{ token: facts.token }],
      parameters: [
        ...inPath.map(({ name, component, description }) =>
          parameters.share(component, { name, in: "path", description, required: true, schema: { type: "string" } })
        ),
        ...queryOf(facts.query),
        ...(facts.headers ?? []).map(({ name, description, schema }) =>
          parameters.share(name, { name, in: "header", description, schema: components.add(schema, "input") })
        ),
      ],
      ...(facts.body === undefined ? {} : { requestBody: bodyOf(facts.body) }),
      responses: {
        ...answersOf(facts),
        ...refusalsOf(codes, { around: facts.answerHeaders ?? {}, isPublic }, shared),
      },
    };
  }

  function queryOf(query: z.ZodType | undefined): JsonSchema[] {
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

  /** A body that has a schema of its own name is shared. */
  function bodyOf({ required, content }: NonNullable<Facts["body"]>): JsonSchema {
    const body = { required, content: contentOf(content, "input") };
    const [media] = Object.values(body.content) as { schema: JsonSchema }[];
    const name = schemaName(media!.schema);
    return name === null ? body : bodies.share(name, body);
  }

  function contentOf(content: Content, io: "input" | "output"): JsonSchema {
    return Object.fromEntries(
      Object.entries(content).map(([type, schema]) => {
        const shown = components.add(schema, io);
        return [type, { schema: shown, ...exampleIn(shown, io) }];
      }),
    );
  }

  /** An example of a shared schema is shared too; an answer made of such schemas needs none, as they bring theirs. */
  function exampleIn(schema: JsonSchema, io: "input" | "output"): JsonSchema {
    if (schema.format === "binary") return {};
    if (io === "output" && schema.$ref === undefined && JSON.stringify(schema).includes('"$ref"')) return {};
    const example = exampleOf(schema, components.schemas);
    const name = schemaName(schema);
    return name === null ? { example } : { examples: { [name]: examples.share(name, { value: example }) } };
  }

  function answersOf({ answers = {}, answerHeaders = {} }: Facts): Record<string, JsonSchema> {
    return Object.fromEntries(
      Object.entries(answers).map(([status, { description, content, headers = {} }]) => [status, {
        description: description ?? (status === "201" ? "Created" : status === "202" ? "Accepted" : "OK"),
        headers: headersOf({ ...answerHeaders, ...headers }),
        ...(content === undefined ? {} : { content: contentOf(content, "output") }),
      }]),
    );
  }

  function headersOf(named: Readonly<Record<string, AnswerHeader>>): JsonSchema {
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

  const webhooks = Object.fromEntries(events.map(({ type, summary, description, body }) => [type, {
    post: {
      operationId: type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase()),
      summary,
      description,
      tags: ["Events"],
      security: [],
      requestBody: { required: true, content: contentOf({ "application/json": body }, "output") },
      responses: {
        "2XX": { description: "Received; any other status is retried" },
        "410": { description: "Disable the endpoint" },
      },
    },
  }]));
  if (events.length > 0) tags.add("Events");

  const document: Document = {
    openapi: "3.1.1",
    info: INFO,
    servers: [{ url: serverUrl }],
    tags: [...tags].map((name) => ({ name, description: ABOUT[name] ?? `Read and change ${name.toLowerCase()}` })),
    paths,
    ...(events.length > 0 ? { webhooks } : {}),
    components: {
      securitySchemes: { token: TOKEN },
      schemas: components.schemas,
      parameters: parameters.parts,
      headers: headers.parts,
      requestBodies: bodies.parts,
      responses: responses.parts,
      examples: examples.parts,
    },
  };
  return { document, undescribed };
}

/** Routes as `METHOD path`, each with the facts of its middleware and its own. */
function routesOf(app: Hono<Env>): Map<string, Facts> {
  const routes = new Map<string, Facts>();
  const before = app.routes.filter(({ method }) => method === "ALL");
  for (const { method, path, handler } of app.routes) {
    if (method === "ALL") continue;
    const name = `${method} ${path}`;
    const around = routes.has(name) ? [] : before.filter((each) => reaches(each.path, path));
    const facts = [...around.map((each) => factsOf(each.handler)), factsOf(handler)]
      .filter(({ methods }) => methods?.includes(method) ?? true);
    routes.set(name, [routes.get(name) ?? {}, ...facts].reduce(merge));
  }
  return routes;
}

function reaches(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === "/*") return true;
  return pattern.endsWith("/*") ? `${path}/`.startsWith(pattern.slice(0, -1)) : pattern === path;
}

function merge(one: Facts, other: Facts): Facts {
  return {
    ...one,
    ...other,
    token: one.token === undefined && other.token === undefined
      ? undefined
      : [...one.token ?? [], ...other.token ?? []],
    headers: [...one.headers ?? [], ...other.headers ?? []],
    answers: { ...one.answers, ...other.answers },
    answerHeaders: { ...one.answerHeaders, ...other.answerHeaders },
    faults: [...one.faults ?? [], ...other.faults ?? []],
  };
}

/** Repeated answers are named by their schema and status; null: the schema has no name of its own. */
function nameOfAnswer(answer: JsonSchema, status: string): string | null {
  const [media] = Object.values(answer.content as Record<string, { schema: JsonSchema }> | undefined ?? {});
  const held = media === undefined ? "Nothing" : schemaName(media.schema);
  if (held === null) return null;
  return [held, status, ..."Idempotency-Replayed" in (answer.headers as object) ? ["replayable"] : []].join(".");
}

/** The name of a shared schema; null for one that is written out. */
function schemaName({ $ref }: JsonSchema): string | null {
  return typeof $ref === "string" ? $ref.split("/").at(-1)! : null;
}

function tagOf(path: string): string {
  const part = /^\/v1\/([\w-]+)/.exec(path)?.[1];
  if (/^\/(r|reports)\//.test(path)) return LINKS;
  if (part === undefined) return HUB;
  const name = part.replaceAll("-", " ");
  return TAGS[part] ?? name[0]!.toUpperCase() + name.slice(1);
}
