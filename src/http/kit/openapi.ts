/**
 * The OpenAPI 3.1 document, made by walking the application's own routes and asking each middleware what it tells.
 *
 * A route that describes nothing is named, so that a test can refuse it. No I/O. No clock.
 */
import type { Hono } from "hono";
import { z } from "zod";
import { type FaultCode, FAULTS } from "../../model/errors.ts";
import { type AnswerHeader, type Content, type Facts, factsOf } from "./describe.ts";
import type { Env } from "./env.ts";
import { createComponents, exampleOf, type JsonSchema } from "./json-schema.ts";
import { PROBLEM } from "./problem.ts";

/** An event that endpoints can be sent, with its body. */
export interface EventShape {
  readonly type: string;
  readonly summary: string;
  readonly body: z.ZodType;
}

export interface Document extends JsonSchema {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, JsonSchema> } & JsonSchema;
}

export interface Operation extends JsonSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters: readonly JsonSchema[];
  readonly requestBody?: JsonSchema;
  readonly responses: Record<string, JsonSchema>;
}

const INFO = {
  title: "Muster",
  version: "1",
  summary: "Keeps an organization's people in step with the systems that know them",
  description: [
    "JSON, `snake_case`, instants in UTC as ISO 8601. Answers may gain fields; what is sent is refused when it has a",
    "field that is not known. Whatever goes wrong is answered as problem details (RFC 9457) with a stable `code`, whose",
    "help page is its `type`. Every answer carries `X-Request-Id`. A method that a path does not have is answered with",
    "405 and `Allow`.",
  ].join(" "),
  license: { name: "MIT", identifier: "MIT" },
};

const TOKEN = {
  type: "http",
  scheme: "bearer",
  description:
    "`Authorization: Bearer mus_…`. Each operation names the scope that its token must have; `admin` has all " +
    "of one organization's. An operator's token acts in the organization that `Muster-Organization` names.",
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
  [HUB]: "Health, figures, help and this description",
  [LINKS]: "What is behind the links of mails: whoever has the address needs no token",
  Connections: "Where people come from, and how their inputs are read, guarded and applied",
  Drops: "Inputs that are handed in, whole or in parts",
  Runs: "What became of an input: its plan, its issues, its changes",
  Changes: "Everything that was applied, in order: the pull twin of the events",
  Events: "What endpoints are sent, signed as Standard Webhooks are",
};

/** What a problem says for example, where its title is not enough. */
const DETAILS: Partial<Record<FaultCode, string>> = {
  invalid_request: "The body is not as it should be: should be there (/name)",
  malformed_json: "The body is not JSON at line 2, column 13: it ends early",
  unauthorized: "There is no such token; it may have been deleted",
  forbidden: 'The token lacks the scope "users:read"',
  not_found: 'There is no user "usr_2"',
  stale: 'The version is "4" now, and If-Match names "3"; read it again',
  unsupported_media_type: 'The body is "text/plain"; it should be application/json',
};

