/** What a store refused or did not do, in one sentence with what, where and what to do, and without the key. */
import { Fault } from "../../model/errors.ts";
import { tookTooLong, whyUnreachable } from "../unreachable.ts";
import { parseXml } from "./s3-xml.ts";

export class StoreTrouble extends Fault {
  /** Whether it can pass by itself, so that the same request may succeed later. */
  readonly passes: boolean;
  /** The store's word for it, such as `NoSuchUpload`; empty: it has none. */
  readonly reason: string;

  constructor(message: string, passes: boolean, reason = "", cause?: unknown) {
    super(passes ? "unavailable" : "unprocessable", message, { cause });
    this.passes = passes;
    this.reason = reason;
  }
}

/** There is no answer. `store`: how messages name the bucket and its store. */
export function lineTrouble(error: unknown, store: string, limitMs: number): StoreTrouble {
  if (tookTooLong(error)) {
    return new StoreTrouble(`${store} did not answer in ${limitMs / 1000} s: check its load and the way to it`, true);
  }
  const why = whyUnreachable(error);
  return new StoreTrouble(
    why === null
      ? `The connection to ${lowerFirst(store)} broke off: check the store and the way to it`
      : `${store} cannot be reached, as ${why}: check the endpoint of the address, and that the store runs`,
    true,
  );
}

/** An answer that is not the expected one. `doing`: what was asked, as in "did not begin an upload". */
export async function answerTrouble(response: Response, store: string, doing: string): Promise<StoreTrouble> {
  const text = await response.text().catch(() => "");
  const [region = null] = /^[a-z0-9-]{1,40}$/.exec(response.headers.get("x-amz-bucket-region") ?? "") ?? [];
  return refusal(response.status, reasonIn(text), store, doing, region);
}

/** The store's word for an error; empty: the text has none. Its sentences are not used, as they may repeat the key. */
export function reasonIn(text: string): string {
  const reason = parseXml(text).records("Error")[0]?.Code ?? "";
  return /^[A-Za-z0-9.]{1,64}$/.test(reason) ? reason : "";
}

export function refusal(
  status: number,
  reason: string,
  store: string,
  doing: string,
  region: string | null = null,
): StoreTrouble {
  const shown = `the status ${status}${reason === "" ? "" : ` (${reason})`}`;
  if (status >= 500 || PASSING_STATUS.includes(status) || PASSING_REASON.test(reason)) {
    return new StoreTrouble(`${store} did not ${doing}, with ${shown}: check the store`, true, reason);
  }
  const [, what] = REFUSALS.find(([applies]) => applies(reason, status)) ??
    [null, `refused to ${doing}, with ${shown}: check the address, and that the store speaks S3`];
  const place = region === null ? "" : `, in the region "${region}"`;
  return new StoreTrouble(`${store} ${what.replace("{doing}", doing).replace("{place}", place)}`, false, reason);
}

const isOneOf = (reasons: RegExp) => (reason: string) => reasons.test(reason);
/** What is wrong, by the store's word and by the status. The first one that applies counts. */
const REFUSALS: readonly (readonly [(reason: string, status: number) => boolean, string])[] = [
  [isOneOf(/^NoSuchBucket$/), "does not exist: correct the address, or make the bucket"],
  [isOneOf(/^NoSuchKey$/), "has no backup of that name: the address without a name says what is there"],
  [isOneOf(/^RequestTimeTooSkewed$/), "finds that this machine's clock is wrong: set it"],
  [
    isOneOf(/^(AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/),
    "is elsewhere{place}: correct the region and the endpoint of the address",
  ],
  [
    (_, status) => status < 400 && status >= 300,
    "is elsewhere{place}: correct the region and the endpoint of the address",
  ],
  [
    isOneOf(/^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken)$/),
    "refused the key: correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
  ],
  [(_, status) => status === 401, "refused the key: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
  [(_, status) => status === 403, "does not let this key {doing}: let it list, read, write and delete in the bucket"],
];

const PASSING_STATUS = [408, 429];
const PASSING_REASON =
  /^(RequestTimeout|SlowDown|InternalError|ServiceUnavailable|OperationAborted|ConditionalRequestConflict)$/;

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
