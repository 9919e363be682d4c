/**
 * Signed requests to a bucket of an S3-compatible store, addressed by its path. Each is sent again after a pause where the
 * trouble may pass, and fails with a StoreTrouble. aws4fetch makes the signatures.
 */
import { Buffer } from "node:buffer";
import { AwsV4Signer } from "aws4fetch";
import { toHex } from "../../std/hex.ts";
import { retry } from "../../std/retry.ts";
import { sleep } from "../../std/sleep.ts";
import { answerTrouble, lineTrouble, reasonIn, refusal, StoreTrouble } from "./s3-trouble.ts";
import { completionXml, parseXml, type XmlAnswer } from "./s3-xml.ts";
import type { BucketSettings } from "./settings.ts";

export interface StoreLimits {
  /** How long an answer may take, and how long a read may be silent. */
  readonly answerMs: number;
  /** How long a part may take, until the store has acknowledged it. */
  readonly partMs: number;
  /** Pauses before the second attempt and those after it. */
  readonly pausesMs: readonly number[];
}

export const USUAL_LIMITS: StoreLimits = {
  answerMs: 60_000,
  partMs: 300_000,
  pausesMs: [1_000, 3_000, 10_000, 30_000],
};

export interface OpenUpload {
  readonly key: string;
  readonly id: string;
  /** When it was begun, by the store's clock: milliseconds since 1970. */
  readonly at: number;
}

