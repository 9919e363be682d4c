/**
 * The outbound gate over `fetch`, for Workers, which hide what a name resolves to and have no private network around
 * them. Only the text of URLs is judged, and redirects are never followed.
 */
import { type AllowHosts, createGate, judgeUrl, limitBytes, type Outbound } from "./outbound.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function createFetchOutbound(allow: AllowHosts, fetch: Fetch): Outbound {
  return createGate(allow, async (text, request) => {
    const { url, route } = judgeUrl(text, allow);
    if (route !== null) {
      url.hostname = route.address.includes(":") ? `[${route.address}]` : route.address;
      if (route.port !== null) url.port = String(route.port);
    }
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const answer = await fetch(url.href, {
      method: request.method,
      headers: request.headers,
      body: request.body as RequestInit["body"],
      redirect: "manual",
      signal: request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]),
    });
    const body = answer.body ?? new Blob([]).stream();
    return { status: answer.status, headers: answer.headers, body: limitBytes(body, request.maxBytes) };
  });
}