/** The document of all routes that describe themselves, and the names of those that do not. */
export function createDocument(
  app: Hono<Env>,
  { serverUrl, events = [] }: { serverUrl: string; events?: readonly EventShape[] },
): { document: Document; undescribed: string[] } {
  const components = createComponents();
  const problem = components.add(PROBLEM, "output");
  const paths: Document["paths"] = {};
  const undescribed: string[] = [];
  const headers: Record<string, JsonSchema> = {};
  const problems = new Set<FaultCode>();
  const tags = new Set<string>();

  for (const [name, facts] of routesOf(app)) {
    const [method, path] = name.split(" ") as [string, string];
    if (facts.operationId === undefined) undescribed.push(name);
    else (paths[path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")] ??= {})[method.toLowerCase()] = operationOf(path, facts);
  }

  function operationOf(path: string, facts: Facts): Operation {
    const tag = facts.tag ?? tagOf(path);
    tags.add(tag);
    const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
    const codes = new Set([
      ...facts.faults ?? [],
      ...(facts.headers ?? []).flatMap((header) => header.faults ?? []),
      ...(names.length > 0 && !facts.pages && !facts.hides ? ["not_found" as const] : []),
    ]);
    return {
      operationId: facts.operationId!,
      summary: facts.summary!,
      ...(facts.description === undefined ? {} : { description: facts.description }),
      tags: [tag],
      // Without a scheme there is nothing to send, and none is asked for.
      security: facts.token === undefined ? [] : [{ token: facts.token }],
      parameters: [
        ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
        ...queryOf(facts.query),
        ...(facts.headers ?? []).map(({ name, description, schema }) => ({
          name,
          in: "header",
          description,
          schema: components.add(schema, "input"),
        })),
      ],
      ...(facts.body === undefined
        ? {}
        : { requestBody: { required: facts.body.required, content: contentOf(facts.body.content, "input") } }),
      responses: { ...answersOf(facts), ...refusalsOf(codes, facts) },
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

  function contentOf(content: Content, io: "input" | "output"): JsonSchema {
    return Object.fromEntries(
      Object.entries(content).map(([type, schema]) => {
        const shown = components.add(schema, io);
        return [
          type,
          { schema: shown, ...(shown.format === "binary" ? {} : { example: exampleOf(shown, components.schemas) }) },
        ];
      }),
    );
  }

  function answersOf({ answers = {}, answerHeaders = {} }: Facts): Record<string, JsonSchema> {
    return Object.fromEntries(
      Object.entries(answers).map(([status, { description, content, headers = {} }]) => [status, {
        description: description ?? (status === "201" ? "Made" : status === "202" ? "Taken on" : "As asked"),
        headers: headersOf({ ...answerHeaders, ...headers }),
        ...(content === undefined ? {} : { content: contentOf(content, "output") }),
      }]),
    );
  }

  function refusalsOf(codes: ReadonlySet<FaultCode>, { answerHeaders = {} }: Facts): Record<string, JsonSchema> {
    const byStatus = new Map<number, FaultCode[]>();
    for (const code of codes) {
      problems.add(code);
      const { status } = FAULTS[code];
      byStatus.set(status, [...byStatus.get(status) ?? [], code].sort());
    }
    return Object.fromEntries(
      [...byStatus].map(([status, same]) => [status, {
        description: same.map((code) => FAULTS[code].title).join("; or: "),
        headers: headersOf({ ...answerHeaders, ...HEADERS_OF_STATUS[status] }),
        content: {
          "application/problem+json": {
            schema: { ...problem, properties: { code: { enum: same } } },
            examples: Object.fromEntries(same.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      }]),
    );
  }

  function headersOf(named: Readonly<Record<string, AnswerHeader>>): JsonSchema {
    for (const [name, { description, schema, optional }] of Object.entries(named)) {
      const id = optional ? `${name}-optional` : name;
      headers[id] ??= {
        description,
        ...(optional ? {} : { required: true }),
        schema: components.add(schema, "output"),
      };
    }
    return Object.fromEntries(
      Object.entries(named).map(([name, { optional }]) => [
        name,
        { $ref: `#/components/headers/${optional ? `${name}-optional` : name}` },
      ]),
    );
  }

  const webhooks = Object.fromEntries(events.map(({ type, summary, body }) => [type, {
    post: {
      operationId: type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase()),
      summary,
      tags: ["Events"],
      security: [],
      requestBody: { required: true, content: contentOf({ "application/json": body }, "output") },
      responses: { "2XX": { description: "Taken; anything else is tried again" }, "410": { description: "No more" } },
    },
  }]));
  if (events.length > 0) tags.add("Events");

  const document: Document = {
    openapi: "3.1.1",
    info: INFO,
    servers: [{ url: serverUrl }],
    tags: [...tags].map((name) => ({ name, description: ABOUT[name] ?? `${name}, as they are read and changed` })),
    paths,
    ...(events.length > 0 ? { webhooks } : {}),
    components: {
      securitySchemes: { token: TOKEN },
      schemas: components.schemas,
      headers,
      examples: Object.fromEntries(
        [...problems].sort().map((code) => [code, { summary: FAULTS[code].title, value: exampleProblem(code) }]),
      ),
    },
  };
  return { document, undescribed };
}

/** Headers that a refusal has because of its status. */
const HEADERS_OF_STATUS: Readonly<Record<number, Readonly<Record<string, AnswerHeader>>>> = {
  401: { "WWW-Authenticate": { description: "The scheme that is wanted", schema: z.string() } },
  429: {
    "Retry-After": { description: "Seconds until the next is welcome", schema: z.string().meta({ examples: ["1"] }) },
  },
  503: {
    "Retry-After": {
      description: "Seconds until it is worth another try, where that is known",
      schema: z.string().meta({ examples: ["1"] }),
      optional: true,
    },
  },
};

/** Routes as `METHOD path`, each with all that is told of it by what stands before it and by itself. */
function routesOf(app: Hono<Env>): Map<string, Facts> {
  const routes = new Map<string, Facts>();
  const before = app.routes.filter(({ method }) => method === "ALL");
  for (const { method, path, handler } of app.routes) {
    if (method === "ALL") continue;
    const name = `${method} ${path}`;
    const around = routes.has(name) ? [] : before.filter((each) => reaches(each.path, path));
    const told = [...around.map((each) => factsOf(each.handler)), factsOf(handler)]
      .filter(({ methods }) => methods?.includes(method) ?? true);
    routes.set(name, [routes.get(name) ?? {}, ...told].reduce(merge));
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

function tagOf(path: string): string {
  const part = /^\/v1\/([\w-]+)/.exec(path)?.[1];
  if (/^\/(r|reports)\//.test(path)) return LINKS;
  if (part === undefined) return HUB;
  const name = part.replaceAll("-", " ");
  return TAGS[part] ?? name[0]!.toUpperCase() + name.slice(1);
}

function exampleProblem(code: FaultCode): z.infer<typeof PROBLEM> {
  const { status, title } = FAULTS[code];
  return {
    type: `https://hub.example.com/errors/${code}`,
    title,
    status,
    detail: DETAILS[code] ?? title,
    code,
    request_id: "3f0c1d8e-6a52-4f1b-9d3e-2b7a90c4e516",
    errors: code === "invalid_request" ? [{ pointer: "/name", detail: "should be there" }] : [],
  };
}
