/**
 * Signature Version 4 of requests to S3, as its public protocol says: the signature that a request should have, from what
 * came over the line and the secret key. Written from the protocol, apart from the library that the hub signs with.
 */
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { StoreKey } from "../../src/runtime/backups/settings.ts";

export interface SignedRequest {
  readonly method: string;
  /** As in the request's first line. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Null: it is not of this form. */
export function readAuthorization(header: string): Authorization | null {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
  const found = form.exec(header);
  if (found === null) return null;
  const [, accessKeyId, date, region, service, signed, signature] = found as unknown as [string, ...string[]];
  return {
    accessKeyId: accessKeyId!,
    date: date!,
    region: region!,
    service: service!,
    signedHeaders: signed!.split(";"),
    signature: signature!,
  };
}

export function signatureOf(request: SignedRequest, by: Omit<Authorization, "signature">, secret: string): string {
  const [path = "", query = ""] = request.path.split("?");
  const canonical = [
    request.method,
    path.split("/").map((part) => encode(decodeURIComponent(part))).join("/"),
    query.split("&").filter((pair) => pair !== "").map((pair) => {
      const [name = "", value = ""] = pair.split("=").map((part) => decodeURIComponent(part));
      return `${encode(name)}=${encode(value)}`;
    }).sort().join("&"),
    ...by.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    by.signedHeaders.join(";"),
    request.headers["x-amz-content-sha256"] ?? sha256(request.body),
  ].join("\n");
  const scope = `${by.date}/${by.region}/${by.service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"] ?? "", scope, sha256(canonical)].join("\n");
  const key = [by.date, by.region, by.service, "aws4_request"].reduce<string | Uint8Array>(hmac, `AWS4${secret}`);
  return createHmac("sha256", key).update(toSign).digest("hex");
}

/** Why the request is refused, in S3's words; null: it is signed as it should be. */
export function problemOf(request: IncomingMessage, body: Uint8Array, key: StoreKey, region: string): string | null {
  const by = readAuthorization(request.headers.authorization ?? "");
  if (by === null) return "AccessDenied";
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const unsigned = Object.keys(headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  if (unsigned.some((name) => !by.signedHeaders.includes(name))) return "AccessDenied";
  if (by.accessKeyId !== key.accessKeyId) return "InvalidAccessKeyId";
  if (by.region !== region) return "AuthorizationHeaderMalformed";
  if ((headers["x-amz-security-token"] ?? null) !== key.sessionToken) return "InvalidToken";
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers["x-amz-date"] ?? "") ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(at - Date.now()) < 15 * 60_000)) return "RequestTimeTooSkewed";
  const hash = headers["x-amz-content-sha256"];
  if (hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)) return "XAmzContentSHA256Mismatch";
  const expected = signatureOf({ method: request.method!, path: request.url!, headers, body }, by, key.secretAccessKey);
  return expected === by.signature ? null : "SignatureDoesNotMatch";
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

/** All but unreserved characters as %XX. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
