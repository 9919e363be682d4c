/** A bucket of an S3-compatible store: its objects, and uploads in parts. What fails for good is a StoreTrouble. */
import { Buffer } from "node:buffer";
import { sleep } from "../../std/sleep.ts";
import { type Asked, openRequests, type StoreLimits, USUAL_LIMITS } from "./s3-requests.ts";
import { refusal } from "./s3-trouble.ts";
import { completionXml } from "./s3-xml.ts";
import type { BucketSettings } from "./settings.ts";

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

/** `ended` ends every request that has no signal of its own, with its reason. */
export function openS3(settings: BucketSettings, limits: StoreLimits = USUAL_LIMITS, ended?: AbortSignal): S3 {
  const { store, ask, askXml, read, pauseAfter } = openRequests(settings, limits, ended);

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
          for await (const bytes of read(key, at, end, signal)) {
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
