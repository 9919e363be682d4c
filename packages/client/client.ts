/** Requests to a hub, typed by its OpenAPI document. */
import createFetchClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./generated/api.ts";

/** The schemas of the API by name, such as `Schemas["User"]`. */
export type Schemas = components["schemas"];
/** Why a request was refused (RFC 9457). */
export type Problem = Schemas["Problem"];
/** `hub.GET("/v1/users", …)` and so on, with the paths, parameters and bodies of the API. */
export type MusterClient = Client<paths>;

export interface ClientOptions {
  /** The hub's address, such as `https://hub.example.com`. */
  readonly url: string;
  /** `mus_…`. */
  readonly token: string;
  /** For an operator's token: the slug of the organization that it acts in; absent: `default`. */
  readonly organization?: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Sends nothing yet. A body that is a text or a Blob is sent as it is, anything else as JSON. */
export function createClient({ url, token, organization, fetch }: ClientOptions): MusterClient {
  return createFetchClient<paths>({
    baseUrl: url.replace(/\/+$/, ""),
    headers: {
      Authorization: `Bearer ${token}`,
      ...(organization === undefined ? {} : { "Muster-Organization": organization }),
    },
    bodySerializer: (body: unknown) => typeof body === "string" || body instanceof Blob ? body : JSON.stringify(body),
    ...(fetch === undefined ? {} : { fetch }),
  });
}

/** What a request of the client resolves to. */
export interface Answer<Data> {
  readonly data?: Data | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/** A request that the hub, or something on the way to it, has refused. */
export class ProblemError extends Error {
  /** The hub's reason; null: something else than the hub has answered. */
  readonly problem: Problem | null;
  readonly response: Response;

  constructor({ error, response }: Answer<unknown>) {
    const problem = isProblem(error) ? error : null;
    super(problem?.detail ?? `The answer was ${response.status} without a reason`);
    this.name = "ProblemError";
    this.problem = problem;
    this.response = response;
  }
}

function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "code" in error && "detail" in error;
}

/** The answer's body. Throws a ProblemError if the request was refused. */
export function dataOf<Data>(answer: Answer<Data>): Data {
  if (!answer.response.ok) throw new ProblemError(answer);
  return answer.data as Data;
}

/** One page of a list. */
interface Page<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

/**
 * All items of a list, page by page. `list` requests a page, with `next` among the parameters of its query. Throws a
 * ProblemError if a page was refused.
 */
export async function* eachOf<Item>(
  list: (next: { cursor?: string }) => Promise<Answer<Page<Item>>>,
): AsyncGenerator<Item, void> {
  let next: { cursor?: string } | null = {};
  while (next !== null) {
    const page: Page<Item> = dataOf(await list(next));
    yield* page.data;
    next = page.next_cursor === null ? null : { cursor: page.next_cursor };
  }
}
