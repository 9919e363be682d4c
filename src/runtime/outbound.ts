/**
 * The outbound gate on Deno and Node: requests by `node:https`. A host's address is checked after it is resolved, on the
 * very address that is connected to.
 */
import { lookup as resolveName } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";
import {
  type AllowHosts,
  createGate,
  judgeAddress,
  judgeUrl,
  limitBytes,
  type Outbound,
  OutboundRefused,
  type Target,
} from "../security/outbound.ts";

interface Resolved {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly Resolved[]>;

export const resolveAll: Resolve = (name) => resolveName(name, { all: true, verbatim: true });

export function createOutbound(allow: AllowHosts, resolve: Resolve = resolveAll): Outbound {
  return createGate(allow, async (text, request) => {
    const target = judgeUrl(text, allow);
    const { url, route } = target;
    const { signal } = request;
    const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : request.body;
    return await new Promise((done, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      const send = url.protocol === "https:" ? requestHttps : requestHttp;
      const outgoing = send({
        method: request.method ?? "GET",
        host: target.host,
        port: route?.port ?? (url.port === "" ? undefined : Number(url.port)),
        path: `${url.pathname}${url.search}`,
        headers: {
          host: url.host,
          ...request.headers,
          ...(body === undefined ? {} : { "content-length": String(body.length) }),
        },
        // An IP address is not a server name (RFC 6066) and is not resolved; it has been checked with the URL.
        ...(target.isNumber ? {} : { servername: target.host, lookup: createLookup(target, allow, resolve) }),
        agent: false,
      });
      const breakOff = (reason: Error) => {
        fail(reason);
        outgoing.destroy(reason);
      };
      const abort = () => breakOff(signal!.reason);
      const timer = setTimeout(
        () => breakOff(new Error(`There was no answer within ${request.timeoutMs / 1000} s`)),
        request.timeoutMs,
      );
      signal?.addEventListener("abort", abort, { once: true });
      outgoing.on("close", () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        // This has no effect if there was a response.
        fail(new Error("The connection was closed without an answer"));
      });
      outgoing.on("error", fail);
      // An unexpected upgrade: without a listener, Node would close the connection without an error.
      outgoing.on("upgrade", (answer: IncomingMessage, socket) => {
        socket.destroy();
        done({ status: answer.statusCode!, headers: headersOf(answer), body: emptyBody() });
      });
      outgoing.on("response", (answer: IncomingMessage) => {
        done({
          status: answer.statusCode!,
          headers: headersOf(answer),
          body: limitBytes(Readable.toWeb(answer) as ReadableStream<Uint8Array>, request.maxBytes),
        });
      });
      outgoing.end(body);
    });
  });
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** Resolves a name that was checked, and checks its addresses. */
export function createLookup({ host, route }: Target, allow: AllowHosts, resolve: Resolve): LookupFunction {
  return (_name, options, callback) => {
    find().then(
      (found) =>
        options.all === true
          ? callback(null, found.map(({ address, family }) => ({ address, family })))
          : callback(null, found[0]!.address, found[0]!.family),
      (error) => callback(error, "", 0),
    );
  };

  async function find(): Promise<readonly Resolved[]> {
    if (route !== null) return [{ address: route.address, family: route.address.includes(":") ? 6 : 4 }];
    const found = await resolve(host);
    if (found.length === 0) throw new OutboundRefused(`"${host}" leads nowhere`);
    // All addresses have to be allowed, because any of them may be connected to.
    for (const { address } of found) judgeAddress(host, address, allow);
    return found;
  }
}

function headersOf(answer: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    try {
      headers.append(answer.rawHeaders[i]!, answer.rawHeaders[i + 1]!);
    } catch {
      // Invalid headers are ignored.
    }
  }
  return headers;
}
