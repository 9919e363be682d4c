/**
 * Signed requests to an S3-compatible store, addressed by path, with their time limits. Each is sent again after a pause where
 * the trouble may pass, and fails with a StoreTrouble. aws4fetch makes the signatures.
 */
import { AwsV4Signer } from "aws4fetch";
import { toHex } from "../../std/hex.ts";
import { retry } from "../../std/retry.ts";
import { answerTrouble, lineTrouble, reasonIn, refusal, StoreTrouble } from "./s3-trouble.ts";
import { parseXml, type XmlAnswer } from "./s3-xml.ts";
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

export interface Asked {
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

export interface Requests {
  /** How messages name the store. */
  readonly store: string;
  /** The whole answer, within the time limit. */
  ask(asked: Asked): Promise<Answer>;
  /** An answer's XML. Its root is checked, as a store may answer 200 before it knows of an error. */
  askXml(root: string, asked: Asked): Promise<XmlAnswer>;
  /** One answer's bytes from `from` up to `end`, asked for once; fails if it is silent for too long. */
  read(key: string, from: number, end: number | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array, void>;
  /** How long to wait after so many failures; null: it is of no use, or too late. */
  pauseAfter(error: unknown, failures: number): number | null;
}

export interface Answer {
  readonly text: string;
  readonly headers: Headers;
}

/** `ended` ends every request that has no signal of its own, with its reason. */
export function openRequests(settings: BucketSettings, limits: StoreLimits, ended?: AbortSignal): Requests {
  const store = `The bucket "${settings.bucket}" at ${new URL(settings.endpoint).host}`;
  const keys = new Map<string, ArrayBuffer>();

  /** Sends the request once. It has no time limit of its own. */
  async function send(asked: Asked, signal: AbortSignal): Promise<Response> {
    const { method, body, doing, takes = [200] } = asked;
    const signed = await sign(settings, keys, asked);
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

  async function askOnce(asked: Asked): Promise<Answer> {
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

  function ask(asked: Asked): Promise<Answer> {
    return retry(() => askOnce(asked), pauseAfter, asked.signal ?? ended);
  }

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

  async function* read(key: string, from: number, end: number | undefined, signal: AbortSignal) {
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

  return { store, ask, askXml, read, pauseAfter };
}

async function sign(
  { endpoint, region, bucket, key: credentials }: BucketSettings,
  keys: Map<string, ArrayBuffer>,
  { method, key, query = {}, headers = {}, body = new Uint8Array() }: Asked,
) {
  const url = new URL(`${endpoint}/${bucket}${key === undefined ? "" : `/${key}`}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
  return await new AwsV4Signer({
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
}
