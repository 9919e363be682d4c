/** One request to a libSQL server: its answer as a whole, or a DatabaseTrouble that says what, where and what to do. */
import { causesOf, codeOf } from "../std/causes.ts";
import { DatabaseTrouble } from "../store/trouble.ts";
import { tookTooLong, whyUnreachable } from "./unreachable.ts";

export interface ServerPlace {
  /** The server's name and port, for messages. */
  readonly host: string;
  /** How long an answer may take, in milliseconds. */
  readonly answerMs: number;
}

/** The answer, read to its end. */
export async function askServer(request: Request, place: ServerPlace): Promise<Response> {
  const body = await request.blob();
  // After an error, libSQL's client says good-bye on a stream that no server knows of.
  if (body.size === FAREWELL.length && await body.text() === FAREWELL) return Response.json(FAREWELL_ANSWER);
  let answer: Response, content: ArrayBuffer;
  try {
    answer = await send(request, body, place.answerMs);
    content = await answer.arrayBuffer();
  } catch (error) {
    throw lineTrouble(error, place);
  }
  if (!answer.ok) throw statusTrouble(answer.status, body.size, place);
  return new Response(content, { headers: { "content-type": "application/json" } });
}

/** Sends the request once: of a body that is a stream, Deno has no copy that it could send again by itself. */
function send({ url, headers }: Request, body: Blob, answerMs: number): Promise<Response> {
  const length = { "content-length": String(body.size) };
  return fetch(
    url,
    {
      method: "POST",
      headers: { ...Object.fromEntries(headers), ...length },
      body: body.stream(),
      duplex: "half",
      // A redirect would take people's data to a server that nobody has named.
      redirect: "manual",
      signal: AbortSignal.timeout(answerMs),
    } as RequestInit,
  );
}

const FAREWELL = JSON.stringify({ requests: [{ type: "close" }] });
const FAREWELL_ANSWER = {
  baton: null,
  base_url: null,
  results: [{ type: "ok", response: { type: "close" } }],
};

/** The trouble of an answer that came and cannot be used; null: it is an error of SQLite's, or none of the server's. */
export function troubleOfAnswer(error: unknown, { host }: ServerPlace): DatabaseTrouble | null {
  const isProtocol = causesOf(error).some((cause) =>
    cause instanceof SyntaxError || /^(HRANA_PROTO_ERROR|PROTOCOL_VERSION_ERROR)$/.test(codeOf(cause) ?? "")
  );
  if (!isProtocol) return null;
  return new DatabaseTrouble(
    `What answers at ${host} does not speak libSQL's protocol: check that DATABASE_URL is a libSQL server's address`,
    { passes: false, mayBeDone: true, cause: error },
  );
}

/** There is no answer. */
function lineTrouble(error: unknown, { host, answerMs }: ServerPlace): DatabaseTrouble {
  if (tookTooLong(error)) {
    const message = `The database at ${host} did not answer in ${answerMs / 1000} s: check its load and the way to it`;
    return new DatabaseTrouble(message, { passes: true, mayBeDone: true, cause: error });
  }
  const why = whyUnreachable(error);
  if (why !== null) {
    const message =
      `The database at ${host} cannot be reached, as ${why}: check DATABASE_URL, and that the server runs`;
    return new DatabaseTrouble(message, { passes: true, mayBeDone: false, cause: error });
  }
  const message =
    `The connection to the database at ${host} broke off before its answer: check the server and the way to it`;
  return new DatabaseTrouble(message, { passes: true, mayBeDone: true, cause: error });
}

function statusTrouble(status: number, bytes: number, { host }: ServerPlace): DatabaseTrouble {
  const refused = (message: string, passes = false) => new DatabaseTrouble(message, { passes, mayBeDone: false });
  if (status === 401 || status === 403) {
    return refused(`The database at ${host} refused the token: correct DATABASE_AUTH_TOKEN`);
  }
  if (status === 404) return refused(`The server at ${host} has no database of that name: correct DATABASE_URL`);
  if (status === 413) {
    const size = `${Math.ceil(bytes / 1024)} KiB`;
    return refused(`The database at ${host} refused a request of ${size} as too large: raise its limit to 2 MiB`);
  }
  if (status === 429) {
    return refused(`The database at ${host} gets too many requests: raise its limit, or wait`, true);
  }
  if (status < 500) {
    return refused(`The database at ${host} refused a request with the status ${status}: check DATABASE_URL`);
  }
  // A proxy's status says nothing about what the server behind it did.
  const message = `The database at ${host} failed with the status ${status}: check the server and what is before it`;
  return new DatabaseTrouble(message, { passes: true, mayBeDone: true });
}
