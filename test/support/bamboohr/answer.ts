/** How the fake answers: JSON, XML for those who did not ask for JSON, and errors as a header over an empty body. */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Asked {
  readonly method: string;
  /** Behind the version, such as `/employees/0`. */
  readonly path: string;
  /** `v1`, `v1_2`, `v2`. */
  readonly version: string;
  readonly gateway: boolean;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, type = "application/json"): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** The reason is in a header, and in its misspelt twin; the body is empty, and calls itself a page. */
export function refuse(
  response: ServerResponse,
  status: number,
  reason: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=UTF-8",
    "content-length": "0",
    ...(reason === "" ? {} : { "x-bamboohr-error-message": reason, "x-bamboohr-error-messsage": reason }),
    ...headers,
  });
  response.end();
}

export function wantsJson({ headers, query }: Asked): boolean {
  return query.get("format")?.toLowerCase() === "json" || (headers.accept ?? "").includes("application/json");
}

/** JSON where it was asked for, else XML, which many endpoints have for a default. */
export function sendAsAsked(response: ServerResponse, asked: Asked, root: string, body: unknown): void {
  if (wantsJson(asked)) return sendJson(response, body);
  const text = `<?xml version="1.0"?>\n${xmlOf(root, body)}\n`;
  response.writeHead(200, { "content-type": "text/xml", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function xmlOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return `<${name}>${value.map((each) => xmlOf("item", each)).join("")}</${name}>`;
  if (value !== null && typeof value === "object") {
    return `<${name}>${
      Object.entries(value).map(([key, each]) => xmlOf(/^[a-z_]/i.test(key) ? key : `_${key}`, each)).join("")
    }</${name}>`;
  }
  return `<${name}>${
    String(value ?? "").replace(/[<>&]/g, (c) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[c]!)
  }</${name}>`;
}
