/**
 * The OpenAPI 3.1 document, made of what the middleware and routes of the application describe about themselves.
 *
 * Routes without a description are listed, so that a test can refuse them. No I/O. No clock.
 */
import type { Hono } from "hono";
import type { z } from "zod";
import { shareRepeated } from "./components.ts";
import { type Facts, factsOf } from "./describe.ts";
import type { Env } from "./env.ts";
import type { JsonSchema } from "./json-schema.ts";
import { HUB, LINKS, type Operation, operationOf } from "./operation.ts";
import { contentOf, createParts, type Parts, schemaName } from "./parts.ts";

/** A type of event that endpoints can receive, with its body. */
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

const INFO = {
  title: "Muster",
  version: "1",
  summary: "Keeps an organization's people in step with the systems that know them",
  description: [
    "JSON in `snake_case`, with instants in UTC as ISO 8601. Answers may gain fields; requests with unknown fields are",
    "refused. Errors are problem details (RFC 9457) with a stable `code`, whose help page is the `type`. Every answer has",
    "`X-Request-Id`.",
  ].join(" "),
  license: { name: "MIT", identifier: "MIT" },
};

const TOKEN = {
  type: "http",
  scheme: "bearer",
  description: "`Authorization: Bearer mus_…`. Each operation names the scope that its token needs; `admin` includes " +
    "every scope of one organization. An operator's token acts in the organization that `Muster-Organization` names.",
};

const EVENTS = "Events";

/** Descriptions of tags whose name is not enough. */
const ABOUT: Readonly<Record<string, string>> = {
  [HUB]: "Health, metrics, help pages and this document",
  [LINKS]: "Pages behind the signed links in mails and events, which need no token",
  Connections: "Where people come from, and how their inputs are read, guarded and applied",
  Drops: "Inputs, uploaded whole or in parts",
  Runs: "What an input led to: its plan, issues and changes",
  Changes: "Everything that was applied, in order: the pull twin of the events",
  [EVENTS]: "Bodies sent to webhook endpoints, signed as Standard Webhooks",
};

/** The document of all routes that describe themselves, and the names of those that do not. */
export function createDocument(
  app: Hono<Env>,
  { serverUrl, events = [] }: { serverUrl: string; events?: readonly EventShape[] },
): { document: Document; undescribed: string[] } {
  const parts = createParts();
  const paths: Document["paths"] = {};
  const undescribed: string[] = [];
  for (const [name, facts] of routesOf(app)) {
    const [method, path] = name.split(" ") as [string, string];
    if (facts.console === true || facts.scim === true) continue;
    if (facts.operationId === undefined) undescribed.push(name);
    else {
      const operations = paths[path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")] ??= {};
      operations[method.toLowerCase()] = operationOf(parts, path, facts);
    }
  }
  const operations = Object.values(paths).flatMap((each) => Object.values(each));
  shareRepeated(operations.map(({ responses }) => responses), parts.responses, nameOfAnswer);
  shareRepeated(operations.map(({ parameters }) => parameters), parts.parameters, ({ name }) => String(name));
  const webhooks = Object.fromEntries(events.map((event) => [event.type, { post: webhookOf(parts, event) }]));
  const tags = new Set([...operations.flatMap((operation) => operation.tags), ...events.length > 0 ? [EVENTS] : []]);
  const document: Document = {
    openapi: "3.1.1",
    info: INFO,
    servers: [{ url: serverUrl }],
    tags: [...tags].map((name) => ({ name, description: ABOUT[name] ?? `Read and change ${name.toLowerCase()}` })),
    paths,
    ...(events.length > 0 ? { webhooks } : {}),
    components: {
      securitySchemes: { token: TOKEN },
      schemas: parts.components.schemas,
      parameters: parts.parameters.parts,
      headers: parts.headers.parts,
      requestBodies: parts.bodies.parts,
      responses: parts.responses.parts,
      examples: parts.examples.parts,
    },
  };
  return { document, undescribed };
}

function webhookOf(parts: Parts, { type, summary, description, body }: EventShape): JsonSchema {
  return {
    operationId: type.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase()),
    summary,
    description,
    tags: [EVENTS],
    security: [],
    requestBody: { required: true, content: contentOf(parts, { "application/json": body }, "output") },
    responses: {
      "2XX": { description: "Received; all others are retried" },
      "410": { description: "Disable the endpoint" },
    },
  };
}

/** All routes as `METHOD path`, each with what its middleware and itself describe. */
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

/** The name under which a repeated answer is shared: its schema's and its status; null: the schema has no name. Bytes are a file. */
function nameOfAnswer(answer: JsonSchema, status: string): string | null {
  const [media] = Object.values(answer.content as Record<string, { schema: JsonSchema }> | undefined ?? {});
  const held = media === undefined ? "Nothing" : media.schema.format === "binary" ? "File" : schemaName(media.schema);
  if (held === null) return null;
  return [held, status, ..."Idempotency-Replayed" in (answer.headers as object) ? ["replayable"] : []].join(".");
}