export interface S3 {
  /** Keys that begin with `prefix`. */
  list(prefix: string): Promise<{ readonly key: string; readonly bytes: number }[]>;
  /** Begins an upload in parts, and returns its id. */
  begin(key: string, signal: AbortSignal): Promise<string>;
  /** Sends the part of this number (1 and up), and returns the tag that completes it. */
  sendPart(upload: Upload, part: number, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<string>;
  /** Makes one object of all parts. Its trouble has the reason `NoSuchUpload` if an earlier attempt was done after all. */
  complete(upload: Upload, tags: readonly string[], signal: AbortSignal): Promise<void>;
  /** Ends an upload and deletes its parts; one that is not there is no trouble. */
  abandon(upload: Upload): Promise<void>;
  /** Uploads that were begun and neither completed nor abandoned. */
  listUploads(prefix: string): Promise<OpenUpload[]>;
  /** The object's bytes, up to and without `end` (absent: all). Goes on where a connection broke off. */
  read(key: string, signal: AbortSignal, end?: number): AsyncGenerator<Uint8Array, void>;
  /** Deletes the object; one that is not there is no trouble. */
  remove(key: string): Promise<void>;
}

export type Upload = Pick<OpenUpload, "key" | "id">;

interface Asked {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** What is asked, as in "did not begin an upload". */
  readonly doing: string;
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
  /** Statuses that are answers; 200 alone where nothing is given. */
  readonly takes?: readonly number[];
}

/** The answer to a range of an object that ends before it. */
const NOTHING_THERE = 416;

/** `ended` ends every request that has no signal of its own, with its reason. */
export function openS3(settings: BucketSettings, limits: StoreLimits = USUAL_LIMITS, ended?: AbortSignal): S3 {
  const { endpoint, region, bucket, key: credentials } = settings;
  const store = `The bucket "${bucket}" at ${new URL(endpoint).host}`;
  const keys = new Map<string, ArrayBuffer>();

  /** Sends the request once. It has no time limit of its own. */
  async function send(
    { method, key, query = {}, headers = {}, body, doing, takes = [200] }: Asked,
    signal: AbortSignal,
  ) {
    const url = new URL(`${endpoint}/${bucket}${key === undefined ? "" : `/${key}`}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body ?? new Uint8Array())));
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, "x-amz-content-sha256": hash },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      sessionToken: credentials.sessionToken ?? undefined,
      service: "s3",
      region,
      cache: keys,
    }).sign();
    const response = await fetch(signed.url, {
      method,
      headers: signed.headers,
      ...(method === "PUT" || method === "POST" ? { body: body ?? new Uint8Array() } : {}),
      // A redirect would take a backup to a store that nobody has named.
      redirect: "manual",
      signal,
    });
    if (takes.includes(response.status)) return response;
    throw await answerTrouble(response, store, doing);
  }

  /** The whole answer, within the time limit. */
  async function askOnce(asked: Asked): Promise<{ text: string; headers: Headers }> {
    const { limitMs = limits.answerMs, signal = ended } = asked;
    const limit = AbortSignal.timeout(limitMs);
    try {
      const response = await send(asked, signal === undefined ? limit : AbortSignal.any([signal, limit]));
      return { text: await response.text(), headers: response.headers };
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof StoreTrouble ? error : lineTrouble(error, store, limitMs);
    }
  }

  function ask(asked: Asked): Promise<{ text: string; headers: Headers }> {
    return retry(() => askOnce(asked), pauseAfter, asked.signal ?? ended);
  }

  /** An answer's XML. Its root is checked, as a store may answer 200 before it knows of an error. */
  function askXml(root: string, asked: Asked): Promise<XmlAnswer> {
    return retry(
      async () => {
        const { text } = await askOnce(asked);
        const answer = parseXml(text);
        if (answer.root === root) return answer;
        throw refusal(answer.root === "Error" ? 500 : 200, reasonIn(text), store, asked.doing);
      },
      pauseAfter,
      asked.signal ?? ended,
    );
  }

  function pauseAfter(error: unknown, failures: number): number | null {
    return error instanceof StoreTrouble && error.passes ? limits.pausesMs[failures - 1] ?? null : null;
  }

  async function* pages(root: string, item: string, query: Record<string, string>) {
    for (let from: Record<string, string> = {};;) {
      const doing = "list what is in it";
      const answer = await askXml(root, { method: "GET", query: { ...query, ...from }, doing });
      yield* answer.records(item);
      const [{ IsTruncated, NextContinuationToken } = {} as Record<string, string>] = answer.records(root);
      if (IsTruncated !== "true" || NextContinuationToken === undefined) return;
      from = { "continuation-token": NextContinuationToken };
    }
  }

  /** One answer's bytes; fails if it is silent for too long. */
  async function* readOnce(key: string, from: number, end: number | undefined, signal: AbortSignal) {
    const silent = new AbortController();
    const unlessSilent = <T>(work: Promise<T>): Promise<T> => {
      const timer = setTimeout(() => silent.abort(new DOMException("Silent", "TimeoutError")), limits.answerMs);
      return work.finally(() => clearTimeout(timer));
    };
    const isPart = from > 0 || end !== undefined;
    const range = `bytes=${from}-${end === undefined ? "" : end - 1}`;
    const asked: Asked = { method: "GET", key, doing: "give the backup back" };
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const response = await unlessSilent(send(
        isPart ? { ...asked, headers: { range }, takes: [206, NOTHING_THERE] } : asked,
        AbortSignal.any([signal, silent.signal]),
      ));
      if (response.status === NOTHING_THERE) return;
      reader = response.body!.getReader();
      for (;;) {
        const { done, value } = await unlessSilent(reader.read());
        if (done) return;
        yield value;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof StoreTrouble ? error : lineTrouble(error, store, limits.answerMs);
    } finally {
      reader?.cancel().catch(() => {});
    }
  }

  return {
    async list(prefix) {
      const found = [];
      for await (const { Key, Size } of pages("ListBucketResult", "Contents", { "list-type": "2", prefix })) {
        if (Key !== undefined) found.push({ key: Key, bytes: Number(Size) });
      }
      return found;
    },
    async begin(key, signal) {
      const asked: Asked = { method: "POST", key, query: { uploads: "" }, doing: "begin an upload", signal };
      const answer = await askXml("InitiateMultipartUploadResult", asked);
      const id = answer.records("InitiateMultipartUploadResult")[0]?.UploadId;
      if (id !== undefined && id !== "") return id;
      throw refusal(200, "", store, asked.doing);
    },
    async sendPart({ key, id }, part, bytes, signal) {
      const query = { partNumber: String(part), uploadId: id };
      const doing = `take the part ${part}`;
      const { headers } = await ask({ method: "PUT", key, query, body: bytes, doing, limitMs: limits.partMs, signal });
      const tag = headers.get("etag");
      if (tag !== null) return tag;
      throw refusal(200, "", store, doing);
    },
    async complete({ key, id }, tags, signal) {
      const body = Uint8Array.from(Buffer.from(completionXml(tags)));
      const asked: Asked = { method: "POST", key, query: { uploadId: id }, body, doing: "complete the upload", signal };
      // A store may take minutes to put the parts together.
      await askXml("CompleteMultipartUploadResult", { ...asked, limitMs: limits.partMs });
    },
    async abandon({ key, id }) {
      const doing = "delete the parts of an upload";
      await ask({ method: "DELETE", key, query: { uploadId: id }, doing, takes: [200, 204, 404] });
    },
    async listUploads(prefix) {
      const doing = "list uploads";
      const answer = await askXml("ListMultipartUploadsResult", {
        method: "GET",
        query: { uploads: "", prefix },
        doing,
      });
      return answer.records("Upload").map(({ Key = "", UploadId = "", Initiated = "" }) => ({
        key: Key,
        id: UploadId,
        at: Date.parse(Initiated),
      }));
    },
    async *read(key, signal, end) {
      for (let at = 0, failures = 0;;) {
        try {
          for await (const bytes of readOnce(key, at, end, signal)) {
            yield bytes;
            at += bytes.length;
            failures = 0;
          }
          return;
        } catch (error) {
          const pauseMs = pauseAfter(error, ++failures);
          if (pauseMs === null) throw error;
          await sleep(pauseMs, signal);
        }
      }
    },
    async remove(key) {
      await ask({ method: "DELETE", key, doing: "delete a backup", takes: [200, 204, 404] });
    },
  };
}
