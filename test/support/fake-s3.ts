/**
 * A store that speaks S3 on loopback: it checks each signature, keeps to S3's rules for uploads in parts, and misbehaves as a
 * test says.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { BucketSettings, StoreKey } from "../../src/runtime/backups/settings.ts";
import { problemOf } from "./sigv4.ts";

export const KEY: StoreKey = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};
const REGION = "eu-central-1", BUCKET = "backups";
const LEAST_PART = 5 * 1024 ** 2;

export type Operation =
  | "list"
  | "listUploads"
  | "begin"
  | "part"
  | "complete"
  | "abandon"
  | "read"
  | "remove"
  | "put"
  | "head";

/**
 * `status`: an error of this status and reason, nothing is done. `cut`: the connection breaks off in the middle of the
 * request, or, with `after`, after so many bytes of the answer. `hang`: no answer. `lost`: it is done, and the connection
 * breaks off before the answer. `lose`: so many bytes of the object are lost when it is made. `late`: an error in an answer
 * of status 200.
 */
export type Misbehaviour =
  | { readonly status: number; readonly reason: string; readonly region?: string }
  | "cut"
  | { readonly after: number }
  | "hang"
  | "lost"
  | { readonly lose: number }
  | "late";

interface Fault {
  readonly operation: Operation;
  readonly how: Misbehaviour;
  times: number;
}

export interface FakeS3 {
  readonly endpoint: string;
  readonly settings: BucketSettings;
  /** As MUSTER_BACKUP names the bucket. */
  address(path?: string): string;
  readonly objects: Map<string, Buffer>;
  readonly uploads: Map<string, { readonly key: string; readonly parts: Map<number, Buffer>; at: number }>;
  /** All operations so far, in order. */
  readonly done: Operation[];
  /** The misbehaviour of an operation, `times` times from now on. */
  misbehave(operation: Operation, how: Misbehaviour, times?: number): void;
  /** Behaves from now on. */
  clear(): void;
  /** Calls back when the next request for the operation has come. */
  onNext(operation: Operation, callback: () => void): void;
  /** Keys that one list answers with. */
  pageSize: number;
  key: StoreKey;
  close(): Promise<void>;
}

