/**
 * Requests to BambooHR: always for JSON, with the reason of a refusal from where BambooHR puts it. A web page in place
 * of data is an error.
 */
import { expectOk, type SourceContext, SourceFault, type SourceRequest } from "../../src/connector.ts";
import { hostOf, type Settings } from "./settings.ts";

/** Requests a path of the account's host; returns the answer whatever its status. */
export type Ask = (path: string, request?: SourceRequest) => Promise<Response>;

export function createAsk(context: SourceContext<Settings>): Ask {
  const host = hostOf(context.settings);
  return async (path, request = {}) => {
    // Without this header, many endpoints answer in XML.
    const headers = { accept: "application/json", ...request.headers };
    const answer = await context.fetch(`https://${host}${path}`, { ...request, headers });
    const id = answer.headers.get("x-request-id") ?? answer.headers.get("x-bamboohr-request-id");
    const what = path.replace(/\?.*/, "");
    if (!answer.ok) {
      context.log(`${what} was answered with ${answer.status}: ${reasonOf(answer)} (request ${id ?? "without an id"})`);
    }
    return answer;
  };
}

/** Requests data; throws a SourceFault for any other answer. */
export async function askOk(ask: Ask, path: string, request: SourceRequest, what: string): Promise<Response> {
  return await expectData(await ask(path, request), what);
}

/** Tries for an answer that is not JSON although it is complete by its length: it was cut off on its way. */
const MAX_BROKEN = 6;

/**
 * Requests a JSON object. `refused` sees answers without data first: it may throw, or return true to treat one as an
 * empty object.
 */
export async function askObject(
  ask: Ask,
  path: string,
  request: SourceRequest,
  what: string,
  refused: (status: number, body: unknown) => boolean | void = () => {},
): Promise<Record<string, unknown>> {
  const value = await askValue(ask, path, request, what, refused);
  if (isObject(value)) return value;
  throw new SourceFault("answer", `BambooHR's answer for ${what} is not an object`);
}

/** Requests JSON of any kind. */
export async function askValue(
  ask: Ask,
  path: string,
  request: SourceRequest,
  what: string,
  refused: (status: number, body: unknown) => boolean | void = () => {},
): Promise<unknown> {
  for (let broken = 1;; broken++) {
    const answer = await ask(path, request);
    if (!answer.ok && refused(answer.status, parse(await answer.clone().text())) === true) return {};
    const value = parse(await (await expectData(answer, what)).text());
    if (value !== null) return value;
    if (broken === MAX_BROKEN) throw new SourceFault("answer", `BambooHR's answer for ${what} is not JSON`);
  }
}

async function expectData(answer: Response, what: string): Promise<Response> {
  const isPage = answer.ok && (answer.headers.get("content-type") ?? "").startsWith("text/html");
  if (isPage || (answer.status >= 300 && answer.status < 400)) {
    await answer.body?.cancel();
    throw new SourceFault(
      "settings",
      `BambooHR answered with a page instead of ${what}: is the subdomain that of your account?`,
    );
  }
  if (!answer.ok) {
    const reason = reasonOf(answer) || reasonIn(parse(await answer.text()));
    return expectOk(answer, what, reason);
  }
  return answer;
}

/** BambooHR sends the reason in a header, under several names. */
function reasonOf({ headers }: Response): string {
  return headers.get("x-bamboohr-error-message") ?? headers.get("x-bamboohr-error-messsage") ??
    headers.get("x-bamboohr-message") ?? "";
}

/** The reason in the body of newer endpoints, which has two forms; "" when there is none. */
function reasonIn(body: unknown): string {
  if (!isObject(body)) return "";
  if (isObject(body.error)) return String(body.error.message ?? "");
  return String(body.detail ?? "");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of a list, or of a map that PHP made of one; empty for anything else. */
export function listOf(value: unknown): Record<string, unknown>[] {
  return (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []).filter(isObject);
}
