/**
 * The outbound gate: which URLs of strangers and admins the hub may call. No I/O.
 *
 * An address is judged twice: its text before anything is resolved, and the IP address that its name resolves to when
 * the connection is made (runtime/outbound.ts), so that a name that changes in between gains nothing.
 */
import ipaddr from "ipaddr.js";

/** The operator's exceptions. */
export interface AllowHosts {
  /** In lower case, without a trailing dot. */
  readonly names: ReadonlySet<string>;
  readonly ranges: readonly Range[];
  /** Names with fixed addresses, which are not resolved. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Ports beside 443, of hosts without other exceptions. */
  readonly ports: ReadonlyMap<string, ReadonlySet<number>>;
}

export interface Route {
  readonly address: string;
  /** Null: the URL's port. */
  readonly port: number | null;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

export const ALLOW_NONE: AllowHosts = { names: new Set(), ranges: [], routes: new Map(), ports: new Map() };

export interface OutboundRequest {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From resolving the name to reading the last byte. */
  readonly timeoutMs: number;
  /** The body ends with an error after so many bytes. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** To be read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
}

export interface Outbound {
  /**
   * Calls the URL if it is allowed, and follows no redirect. Fails with OutboundRefused, or with the network's error.
   */
  (url: string, request: OutboundRequest): Promise<OutboundAnswer>;
  /** Why the URL may never be called, whatever its name resolves to; null: its text is allowed. */
  readonly refusal: (url: string) => string | null;
}

/** Makes a gate of a function that calls URLs and refuses forbidden ones itself. */
export function createGate(
  allow: AllowHosts,
  call: (url: string, request: OutboundRequest) => Promise<OutboundAnswer>,
) {
  return Object.assign(call, {
    refusal(url: string): string | null {
      try {
        judgeUrl(url, allow);
        return null;
      } catch (error) {
        if (error instanceof OutboundRefused) return error.message;
        throw error;
      }
    },
  });
}

/** The gate refuses the URL. The message may be shown to the person or program that gave the URL. */
export class OutboundRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OutboundRefused";
  }
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * Parses names, CIDR blocks, `name:8443` and `name=127.0.0.1:9999`, separated by commas or white space. Each problem
 * names its part.
 */
export function parseAllowHosts(text: string): { readonly allow: AllowHosts; readonly problems: readonly string[] } {
  const names = new Set<string>(), routes = new Map<string, Route>(), ranges: Range[] = [], problems: string[] = [];
  const ports = new Map<string, Set<number>>();
  for (const part of text.split(/[\s,]+/).filter((each) => each !== "")) {
    const [name = "", target = null] = part.toLowerCase().split(/=(.*)/);
    const route = target === null ? null : readRoute(target);
    const range = target === null ? readRange(name) : null;
    const [host, port] = readPort(name) ?? [null, 0];
    if (target === null && host !== null) ports.set(host, (ports.get(host) ?? new Set()).add(port));
    else if (range !== null) ranges.push(range);
    else if (target !== null && route !== null && isName(name)) routes.set(withoutDot(name), route);
    else if (target === null && isName(name)) names.add(withoutDot(name));
    else problems.push(`"${part}": it should be a name, a block like 10.0.0.0/8, name:8443, or name=127.0.0.1:9999`);
  }
  return { allow: { names, ranges, routes, ports }, problems };
}

/** Parses `name:8443`, or an IP address in place of the name; IPv6 in brackets. */
function readPort(text: string): [host: string, port: number] | null {
  const [, host, digits] = /^(\[[0-9a-f:.]+\]|[^:]+):([1-9]\d{0,4})$/.exec(text) ?? [];
  if (host === undefined || Number(digits) > 65535) return null;
  const bare = withoutDot(host.replace(/^\[|\]$/g, ""));
  return isName(host) || isWrittenOut(bare) ? [bare, Number(digits)] : null;
}

function isName(text: string): boolean {
  // A text that a URL would take for an IP address is not a name.
  return NAME.test(withoutDot(text)) && URL.canParse(`http://${text}`) && !isNumber(new URL(`http://${text}`).hostname);
}