export async function startS3(): Promise<FakeS3> {
  const faults: Fault[] = [];
  let awaited: { operation: Operation; callback: () => void } | null = null;
  const come = (operation: Operation) => {
    if (awaited?.operation !== operation) return;
    const { callback } = awaited;
    awaited = null;
    callback();
  };
  const server = createServer((request, response) => {
    answer(store, faults, come, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const search = `?endpoint=${endpoint}&region=${REGION}`;
  const store: FakeS3 = {
    endpoint,
    settings: { kind: "bucket", endpoint, region: REGION, bucket: BUCKET, prefix: "muster/", search, key: KEY },
    address: (path = "muster") => `s3://${BUCKET}/${path}${search}`,
    objects: new Map(),
    uploads: new Map(),
    done: [],
    misbehave: (operation, how, times = 1) => void faults.push({ operation, how, times }),
    clear: () => void faults.splice(0),
    onNext: (operation, callback) => void (awaited = { operation, callback }),
    pageSize: 1000,
    key: KEY,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}

async function answer(
  store: FakeS3,
  faults: Fault[],
  come: (operation: Operation) => void,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url!, store.endpoint);
  const [, bucket = "", ...rest] = decodeURIComponent(url.pathname).split("/");
  const operation = operationOf(request.method!, rest.join("/"), url.searchParams);
  const fault = faults.find((each) => each.operation === operation && each.times > 0);
  if (fault !== undefined) fault.times--;
  const how = fault?.how;
  if (how === "cut") {
    request.once("data", () => request.socket.destroy());
    // An operation without a body is cut before its answer.
    request.once("end", () => request.socket.destroy());
    return;
  }
  const body = await bodyOf(request);
  store.done.push(operation);
  come(operation);
  if (how === "hang") return;
  const refuse = (status: number, reason: string, region?: string) => {
    if (region !== undefined) response.setHeader("x-amz-bucket-region", region);
    xml(response, status, `<Error><Code>${reason}</Code><Message>of ${KEY.accessKeyId}</Message></Error>`);
  };
  const isSized = request.headers["content-length"] === String(body.length) ||
    ["GET", "HEAD", "DELETE"].includes(request.method!);
  if (!isSized) return refuse(411, "MissingContentLength");
  const refused = problemOf(request, body, store.key, REGION);
  if (refused !== null) return refuse(403, refused);
  if (typeof how === "object" && "status" in how) return refuse(how.status, how.reason, how.region);
  if (bucket !== BUCKET) return refuse(404, "NoSuchBucket");
  const asked = { operation, key: rest.join("/"), query: url.searchParams, headers: request.headers, body };
  const { status, text, content, headers = {} } = perform(store, asked, how);
  if (how === "lost") return void response.destroy();
  if (how === "late") return xml(response, 200, "<Error><Code>InternalError</Code></Error>");
  if (content === undefined) return xml(response, status, text ?? "", headers);
  response.writeHead(status, { ...headers, "content-length": content.length });
  if (typeof how !== "object" || !("after" in how)) return void response.end(request.method === "HEAD" ? "" : content);
  response.write(content.subarray(0, how.after), () => setTimeout(() => response.destroy(), 20));
}

function operationOf(method: string, key: string, query: URLSearchParams): Operation {
  if (method === "GET") return key !== "" ? "read" : query.has("uploads") ? "listUploads" : "list";
  if (method === "POST") return query.has("uploads") ? "begin" : "complete";
  if (method === "PUT") return query.has("partNumber") ? "part" : "put";
  if (method === "DELETE") return query.has("uploadId") ? "abandon" : "remove";
  return "head";
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Asked {
  readonly operation: Operation;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly text?: string;
  readonly content?: Buffer;
  readonly headers?: Record<string, string>;
}

function perform(store: FakeS3, asked: Asked, how: Misbehaviour | undefined): Answer {
  const { operation, key, query, body } = asked;
  const missing = (reason: string): Answer => ({ status: 404, text: `<Error><Code>${reason}</Code></Error>` });
  const upload = store.uploads.get(query.get("uploadId") ?? "");
  const object = store.objects.get(key);
  switch (operation) {
    case "list":
      return list(store, query);
    case "listUploads":
      return listUploads(store, query);
    case "begin": {
      const id = `upload/${store.uploads.size}+${Math.random().toString(36).slice(2)}`;
      store.uploads.set(id, { key, parts: new Map(), at: Date.now() });
      return { status: 200, text: element("InitiateMultipartUploadResult", `<UploadId>${id}</UploadId>`) };
    }
    case "part":
      if (upload?.key !== key) return missing("NoSuchUpload");
      upload.parts.set(Number(query.get("partNumber")), body);
      return { status: 200, headers: { etag: tagOf(body) } };
    case "complete":
      if (upload?.key !== key) return missing("NoSuchUpload");
      return complete(
        store,
        query.get("uploadId")!,
        body.toString(),
        typeof how === "object" && "lose" in how ? how.lose : 0,
      );
    case "abandon":
      return store.uploads.delete(query.get("uploadId")!) ? { status: 204 } : missing("NoSuchUpload");
    case "put":
      store.objects.set(key, body);
      return { status: 200, headers: { etag: tagOf(body) } };
    case "remove":
      store.objects.delete(key);
      return { status: 204 };
    default:
      return object === undefined ? missing("NoSuchKey") : read(object, asked.headers.range);
  }
}

function complete(store: FakeS3, id: string, text: string, lose: number): Answer {
  const { key, parts } = store.uploads.get(id)!;
  const named = [...text.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g)];
  const bodies = named.map(([, number, tag]) => ({
    body: parts.get(Number(number)),
    tag: tag!.replaceAll("&quot;", '"'),
  }));
  const refused = (reason: string): Answer => ({ status: 400, text: `<Error><Code>${reason}</Code></Error>` });
  if (bodies.length === 0) return refused("MalformedXML");
  if (bodies.some(({ body, tag }) => body === undefined || tagOf(body) !== tag)) return refused("InvalidPart");
  // Some stores want all parts but the last to be of one size.
  const sizes = bodies.slice(0, -1).map(({ body }) => body!.length);
  if (sizes.some((size) => size < LEAST_PART || size !== sizes[0])) return refused("EntityTooSmall");
  const whole = Buffer.concat(bodies.map(({ body }) => body!));
  store.objects.set(key, whole.subarray(0, whole.length - lose));
  store.uploads.delete(id);
  return { status: 200, text: element("CompleteMultipartUploadResult", `<Key>${key}</Key>`) };
}

function read(object: Buffer, range: string | undefined): Answer {
  const headers = { etag: tagOf(object), "last-modified": new Date().toUTCString(), "accept-ranges": "bytes" };
  if (range === undefined) return { status: 200, content: object, headers };
  const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(range)!;
  const end = to === "" || to === undefined ? object.length : Number(to) + 1;
  if (Number(from) >= object.length) return { status: 416, text: "<Error><Code>InvalidRange</Code></Error>" };
  const content = object.subarray(Number(from), end);
  const place = `bytes ${from}-${Number(from) + content.length - 1}/${object.length}`;
  return { status: 206, content, headers: { ...headers, "content-range": place } };
}

function list(store: FakeS3, query: URLSearchParams): Answer {
  const from = query.get("continuation-token") ?? "";
  const keys = [...store.objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "") && key > from)
    .sort();
  const page = keys.slice(0, store.pageSize);
  const contents = page.map((key) => {
    const size = store.objects.get(key)!.length;
    return `<Contents><Key>${key}</Key><LastModified>${
      new Date().toISOString()
    }</LastModified><Size>${size}</Size></Contents>`;
  });
  const isMore = page.length < keys.length;
  const next = isMore ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
  const text = element("ListBucketResult", `<IsTruncated>${isMore}</IsTruncated>${next}${contents.join("")}`);
  return { status: 200, text };
}

function listUploads(store: FakeS3, query: URLSearchParams): Answer {
  const found = [...store.uploads].filter(([, { key }]) => key.startsWith(query.get("prefix") ?? ""));
  const uploads = found.map(([id, { key, at }]) =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(at).toISOString()}</Initiated></Upload>`
  );
  return { status: 200, text: element("ListMultipartUploadsResult", uploads.join("")) };
}

function tagOf(body: Uint8Array): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}

function element(name: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${name}>`;
}

function xml(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, ...(text === "" ? {} : { "content-type": "application/xml" }) }).end(text);
}
