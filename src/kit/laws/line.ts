/** The line from the connector to the played source: the hub's own fetch, with what a law does in between. */
import type { SourceFetch } from "../../connector.ts";
import type { Outbound, OutboundAnswer, OutboundRequest } from "../../security/outbound.ts";
import { authHeaders, authOf, hostsOf } from "../../sources/auth.ts";
import { createRedactor } from "../../sources/source.ts";
import { createSourceFetch } from "../../sources/source-fetch.ts";
import type { Handler } from "../tape.ts";
import type { Tried } from "./tried.ts";

export interface Asked {
  readonly method: string;
  readonly url: string;
}

/** Without the query, which names the page. */
export function placeOf({ method, url }: Asked): string {
  return `${method} ${new URL(url).origin}${new URL(url).pathname}`;
}

/** What comes in place of an answer. `n`: of the request, from 1; its attempts share it. Fails as a connection that breaks. */
export type Between = (n: number, ask: () => Promise<Response>, asked: Asked) => Response | Promise<Response>;

export interface LineOptions {
  readonly source: Handler;
  readonly between?: Between;
  readonly signal: AbortSignal;
  readonly maxRequests: number;
  /** How many rows there are by now. */
  readonly rows: () => number;
  readonly onTooMany: () => void;
}

export interface Line {
  readonly fetch: SourceFetch;
  /** Requests without those that are optional. */
  readonly asked: Asked[];
  readonly rowsBefore: number[];
  readonly foreign: string[];
  readonly redact: (text: string) => string;
  readonly hide: (text: string) => string;
}

/** What a connection has whose tokens come from a token endpoint, which a connector never asks itself. */
export const TOKEN = "token-that-the-kit-gives-out";

export function openLine({ connector, settings, cases }: Tried, options: LineOptions): Line {
  const { source, between = (_n, ask) => ask(), signal, maxRequests } = options;
  const secrets = cases.secrets ?? {};
  const constant = authHeaders(authOf(connector, settings), settings, secrets);
  const headers = constant ?? { authorization: `Bearer ${TOKEN}` };
  const { hide, redact, without } = createRedactor();
  for (const value of Object.values(secrets)) hide(value);
  for (const value of Object.values(headers)) hide(value.replace(/^(Basic|Bearer) /, ""));
  const hosts = hostsOf(connector, settings);
  const asked: Asked[] = [], rowsBefore: number[] = [], foreign: string[] = [];

  /** The source, for the request `n`; null: one that the read can do without. */
  const outbound = (n: number | null, about: Asked): Outbound =>
    outboundTo((request) => {
      const ask = async () => await source(request);
      return n === null ? ask() : between(n, ask, about);
    });

  return {
    asked,
    rowsBefore,
    foreign,
    redact,
    hide: without,
    fetch(url, request = {}) {
      const about = { method: request.method ?? "GET", url: String(url) };
      const host = URL.canParse(about.url) ? new URL(about.url).host : about.url;
      if (!hosts.includes(host)) foreign.push(host);
      const isOptional = cases.optional?.(about.url) ?? false;
      if (!isOptional) {
        asked.push(about);
        rowsBefore.push(options.rows());
      }
      if (asked.length > maxRequests) options.onTooMany();
      return createSourceFetch({
        outbound: outbound(isOptional ? null : asked.length, about),
        hosts,
        authorize: (anew) => Promise.resolve(anew ? null : headers),
        signal,
        now: Date.now,
        wait: () => Promise.resolve(),
        random: () => 0.5,
      })(url, request);
    },
  };
}

/** A gate that leads to the source alone. */
export function outboundTo(source: Handler): Outbound {
  const call = async (url: string, request: OutboundRequest) => answerOf(await source(requestOf(url, request)));
  return Object.assign(call, { refusal: () => null });
}

function requestOf(url: string, { method = "GET", headers, body }: OutboundRequest): Request {
  return new Request(url, { method, headers, body: body as BodyInit | undefined });
}

function answerOf({ status, headers, body }: Response): OutboundAnswer {
  return { status, headers, body: body ?? new Blob([]).stream() };
}