function readRange(text: string): Range | null {
  try {
    if (text.includes("/")) {
      const [address, bits] = ipaddr.parseCIDR(text);
      return isWrittenOut(text.slice(0, text.indexOf("/"))) ? [address, bits] : null;
    }
    if (!isWrittenOut(text)) return null;
    const address = ipaddr.parse(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    return null;
  }
}

function readRoute(text: string): Route | null {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? "";
  if (!isWrittenOut(address) || Number(port ?? 1) < 1 || Number(port ?? 1) > 65535) return null;
  return { address, port: port === undefined ? null : Number(port) };
}

/** Whether the text is four numbers or IPv6, and not one of the short forms that some parsers accept. */
function isWrittenOut(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/** A URL whose text is allowed, with its host, and where its connections go. */
export interface Target {
  readonly url: URL;
  /** In lower case, without a trailing dot or brackets. */
  readonly host: string;
  /** Whether the host is an IP address, which needs no resolving. */
  readonly isNumber: boolean;
  /** Null: the name is resolved, and the address judged. */
  readonly route: Route | null;
}

/** Fails with OutboundRefused when the URL may not be called, whatever its name resolves to. */
export function judgeUrl(text: string, allow: AllowHosts): Target {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new OutboundRefused("The URL cannot be called: it should begin with https://");
  }
  if (url.username !== "" || url.password !== "") {
    throw new OutboundRefused("The URL has a user name or a password in it: it should have none");
  }
  // The URL parser normalizes 0x7f.1, 2130706433 and 127.0.0.1 to one spelling.
  const host = withoutDot(url.hostname.replace(/^\[|\]$/g, "").toLowerCase());
  const number = isNumber(host);
  const route = allow.routes.get(host) ?? null;
  const named = route !== null || allow.names.has(host) || (number && isAllowed(host, allow));
  if (url.protocol === "http:" && !named) {
    throw new OutboundRefused(`The URL begins with http:// and should begin with https://`);
  }
  // Services on other ports are rarely meant for strangers: a database, a queue, an admin interface.
  const port = url.port === "" ? 443 : Number(url.port);
  if (!named && port !== 443 && allow.ports.get(host)?.has(port) !== true) {
    throw new OutboundRefused(
      `The URL has the port ${port}, and only 443 is called: the operator can allow it with ${url.hostname}:${port} in ` +
        "MUSTER_ALLOW_HOSTS",
    );
  }
  if (!named && number) judgeAddress(host, host, allow);
  if (!named && !number && isLocalName(host)) throw new OutboundRefused(`"${host}" is a name of a private network`);
  return { url, host, isNumber: number, route };
}

/** The same for a host that is called by another protocol than HTTP. */
export function judgeHost(text: string, allow: AllowHosts): Target {
  const host = text.includes(":") ? `[${text}]` : text;
  if (!/^[^\s/?#@\\[\]%]+$/.test(text) || !URL.canParse(`https://${host}/`)) {
    throw new OutboundRefused(`"${text}" is not a host: it should be like sftp.example.com`);
  }
  return judgeUrl(`https://${host}/`, allow);
}

/** Fails with OutboundRefused when `address`, which `host` resolves to, is neither public nor an exception. */
export function judgeAddress(host: string, address: string, allow: AllowHosts): void {
  if (allow.names.has(host) || isPublic(address) || isAllowed(address, allow)) return;
  throw new OutboundRefused(
    host === address
      ? `"${host}" is an address of a private network, or a reserved one`
      : `"${host}" leads to an address of a private network, or a reserved one`,
  );
}

/** Whether the address is public, and not a form that embeds another address. */
export function isPublic(text: string): boolean {
  const address = readAddress(text);
  if (address === null || address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return !METADATA.has(address.toString());
  const { parts } = address as ipaddr.IPv6;
  // Only 2000::/3 of IPv6 is assigned (RFC 4291); 3fff::/20 of it is for documentation (RFC 9637), and the interface
  // 0000:5efe or 0200:5efe embeds an IPv4 address (RFC 5214).
  const first = parts[0]!;
  if (first >> 13 !== 1 || (first === 0x3fff && parts[1]! < 0x1000)) return false;
  return !(parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x0200));
}

/** A cloud's own metadata service, at an address that looks public. */
const METADATA: ReadonlySet<string> = new Set(["168.63.129.16"]);

function isAllowed(text: string, allow: AllowHosts): boolean {
  const address = readAddress(text);
  return address !== null &&
    allow.ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range as never, bits));
}

/** Parses an address. An IPv4-mapped IPv6 address (::ffff:0:0/96) becomes the IPv4 address. */
function readAddress(text: string): Address | null {
  try {
    return ipaddr.process(text.replace(/%.*$/, ""));
  } catch {
    return null;
  }
}

function isNumber(host: string): boolean {
  return ipaddr.isValid(host.replace(/^\[|\]$/g, ""));
}

/** RFC 6761, RFC 6762, RFC 8375, ICANN's .internal; and names without a dot, which only private networks resolve. */
function isLocalName(host: string): boolean {
  return !host.includes(".") || /\.(localhost|local|internal|home\.arpa)$/.test(host);
}

function withoutDot(host: string): string {
  return host.replace(/\.$/, "");
}

/** The first `maxBytes` of the body; cancels the rest. */
export async function readFirst(answer: OutboundAnswer, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let size = 0;
  const reader = answer.body.getReader();
  while (size < maxBytes) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, size);
    const some = value.subarray(0, maxBytes - size);
    bytes.set(some, size);
    size += some.length;
  }
  await reader.cancel().catch(() => {});
  return bytes;
}

const FETCH_TIMEOUT_MS = 30_000;
const FETCH_MAX_BYTES = 1024 * 1024;

/** The gate as a `fetch` for libraries: text bodies, no redirects, an answer of a megabyte at most. */
export function asFetch(outbound: Outbound): (url: string, init?: RequestInit) => Promise<Response> {
  return async (url, init = {}) => {
    const { status, headers, body } = await outbound(url, {
      method: init.method,
      body: init.body == null ? undefined : String(init.body),
      headers: Object.fromEntries(new Headers(init.headers)),
      timeoutMs: FETCH_TIMEOUT_MS,
      maxBytes: FETCH_MAX_BYTES,
      signal: init.signal ?? undefined,
    });
    const isEmpty = status === 101 || status === 204 || status === 205 || status === 304;
    if (isEmpty) await body.cancel();
    return new Response(isEmpty ? null : body as ReadableStream<Uint8Array<ArrayBuffer>>, { status, headers });
  };
}

/** The body; ends with an error after `maxBytes`. */
export function limitBytes(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
  let size = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.length;
        if (size > maxBytes) throw new Error(`The answer has more than ${maxBytes} bytes`);
        controller.enqueue(chunk);
      },
    }),
  );
}
